//! What can go wrong with the state, whose fault it is, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::database::{self, Failure, Loss, ServerFailure};
use crate::{RunId, Scope};

/// A result of the state.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A wrong folder, a wrong run id, an old release: the user can mend it.
    User,
    /// This machine: disk full, no permission, a damaged file.
    Machine,
    /// Another run or program that uses the same state.
    Other,
    /// Towpath.
    Bug,
}

/// An error of the state. Its text is one sentence; [`Error::help`] says what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is a database of another program, or no database.
    #[error("`{}` is not a Towpath state database: {found}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        found: String,
    },
    /// The file is damaged.
    #[error("the state database `{}` is damaged: {detail}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// The file was written by a later release.
    #[error(
        "the state database `{}` has schema version {found}; this release knows versions up to {known}", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The latest version this release knows.
        known: i64,
    },
    /// The folder or the file may not be read or written.
    #[error("no permission for {action} in `{}`", path.display())]
    Permission {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
    },
    /// No room is left. Nothing of the failed call was kept.
    #[error("the disk is full: {action} in `{}` failed", path.display())]
    DiskFull {
        /// The database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
    },
    /// Another process kept the database locked for longer than the time allowed.
    #[error("another process keeps the state database `{}` locked: {action} gave up", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
    },
    /// The folder's file system cannot share memory between processes, as the write-ahead log needs.
    #[error("the folder of `{}` cannot hold a write-ahead log (the journal mode is `{mode}`)", path.display())]
    NoWriteAheadLog {
        /// The database.
        path: PathBuf,
        /// The mode SQLite fell back to.
        mode: String,
    },
    /// The run no longer holds the lock it writes under. Nothing was written.
    #[error("run {run} has lost its lock on {scope}: another run has taken over, nothing was written")]
    Fenced {
        /// The run that tried to write.
        run: RunId,
        /// What it had locked.
        scope: Scope,
    },
    /// No run has this id.
    #[error("no run has an id that starts with `{0}`")]
    NoSuchRun(String),
    /// More than one run has an id with this beginning.
    #[error("more than one run has an id that starts with `{prefix}`: {}", list(candidates))]
    AmbiguousRun {
        /// What was asked for.
        prefix: String,
        /// The first few of them.
        candidates: Vec<RunId>,
    },
    /// Another failure of the file system.
    #[error("{action} in `{}` failed: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's words.
        cause: Arc<std::io::Error>,
    },
    /// Another failure of SQLite.
    #[error("{action} in the state database `{}` failed: {cause}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// SQLite's words.
        cause: Arc<rusqlite::Error>,
    },
    /// The server cannot be reached, or the connection to it was lost.
    #[error("{action} in the state on `{}` failed: {detail}{}", path.display(), doubt(*certain))]
    Unreachable {
        /// Host, port and database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The words of the driver or the server.
        detail: String,
        /// Whether it is certain that nothing was kept.
        certain: bool,
    },
    /// The server does not let this user in, or not do this.
    #[error("no right for {action} in the state on `{}`: {detail}", path.display())]
    Rights {
        /// Host, port and database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The server's words.
        detail: String,
    },
    /// Another failure of the server.
    #[error("{action} in the state on `{}` failed: {detail}", path.display())]
    Server {
        /// Host, port and database.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The server's words.
        detail: String,
    },
    /// The state was used in a way that would break its promises. Nothing was written.
    #[error("the state was used against its rules: {0}")]
    Misuse(String),
}

fn doubt(certain: bool) -> &'static str {
    if certain { "" } else { "; whether it was kept is not known" }
}

