//! How a command fails.

use crate::args::{Format, Shared};
use crate::screen;
use std::process::ExitCode;
use towpath_connector::{Error, redact};
use towpath_run::RunError;
use towpath_spec::{Diagnostic, Files};

/// Why a command did not do what it was asked to.
pub enum Failure {
    /// Used in a wrong way: exit code 2.
    Usage(String, Option<String>),
    /// Files are invalid: exit code 78.
    Invalid(Box<Files>, Vec<Diagnostic>),
    /// Something of the world went wrong: exit code 1, or 75 when it may pass.
    World(Error),
    /// Another run is going on: exit code 75.
    Busy(Error),
    /// The reader of our output went away, or the disk is full: exit code 1.
    Output(std::io::Error),
}

/// What commands give.
pub type Ended = Result<ExitCode, Failure>;

impl Failure {
    /// Wrong usage with a hint.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage(message.into(), Some(help.into()))
    }

    /// Tells it and ends with its exit code.
    pub fn report(self, shared: &Shared) -> ExitCode {
        ExitCode::from(self.tell(shared))
    }

    /// Tells it and gives the exit code.
    pub fn tell(self, shared: &Shared) -> u8 {
        match self {
            Self::Usage(message, help) => {
                screen::error(&message, help.as_deref());
                2
            }
            Self::Invalid(files, diagnostics) => {
                diagnostics_to(shared, &files, &diagnostics);
                78
            }
            Self::World(error) => {
                screen::error(&redact(&error.message), error.help.as_deref());
                if error.is_passing() { 75 } else { 1 }
            }
            Self::Busy(error) => {
                screen::error(&error.message, error.help.as_deref());
                75
            }
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
            Self::Output(error) => {
                screen::error(&format!("cannot write the output: {error}"), None);
                1
            }
        }
    }
}

/// Prints findings in the format asked for.
pub fn diagnostics_to(shared: &Shared, files: &Files, diagnostics: &[Diagnostic]) {
    use towpath_spec::render::{render_github, render_human, render_json};
    match shared.format {
        Format::Human => eprint!("{}", redact(&render_human(files, diagnostics, screen::colour()))),
        Format::Json => print!("{}", redact(&render_json(files, diagnostics))),
        Format::Github => print!("{}", redact(&render_github(files, diagnostics))),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::World(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Locked(error) => Self::Busy(error),
            RunError::NotStarted(error) | RunError::State(error) => Self::World(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<towpath_state::Error> for Failure {
    fn from(error: towpath_state::Error) -> Self {
        let converted = match error.fault() {
            towpath_state::Fault::User => Error::user(error.to_string()),
            _ => Error::machine(error.to_string()),
        };
        Self::World(converted.help(error.help()))
    }
}
