//! A server in a process of its own: another one of this executable.
//!
//! It prints a line of JSON when it is ready, and another one, its books, when its input is closed.

use crate::Result;
use crate::bench::Bench;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

/// A server that is running.
pub(crate) struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub(crate) start: Value,
}

impl Served {
    pub(crate) fn start(bench: &Bench, name: &str, rest: &[String]) -> Result<Self> {
        let mut child = bench.child(name).args(rest).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
        let start = line(&mut out)?;
        Ok(Self { child, out, start })
    }

    /// Tells it something and gives what it says to that, whenever it does.
    pub(crate) fn ask(&mut self, word: &str) -> Result<Value> {
        let into = self.child.stdin.as_mut().ok_or("the server hears nothing any more")?;
        writeln!(into, "{word}")?;
        into.flush()?;
        line(&mut self.out)
    }

    /// Stops it and gives its books.
    pub(crate) fn stop(mut self) -> Result<Value> {
        drop(self.child.stdin.take());
        let books = line(&mut self.out)?;
        self.child.wait()?;
        Ok(books)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends with its input; a wait that fails has nobody to be told.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn line(out: &mut impl BufRead) -> Result<Value> {
    let mut line = String::new();
    out.read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|error| format!("the server said {line:?}: {error}").into())
}

/// In the server: says a line.
pub(crate) fn say(value: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{value}")?;
    out.flush()
}

/// In the server: waits until it is to stop, and has `told` done for each word it is told until then.
pub(crate) async fn until_stopped(mut told: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let (words, mut coming) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let words = std::io::stdin().lines().map_while(std::io::Result::ok).try_for_each(|word| words.send(word));
        // Nobody listens any more: the server has ended by itself.
        drop(words);
    });
    while let Some(word) = coming.recv().await {
        told(&word)?;
    }
    Ok(())
}
