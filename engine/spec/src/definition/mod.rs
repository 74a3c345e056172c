//! The `connector:` document: a SaaS system described in YAML, with no Rust.
//!
//! What stands here is the document as written, decoded and checked for shape: keys, types, one-of choices. Templates and
//! JSONPaths are text with a place; the runtime that carries definitions out parses them and reports at that place what is
//! wrong with them. Words are Airbyte's where the meaning is the same.
//!
//! Room for more is in the choices, not in flags: a new way to log in, to page, to send a body or to read an answer is one
//! more variant of [`AuthKind`], [`PaginatorKind`], [`BodyDoc`] or [`Format`], and no existing definition changes.

mod auth;
mod batch;
mod column;
mod composed;
mod decode;
mod operation;
mod paginator;
mod policy;
mod request;
mod router;
mod setting;
mod stream;
mod test;

pub use auth::{AuthDoc, AuthKind, ExpiryDoc, ExpiryUnit, RefreshDoc, TokenDoc, TokenFrom};
pub use batch::{AnswerFormat, BatchDoc, EchoDoc, ErrorColumn, ItemsBy, ItemsDoc, ResponseDoc};
pub use column::{Case, ColumnDoc, ColumnRules};
pub use composed::{FindDoc, Many, StepDoc, UpsertDoc, VerifyDoc};
pub use decode::decode_definition;
pub use operation::{HowDoc, OperationDoc, ResultDoc, WriteKind};
pub use paginator::{PaginatorDoc, PaginatorKind};
pub use policy::{AbsentDoc, ErrorHandlerDoc, ResponseAction, ResponseFilterDoc, SuccessDoc};
pub use request::{BodyDoc, CsvDoc, CsvValue, FileFrom, PartDoc, PartValue, RequestDoc};
pub use router::{RouterDoc, RouterOver};
pub use setting::{SettingDoc, WrittenDoc};
pub use stream::{Format, IncrementalBy, IncrementalStreamDoc, MissingRecords, Precision, SelectorDoc, StreamDoc};
pub use test::{ExchangeDoc, TestAction, TestDoc, TestExpected};

use crate::document::{Rate, Tree};
use crate::source_text::{FileId, Text};

/// A connector definition.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// The file.
    pub file: FileId,
    /// The connector's name.
    pub name: Text,
    /// What system it is.
    pub description: Option<Text>,
    /// Where its facts come from, when one source holds for all.
    pub source: Option<Text>,
    /// Settings of a connection.
    pub config: Vec<SettingDoc>,
    /// Ways to log in.
    pub auth: Vec<AuthDoc>,
    /// What holds for every stream and operation that does not say otherwise.
    pub defaults: DefaultsDoc,
    /// What `towpath check` asks.
    pub check: Option<CheckDoc>,
    /// What can be read.
    pub streams: Vec<StreamDoc>,
    /// What can be written.
    pub operations: Vec<OperationDoc>,
    /// Its own tests.
    pub tests: Vec<TestDoc>,
}

/// What holds for every stream and operation that does not say otherwise.
#[derive(Debug, Clone, Default)]
pub struct DefaultsDoc {
    /// Names of the auth profiles of a call.
    pub auth: Vec<Text>,
    /// Templates over `config` by header name.
    pub headers: Vec<(Text, Text)>,
    /// Requests per time to one host.
    pub rate: Option<Rate>,
    /// Requests at a time to one host.
    pub concurrency: Option<u64>,
    /// Seconds without a byte after which an answer is given up.
    pub timeout: Option<u64>,
    /// JSONPaths, tried in order, to the vendor's words in a refusal.
    pub error_message: Vec<Text>,
    /// What answers mean.
    pub error_handler: ErrorHandlerDoc,
    /// How text becomes values.
    pub columns: ColumnRules,
}

/// `check: STREAM`, or `check: {stream: …, with: {…}}`: a cheap read that needs the credentials.
#[derive(Debug, Clone)]
pub struct CheckDoc {
    /// The stream.
    pub stream: Text,
    /// Its parameters; defaults for the rest.
    pub with: Vec<(Text, Tree)>,
}
