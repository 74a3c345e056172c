//! What a connector says of itself, without I/O.

use crate::settings::{Setting, Settings};
use crate::{MASK, Record};
use std::path::Path;
use towpath_spec::{Field, Schema};

/// What a connector is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Local files.
    Files,
    /// A SaaS system.
    Api,
    /// A database or warehouse.
    Database,
}

/// A connector's page.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// Its name in `connector:`.
    pub name: String,
    /// What it is, in one or more sentences.
    pub doc: String,
    /// What it is about.
    pub kind: Kind,
    /// Settings of a connection.
    pub settings: Vec<Setting>,
    /// Keys a source of this connector takes beside the language's own, whatever the stream.
    pub source_settings: Vec<Setting>,
    /// Keys a sink of this connector takes beside the language's own, whatever the operation.
    pub sink_settings: Vec<Setting>,
    /// What can be read; empty when sources are not told apart by `stream:`.
    pub streams: Vec<StreamInfo>,
    /// What can be written; empty when sinks are not told apart by `operation:`.
    pub operations: Vec<OperationInfo>,
    /// How it logs in: name and description of each way, for SaaS systems.
    pub logins: Vec<(String, String)>,
    /// Whether it has sources at all.
    pub reads: bool,
    /// Whether it has sinks at all.
    pub writes: bool,
}

impl Descriptor {
    /// A stream by name.
    pub fn stream(&self, name: &str) -> Option<&StreamInfo> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// The settings of a source: those of every source, then the parameters of its stream.
    pub fn settings_of_source(&self, stream: Option<&str>) -> Vec<&Setting> {
        let params = stream.and_then(|name| self.stream(name)).into_iter().flat_map(|stream| &stream.params);
        self.source_settings.iter().chain(params).collect()
    }

    /// An operation by name.
    pub fn operation(&self, name: &str) -> Option<&OperationInfo> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}

/// Something that can be read, as a source or as a lookup.
#[derive(Debug, Clone)]
pub struct StreamInfo {
    /// Its name.
    pub name: String,
    /// What it gives.
    pub doc: String,
    /// The request in short, e.g. `GET /api/users`; empty for files.
    pub request: String,
    /// Its parameters, given in `with:`.
    pub params: Vec<Setting>,
    /// The columns of its records.
    pub schema: Schema,
    /// What each of the columns holds, in their order.
    pub column_docs: Vec<String>,
    /// How it comes in pages, if it does.
    pub pages: Option<String>,
    /// The logins its calls are let in with.
    pub logins: Vec<String>,
    /// Columns that name a record.
    pub key: Vec<String>,
    /// How it can be read incrementally, if it can.
    pub cursor: Option<CursorInfo>,
    /// Where these facts come from.
    pub source: String,
}

/// How a stream is read incrementally.
#[derive(Debug, Clone)]
pub struct CursorInfo {
    /// What moves: a column, or the time of the request.
    pub doc: String,
    /// How far before the last cursor to read again when the pipeline does not say, as an ISO 8601 duration.
    pub lookback: String,
}

/// What an operation does to the other system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// Makes something new each time it is called.
    Create,
    /// Changes something that exists.
    Update,
    /// Makes or changes, by a key.
    Upsert,
    /// Removes or archives.
    Delete,
    /// Puts things into relation, starts something, and the like.
    Action,
    /// Moves a file.
    File,
}

/// Something that can be written.
#[derive(Debug, Clone)]
pub struct OperationInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub doc: String,
    /// What it does to the other system.
    pub kind: OperationKind,
    /// The request in short, e.g. `POST /api/users`.
    pub request: String,
    /// The fields of its record.
    pub fields: Vec<Setting>,
    /// The fields of its answer, to be read from `NAME.results`.
    pub results: Schema,
    /// What each of those fields is, in their order.
    pub result_docs: Vec<String>,
    /// The logins its calls are let in with.
    pub logins: Vec<String>,
    /// Whether sending the same record twice does no harm.
    pub idempotent: bool,
    /// Whether people get mail from it.
    pub sends_email: bool,
    /// How many records a call takes at the most.
    pub batch: usize,
    /// Whether it can be found out if a record of unknown outcome was written.
    pub verifies: bool,
    /// Where these facts come from.
    pub source: String,
}

impl OperationInfo {
    /// The names of fields that must never be printed.
    pub fn secret_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|field| field.secret).map(|field| field.name.as_str())
    }

    /// A record as it may be shown: without what is in its secret fields.
    pub fn masked(&self, record: &Record) -> Record {
        let mut shown = record.clone();
        for name in self.secret_fields() {
            if let Some(value) = shown.get_mut(name).filter(|value| !value.is_null()) {
                *value = MASK.into();
            }
        }
        shown
    }
}

/// What a source asks of a connector, as far as it is known.
#[derive(Debug, Clone)]
pub struct SourceAsk<'a> {
    /// The stream, for connectors that have several.
    pub stream: Option<&'a str>,
    /// Settings of the connection.
    pub connection: &'a Settings,
    /// Settings of the source itself and parameters of the stream.
    pub settings: &'a Settings,
    /// Columns the pipeline declares.
    pub columns: &'a [Field],
    /// The folder relative paths start from.
    pub base: &'a Path,
}

/// What a sink asks of a connector, as far as it is known.
#[derive(Debug, Clone)]
pub struct SinkAsk<'a> {
    /// The operation, for connectors that have several.
    pub operation: Option<&'a str>,
    /// Settings of the connection.
    pub connection: &'a Settings,
    /// Settings of the sink itself.
    pub settings: &'a Settings,
    /// The columns that arrive, when they are known.
    pub schema: Option<&'a Schema>,
    /// The folder relative paths start from.
    pub base: &'a Path,
}

/// What a connector knows of a source before it runs.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Its columns; `None` when they are known only in the run.
    pub schema: Option<Schema>,
    /// What is odd but not wrong, e.g. a file that is not there yet.
    pub warnings: Vec<Problem>,
}

/// Something wrong with a setting.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The setting it is about; the node as a whole when none.
    pub setting: Option<String>,
    /// What is wrong: lower case, no final period, says found and expected.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with a setting.
    pub fn with(setting: &str, message: impl Into<String>) -> Self {
        Self { setting: Some(setting.to_owned()), message: message.into(), help: None }
    }

    /// Adds how to mend it; an empty sentence is none.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into()).filter(|help| !help.trim().is_empty());
        self
    }
}
