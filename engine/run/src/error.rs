//! How a run fails: what went wrong, at which node.

use towpath_connector::Error;

/// A node's failure.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{node}: {error}")]
pub struct NodeError {
    /// The node.
    pub node: String,
    /// What went wrong.
    pub error: Error,
}

/// Why a run could not start or did not end well.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// It cannot be run as things are; nothing was done.
    #[error("{}", .0.message)]
    NotStarted(Error),
    /// Another run of the same pipeline and environment is going on.
    #[error("{}", .0.message)]
    Locked(Error),
    /// State could not be read or written.
    #[error("{}", .0.message)]
    State(Error),
}

impl RunError {
    /// The error itself.
    pub fn error(&self) -> &Error {
        match self {
            Self::NotStarted(error) | Self::Locked(error) | Self::State(error) => error,
        }
    }
}

/// The state's error as one of the contract's, for messages.
pub(crate) fn state_error(error: &towpath_state::Error) -> Error {
    let converted = match error.fault() {
        towpath_state::Fault::User => Error::user(error.to_string()),
        _ => Error::machine(error.to_string()),
    };
    let converted = converted.help(error.help());
    if error.is_passing() { converted.retry(towpath_connector::Retry::Yes) } else { converted }
}
