//! What a database answers when it does not do what it was asked.

use std::fmt;

/// Of a database.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Server(#[from] ServerFailure),
}

/// What kind of failure of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It cannot be reached, or the connection is gone. Nothing was committed.
    Connection,
    /// The connection went while a commit was under way: nobody knows whether it was.
    Commit,
    /// It does not let us.
    Rights,
    /// No room.
    Full,
    /// Another one is in the way.
    Busy,
    /// Anything else.
    Other,
}

/// A failure of a server, in its own words. They hold no password: a server is never told one it could repeat.
#[derive(Debug, Clone)]
pub(crate) struct ServerFailure {
    pub(crate) loss: Loss,
    pub(crate) detail: String,
}

impl fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ServerFailure {}

impl ServerFailure {
    pub(crate) fn new(loss: Loss, detail: impl Into<String>) -> Self {
        Self { loss, detail: detail.into() }
    }
}

impl From<tokio_postgres::Error> for ServerFailure {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(told) = error.as_db_error() {
            return Self::new(loss(told.code().code()), told.message());
        }
        let mut detail = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(deeper) = cause {
            let text = deeper.to_string();
            if !detail.contains(&text) {
                detail = format!("{detail}: {text}");
            }
            cause = deeper.source();
        }
        // What the driver says itself is of the connection, or a value it cannot convert.
        let conversion = detail.contains("serializ") || detail.contains("conver");
        Self::new(if conversion { Loss::Other } else { Loss::Connection }, detail)
    }
}

/// The kinds of <https://www.postgresql.org/docs/current/errcodes-appendix.html> that a person can act on.
fn loss(code: &str) -> Loss {
    match code {
        // Rights, login, no such database, no such schema.
        "42501" | "28000" | "28P01" | "3D000" | "3F000" | "25006" => Loss::Rights,
        // Disk full.
        "53100" => Loss::Full,
        // A lock was not to be had in time; a deadlock; too many connections.
        "55P03" | "40P01" | "40001" | "53300" => Loss::Busy,
        // It shuts down, starts, or has ended a session that was silent for too long.
        code if code.starts_with("57P") || code.starts_with("08") || code == "25P03" => Loss::Connection,
        _ => Loss::Other,
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error.into())
    }
}

/// No row is an answer, too.
pub(crate) trait OptionalExtension<T> {
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
