//! SQLite: a database in a file.
//!
//! Names are always quoted. Types SQLite does not have are declared by names of their own, so that they are read back as what
//! they were (see [`types`]). The file's journal mode and everything else about it is left as it is.

mod look;
mod sink;
mod source;
mod turn;
mod types;

use crate::table::{self, Target};
use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{
    Connect, Connector, Described, Descriptor, Error, Kind, Lookup, Problem, Reader, Result, Setting, Settings, Sink,
    SinkAsk, Source, SourceAsk, TableLook, Writer,
};
use towpath_spec::Type;

/// How long another's lock on the file is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connector.
pub(crate) struct Sqlite {
    descriptor: Descriptor,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        let descriptor = Descriptor {
            name: "sqlite".to_owned(),
            doc: "A database in a file, read and written with SQLite. Rows of a run go into a table in one transaction: all \
                  of them, or none."
                .to_owned(),
            kind: Kind::Database,
            settings: vec![
                Setting::new(
                    "path",
                    Type::Text,
                    "The file, from the project's folder, or the pipeline's own without a project; a sink makes it when it \
                     is not there.",
                )
                .required(),
            ],
            source_settings: vec![
                Setting::new("table", Type::Text, "The table or view to read; this or `query`."),
                Setting::new("query", Type::Text, "A SELECT whose rows are read; this or `table`."),
            ],
            sink_settings: table::settings(),
            streams: Vec::new(),
            operations: Vec::new(),
            logins: Vec::new(),
            reads: true,
            writes: true,
        };
        Self { descriptor }
    }
}

/// The file of a connection; `None` when it is not known yet.
fn file(settings: &Settings, base: &Path) -> Option<PathBuf> {
    settings
        .text("path")
        .filter(|path| !path.trim().is_empty())
        .map(|path| base.join(path).components().filter(|part| *part != Component::CurDir).collect())
}

/// An error of SQLite, with what was being done.
fn failed(what: impl std::fmt::Display, error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let message = format!("{what}: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::passing(message).help("another program is writing to the file")
        }
        Some(ErrorCode::DiskFull) => Error::machine(message).help("free some space on that disk, then run again"),
        Some(ErrorCode::NotADatabase) => Error::user(message).help("check `path` of the connection"),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            Error::user(message).help("check `path` of the connection and the permissions of its folder")
        }
        Some(ErrorCode::ConstraintViolation) => Error::data(message),
        _ => Error::user(message),
    }
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A path as it stands in a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Opens a file that is there, for reading only.
fn open_to_read(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        let message = format!("there is no file {}", path.display());
        return Err(Error::user(message).help("check `path` of the connection"));
    }
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| failed(path.display(), &error))?;
    connection.busy_timeout(PATIENCE).map_err(|error| failed(path.display(), &error))?;
    Ok(connection)
}

impl Connector for Sqlite {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Vec<Problem>> {
        source::Wanted::read(ask.settings)?;
        let Some(path) = file(ask.connection, ask.base) else { return Ok(Described::default()) };
        if !path.exists() {
            let warning = Problem::with("table", format!("no such file yet: {}", path.display()))
                .help("its columns are known once it is there, or when `columns` declares them");
            return Ok(Described { schema: source::declared(ask.columns), warnings: vec![warning] });
        }
        let schema = source::describe(&path, ask)
            .map_err(|error| vec![Problem { setting: None, message: error.message, help: error.help }])?;
        Ok(Described { schema: Some(schema), warnings: Vec::new() })
    }

    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Vec<Problem>> {
        Target::read(ask.settings, ask.schema).map(drop)
    }

    fn reader(&self, connect: &Connect) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(Handle { path: file(&connect.settings, &connect.base).ok_or_else(no_path)? }))
    }

    fn writer(&self, connect: &Connect) -> Result<Arc<dyn Writer>> {
        Ok(Arc::new(Handle { path: file(&connect.settings, &connect.base).ok_or_else(no_path)? }))
    }
}

fn no_path() -> Error {
    Error::user("the connection has no `path`").help("write `path: FILE`")
}

/// A connection: the file is opened by what reads or writes it.
struct Handle {
    path: PathBuf,
}

impl Handle {
    fn table(&self, ask: &SinkAsk<'_>) -> Result<sink::SqliteTable> {
        let target = Target::read(ask.settings, ask.schema).map_err(|problems| {
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            Error::user(messages.join("; "))
        })?;
        Ok(sink::SqliteTable::new(self.path.clone(), target))
    }
}

#[async_trait]
impl Reader for Handle {
    async fn check(&self) -> Result<()> {
        open_to_read(&self.path)
            .and_then(|connection| {
                let looked = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
                looked.map_err(|error| failed(self.path.display(), &error))
            })
            .map(drop)
    }

    fn source(&self, ask: &SourceAsk<'_>, _: Option<&serde_json::Value>) -> Result<Source> {
        source::source(&self.path, ask)
    }

    fn lookup(&self, _: &str) -> Result<Arc<dyn Lookup>> {
        Err(Error::user("connector `sqlite` has nothing to look up")
            .help("read the table as a source and use the step `join`"))
    }
}

#[async_trait]
impl Writer for Handle {
    async fn check(&self) -> Result<()> {
        match self.path.exists() {
            true => Reader::check(self).await,
            // A run makes the file.
            false => Ok(()),
        }
    }

    fn target(&self) -> String {
        self.path.display().to_string()
    }

    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink> {
        Ok(Sink::Table(Box::new(self.table(ask)?)))
    }

    fn look(&self, ask: &SinkAsk<'_>) -> Result<Option<Box<dyn TableLook>>> {
        let Some(schema) = ask.schema else { return Ok(None) };
        Ok(Some(Box::new(look::SqliteLook::open(self.table(ask)?, schema)?)))
    }
}
