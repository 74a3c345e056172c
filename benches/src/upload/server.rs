//! The stand-in in a process of its own.
//!
//! It prints its settings and its books as one line of JSON, and its books again when its input is closed.

use crate::Result;
use crate::bench::Bench;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use towpath_sandbox::{Options, Seed, System};

/// People there are.
const PEOPLE: usize = 500;

/// A stand-in that is running.
pub(super) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it was started with.
    pub(super) start: Value,
}

/// What it holds in the end.
pub(super) struct Books {
    pub(super) uploads: u64,
    pub(super) refused: u64,
}

impl Server {
    pub(super) fn start(bench: &Bench) -> Result<Self> {
        let mut child = bench.child("human-focus").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("the stand-in has no output")?);
        let start = line(&mut out)?;
        Ok(Self { child, out, start })
    }

    /// The variables of the environment that lead to it.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let setting = |name: &str| self.start["settings"][name].as_str().unwrap_or_default().to_owned();
        super::VARIABLES.iter().map(|(name, variable)| (*variable, setting(name))).collect()
    }

    /// Stops it and says what arrived.
    pub(super) fn stop(mut self) -> Result<Books> {
        drop(self.child.stdin.take());
        let books = line(&mut self.out)?;
        self.child.wait()?;
        let number = |name: &str| books[name].as_u64().unwrap_or_default();
        Ok(Books { uploads: number("uploads"), refused: number("refused") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input; a wait that fails has nobody to be told.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn line(out: &mut impl BufRead) -> Result<Value> {
    let mut line = String::new();
    out.read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|error| format!("the stand-in said {line:?}: {error}").into())
}

/// The stand-in itself.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let seed = Seed { people: PEOPLE, unknown_people: 0.0, ..Seed::default() };
        let system = towpath_sandbox::start("human-focus", Options { seed, ..Options::default() }).await?;
        let settings: serde_json::Map<String, Value> =
            system.settings().into_iter().map(|(name, value)| (name, value.into())).collect();
        let books = system.books();
        let fixed = ["organisation", "users", "trainings"].map(|name| (name.to_owned(), books[name].clone()));
        say(&json!({"settings": settings, "books": serde_json::Map::from_iter(fixed)}))?;
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
        say(&held(&system))?;
        system.stop().await;
        Ok(())
    })
}

fn held(system: &System) -> Value {
    let books = system.books();
    json!({"uploads": books["uploads"].as_array().map(Vec::len), "refused": books["refused_uploads"]})
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{value}")?;
    out.flush()
}
