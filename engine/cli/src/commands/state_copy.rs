//! `towpath state export` and `towpath state import`.

use super::runs;
use crate::args::Shared;
use crate::failure::{Ended, Failure};
use crate::table;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use towpath_connector::Error;
use towpath_state::{Copied, ImportError, Store, private};

/// Writes everything, to a file that is new and readable by nobody else, or to stdout.
pub fn export(store: &Store, file: Option<&Path>) -> Ended {
    let copied = match file {
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let copied = store.export(&mut out).map_err(|error| failure(error, None))?;
            out.flush()?;
            copied
        }
        Some(path) => {
            let mut out = BufWriter::new(private::new_file(path).map_err(|error| cannot("write", path, error))?);
            let written = store.export(&mut out).map_err(|error| failure(error, Some(path)))?;
            let whole = out.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all());
            whole.map_err(|error| cannot("write", path, error))?;
            written
        }
    };
    tell("written", copied);
    Ok(ExitCode::SUCCESS)
}

/// Takes in what was exported; makes the state if there is none.
pub fn import(file: &Path, replace: bool, shared: &Shared) -> Ended {
    let lines = BufReader::new(File::open(file).map_err(|error| cannot("read", file, error))?);
    let store = runs::place(shared)?.open()?;
    let copied = store.import(lines, replace).map_err(|error| failure(error, Some(file)))?;
    tell("taken in", copied);
    Ok(ExitCode::SUCCESS)
}

fn tell(what: &str, copied: Copied) {
    let numbers = [copied.runs, copied.cursors, copied.records, copied.rejects].map(table::grouped);
    let [runs, cursors, records, rejects] = numbers;
    eprintln!("{what}: runs {runs}, cursors {cursors}, journal records {records}, rejects {rejects}");
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> Failure {
    Failure::World(Error::from(error).at(format!("cannot {what} {}", path.display())))
}

fn failure(error: ImportError, file: Option<&Path>) -> Failure {
    let message = error.to_string();
    match error {
        ImportError::NotEmpty(_) => Failure::usage(
            message,
            "choose another folder with `--state DIR`, or add `--replace`: what there is, is gone then",
        ),
        ImportError::Running(_) => {
            let help = "wait for that run to finish, or stop it; one that died counts no more 30 seconds after its last heartbeat";
            Failure::Busy(Error::user(message).help(help))
        }
        ImportError::Line { .. } => {
            let file = file.map(|file| format!("{}, ", file.display())).unwrap_or_default();
            Failure::usage(
                format!("{file}{message}"),
                "nothing was changed; import a file that `towpath state export` wrote",
            )
        }
        ImportError::Io(error) => match file {
            Some(file) => cannot("read or write", file, error),
            None => Failure::Output(error),
        },
        ImportError::State(error) => error.into(),
    }
}