fn list(runs: &[RunId]) -> String {
    let names: Vec<String> = runs.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl Error {
    /// A stable kebab-case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOurs { .. } => "state-not-ours",
            Self::Corrupt { .. } => "state-damaged",
            Self::Newer { .. } => "state-newer",
            Self::Permission { .. } => "state-permission",
            Self::DiskFull { .. } => "state-disk-full",
            Self::Busy { .. } => "state-busy",
            Self::NoWriteAheadLog { .. } => "state-folder-unsuitable",
            Self::Fenced { .. } => "lock-lost",
            Self::NoSuchRun(_) => "unknown-run",
            Self::AmbiguousRun { .. } => "ambiguous-run",
            Self::Unreachable { .. } => "state-unreachable",
            Self::Rights { .. } => "state-permission",
            Self::Io { .. } | Self::Sqlite { .. } | Self::Server { .. } => "state-failed",
            Self::Misuse(_) => "state-misuse",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotOurs { .. }
            | Self::Rights { .. }
            | Self::Newer { .. }
            | Self::NoWriteAheadLog { .. }
            | Self::NoSuchRun(_)
            | Self::AmbiguousRun { .. } => Fault::User,
            Self::Corrupt { .. }
            | Self::Permission { .. }
            | Self::DiskFull { .. }
            | Self::Io { .. }
            | Self::Sqlite { .. }
            | Self::Server { .. } => Fault::Machine,
            Self::Busy { .. } | Self::Fenced { .. } | Self::Unreachable { .. } => Fault::Other,
            Self::Misuse(_) => Fault::Bug,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unreachable { certain: true, .. })
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotOurs { .. } => {
                "choose another folder with `--state DIR`, or move the file away if nothing needs it"
            }
            Self::Corrupt { .. } => {
                "keep the damaged file and restore `state.db` from a backup; starting with an empty state \
                 forgets what was already sent, so compare with the target systems before the next run"
            }
            Self::Newer { .. } => {
                "use the newer release of Towpath that wrote it, or another folder with `--state DIR`"
            }
            Self::Permission { .. } => {
                "run as the user who owns the folder, or give this user read and write access to it"
            }
            Self::DiskFull { .. } => "free some space and run again: the run goes on from what the state holds",
            Self::Busy { .. } => {
                "wait for the other process, or find out why it holds the database for so long; then run again"
            }
            Self::NoWriteAheadLog { .. } => {
                "put the state on a local disk with `--state DIR`: network file systems do not work"
            }
            Self::Fenced { .. } => {
                "let the other run finish; `towpath runs list` shows it. This one was taken for dead because its heartbeat had stopped"
            }
            Self::NoSuchRun(_) => "`towpath runs list` shows the runs",
            Self::AmbiguousRun { .. } => "give more characters of the id",
            Self::Io { .. } | Self::Sqlite { .. } => {
                "check the disk and the folder, then run again: the run goes on from what the state holds"
            }
            Self::Unreachable { .. } => {
                "check that the PostgreSQL server runs and can be reached from here, then run again: the run goes on from \
                 what the state holds"
            }
            Self::Rights { .. } => {
                "check user and password of the address; the user needs the right to make the schema `towpath` in the \
                 database, or to use it and make tables in it"
            }
            Self::Server { .. } => {
                "check the PostgreSQL server and its log, then run again: the run goes on from what the state holds"
            }
            Self::Misuse(_) => "this is a bug in Towpath; please report it with the pipeline file",
        }
    }

    /// Sorts a failure of SQLite into the cases a person can act on.
    pub(crate) fn of_sqlite(path: PathBuf, action: &'static str, cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, action },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, action },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::Permission { path, action }
            }
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, detail: cause.to_string() },
            Some(ErrorCode::NotADatabase) => {
                Self::NotOurs { path, found: "it is not an SQLite database, or its first page is damaged".into() }
            }
            _ => Self::Sqlite { path, action, cause: Arc::new(cause) },
        }
    }

    fn of_server(path: PathBuf, action: &'static str, ServerFailure { loss, detail }: ServerFailure) -> Self {
        match loss {
            Loss::Connection => Self::Unreachable { path, action, detail, certain: true },
            Loss::Commit => Self::Unreachable { path, action, detail, certain: false },
            Loss::Rights => Self::Rights { path, action, detail },
            Loss::Full => Self::DiskFull { path, action },
            Loss::Busy => Self::Busy { path, action },
            Loss::Other => Self::Server { path, action, detail },
        }
    }

    pub(crate) fn of_io(path: PathBuf, action: &'static str, cause: std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { path, action }
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { path, action },
            _ => Self::Io { path, action, cause: Arc::new(cause) },
        }
    }

    /// Errors below the store do not know the file's name; the store fills it in on the way out.
    pub(crate) fn at(mut self, file: &std::path::Path) -> Self {
        match &mut self {
            Self::Corrupt { path, .. }
            | Self::NotOurs { path, .. }
            | Self::Newer { path, .. }
            | Self::DiskFull { path, .. }
            | Self::Busy { path, .. }
            | Self::Permission { path, .. }
            | Self::Unreachable { path, .. }
            | Self::Rights { path, .. }
            | Self::Server { path, .. }
            | Self::Sqlite { path, .. }
                if path.as_os_str().is_empty() =>
            {
                file.clone_into(path);
            }
            _ => {}
        }
        self
    }
}

/// Says what was being done when the database failed.
pub(crate) trait SqlResultExt<T> {
    fn doing(self, action: &'static str) -> Result<T>;
}

impl<T> SqlResultExt<T> for rusqlite::Result<T> {
    fn doing(self, action: &'static str) -> Result<T> {
        self.map_err(|cause| Error::of_sqlite(PathBuf::new(), action, cause))
    }
}

impl<T> SqlResultExt<T> for database::Result<T> {
    fn doing(self, action: &'static str) -> Result<T> {
        self.map_err(|failure| match failure {
            Failure::Sqlite(cause) => Error::of_sqlite(PathBuf::new(), action, cause),
            Failure::Server(failure) => Error::of_server(PathBuf::new(), action, failure),
        })
    }
}
