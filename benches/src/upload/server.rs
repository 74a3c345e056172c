//! Human Focus's stand-in as a process.

use crate::Result;
use crate::bench::Bench;
use crate::served::{Served, say, until_stopped};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_sandbox::{Options, Seed, System};

/// People there are.
const PEOPLE: usize = 500;

/// What it can be told, a line each.
const HOLD: &str = "hold";
const HELD: &str = "held";
const RELEASE: &str = "release";

/// How often it looks whether an upload has come.
const GLANCE: Duration = Duration::from_millis(1);

/// A stand-in that is running.
pub(super) struct Server(Served);

/// What it holds in the end.
pub(super) struct Books {
    pub(super) uploads: u64,
    pub(super) refused: u64,
}

impl Server {
    pub(super) fn start(bench: &Bench) -> Result<Self> {
        Served::start(bench, "human-focus", &[]).map(Self)
    }

    /// What it was started with.
    pub(super) fn settings(&self) -> &Value {
        &self.0.start
    }

    /// The variables of the environment that lead to it.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let setting = |name: &str| self.0.start["settings"][name].as_str().unwrap_or_default().to_owned();
        super::VARIABLES.iter().map(|(name, variable)| (*variable, setting(name))).collect()
    }

    /// Has it answer no upload from now on.
    pub(super) fn hold(&mut self) -> Result<()> {
        self.0.ask(HOLD).map(drop)
    }

    /// Waits until an upload has come that is not answered.
    pub(super) fn until_held(&mut self) -> Result<()> {
        self.0.ask(HELD).map(drop)
    }

    /// Has it answer again.
    pub(super) fn release(&mut self) -> Result<()> {
        self.0.ask(RELEASE).map(drop)
    }

    /// Stops it and says what arrived.
    pub(super) fn stop(self) -> Result<Books> {
        let books = self.0.stop()?;
        let number = |name: &str| books[name].as_u64().unwrap_or_default();
        Ok(Books { uploads: number("uploads"), refused: number("refused") })
    }
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
        until_stopped(|word| {
            obey(&system, word)?;
            Ok(say(&json!({}))?)
        })
        .await?;
        say(&held(&system))?;
        system.stop().await;
        Ok(())
    })
}

fn obey(system: &System, word: &str) -> Result<()> {
    match word {
        HOLD => system.faults().set_text("hold:op=UploadExternalTraining").map_err(|error| error.to_string())?,
        RELEASE => system.faults().clear(),
        HELD => {
            while system.faults().met().first().is_none_or(|met| *met == 0) {
                std::thread::sleep(GLANCE);
            }
        }
        _ => return Err(format!("the stand-in was told {word:?}").into()),
    }
    Ok(())
}

fn held(system: &System) -> Value {
    let books = system.books();
    json!({"uploads": books["uploads"].as_array().map(Vec::len), "refused": books["refused_uploads"]})
}
