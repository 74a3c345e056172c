//! What can go wrong with the world, said so that the run can decide and a person can act.

use std::fmt;
use std::time::Duration;

/// A result of the contract.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Configuration, credentials, a missing file: the user can mend it.
    User,
    /// The other system or the way to it.
    Remote,
    /// The data itself: truncated, malformed, not of the declared type.
    Data,
    /// This machine: disk full, no permission.
    Machine,
    /// Towpath.
    Bug,
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail in the same way.
    No,
    /// It may pass; the run decides when.
    Yes,
    /// It may pass, and not before this time is over: the other system said so.
    After(Duration),
}

/// What a failed write may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the request never left, or was turned away before it was acted on.
    None,
    /// Perhaps everything: no answer came.
    Unknown,
}

/// An error of the world. Its text never holds a secret.
#[derive(Debug, Clone)]
pub struct Error {
    /// Whose fault.
    pub fault: Fault,
    /// Whether to try again.
    pub retry: Retry,
    /// For writes: what may have happened.
    pub effect: Effect,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Error {
    /// An error that is not worth another try.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        let message = crate::redact(&message.into());
        Self { fault, retry: Retry::No, effect: Effect::None, message, help: None }
    }

    /// The user can mend it.
    pub fn user(message: impl Into<String>) -> Self {
        Self::new(Fault::User, message)
    }

    /// The other system failed for good.
    pub fn remote(message: impl Into<String>) -> Self {
        Self::new(Fault::Remote, message)
    }

    /// The other system failed for a passing reason.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { retry: Retry::Yes, ..Self::new(Fault::Remote, message) }
    }

    /// The data is at fault.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Fault::Data, message)
    }

    /// This machine is at fault.
    pub fn machine(message: impl Into<String>) -> Self {
        Self::new(Fault::Machine, message)
    }

    /// Towpath is at fault.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Fault::Bug, message).help("this is a bug in Towpath; please report it with the pipeline file")
    }

    /// Adds what to do about it; an empty sentence is none.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(crate::redact(&help.into())).filter(|help| !help.trim().is_empty());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Says what a failed write may have done.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Puts where it happened before the message.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = crate::redact(&format!("{place}: {}", self.message));
        self
    }

    /// Whether another try may pass.
    pub fn is_passing(&self) -> bool {
        self.retry != Retry::No
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => Self::user(error.to_string()).help("check the path"),
            ErrorKind::PermissionDenied => Self::user(error.to_string()).help("check the permissions of the path"),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::machine(format!("the disk is full: {error}")).help("free some space on that disk, then run again")
            }
            _ => Self::machine(error.to_string()),
        }
    }
}

impl From<polars::error::PolarsError> for Error {
    fn from(error: polars::error::PolarsError) -> Self {
        match error {
            polars::error::PolarsError::IO { error, msg } => {
                let mut converted = Self::from(std::io::Error::new(error.kind(), error.to_string()));
                if let Some(msg) = msg {
                    converted.message = format!("{msg}: {}", converted.message);
                }
                converted
            }
            // Errors of writing come wrapped in words of the format.
            other if other.to_string().contains("os error 28") => {
                Self::from(std::io::Error::new(std::io::ErrorKind::StorageFull, other.to_string()))
            }
            other => Self::data(other.to_string()),
        }
    }
}
