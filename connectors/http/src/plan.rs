//! A definition made ready to run: templates and paths parsed, defaults filled in, names resolved.

use crate::call::Call;
use crate::direct::Direct;
use crate::json_path::JsonPath;
use crate::limiter::Pace;
pub(crate) use crate::operation_plan::OperationPlan;
use crate::policy::Policy;
use crate::slices::RouterPlan;
use crate::template::{Slot, Template};
use crate::written::Written;
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Descriptor, Record, Setting};
use towpath_files::xml::Selector;
use towpath_spec::definition::Case;
use towpath_spec::{Schema, Type};

/// A connector ready to connect.
pub(crate) struct Api {
    pub(crate) descriptor: Descriptor,
    pub(crate) auth: Vec<AuthPlan>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) pace: Option<Pace>,
    pub(crate) concurrency: usize,
    pub(crate) timeout: Option<Duration>,
    /// A stream and its parameters.
    pub(crate) check: Option<(String, Record)>,
    pub(crate) streams: Vec<Arc<StreamPlan>>,
    pub(crate) operations: Vec<Arc<OperationPlan>>,
}

impl Api {
    pub(crate) fn stream(&self, name: &str) -> Option<&Arc<StreamPlan>> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Arc<OperationPlan>> {
        self.operations.iter().find(|operation| operation.info.name == name)
    }
}

/// A profile to be let in by, before there is a configuration.
pub(crate) struct AuthPlan {
    pub(crate) name: String,
    /// The settings it cannot do without.
    pub(crate) needs: Vec<String>,
    pub(crate) way: AuthWay,
}

/// A way to be let in.
pub(crate) enum AuthWay {
    None,
    Basic {
        username: Template,
        password: Template,
    },
    Bearer {
        token: Template,
    },
    Header {
        headers: Vec<(HeaderName, Template)>,
    },
    Query {
        params: Vec<(String, Template)>,
    },
    /// The first one whose settings are given.
    Choice {
        of: Vec<usize>,
    },
    Token {
        call: Box<Call>,
        spec: TokenPlan,
    },
}

/// How a token is got and used.
#[derive(Clone)]
pub(crate) struct TokenPlan {
    pub(crate) from: Option<JsonPath>,
    pub(crate) expiry_path: Option<JsonPath>,
    pub(crate) per_second: f64,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) header: HeaderName,
    pub(crate) scheme: String,
    pub(crate) settings: Vec<String>,
    pub(crate) refresh: Option<RefreshPlan>,
}

/// How a new token is got for an old one.
#[derive(Clone)]
pub(crate) struct RefreshPlan {
    pub(crate) call: Call,
    pub(crate) token: JsonPath,
    pub(crate) lifetime: Option<Duration>,
}

/// A parameter or a field with its default.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) setting: Setting,
    pub(crate) default: Option<Slot>,
    pub(crate) written: Written,
}

/// A stream.
#[derive(Clone)]
pub(crate) struct StreamPlan {
    pub(crate) name: String,
    pub(crate) call: Call,
    pub(crate) params: Vec<Given>,
    pub(crate) auth: Vec<usize>,
    pub(crate) records: RecordsPlan,
    /// Its own columns.
    pub(crate) columns: Vec<ColumnPlan>,
    /// All columns: those a router puts before its own, too.
    pub(crate) schema: Schema,
    /// Columns that name a record.
    pub(crate) key: Vec<String>,
    pub(crate) pager: Option<PagerPlan>,
    pub(crate) router: Option<RouterPlan>,
    pub(crate) incremental: Option<IncrementalPlan>,
    pub(crate) policy: Policy,
    /// How pages are read straight into columns, when they can be.
    pub(crate) direct: Option<Arc<Direct>>,
}

/// Where records are.
#[derive(Clone)]
pub(crate) enum RecordsPlan {
    Json {
        path: Option<JsonPath>,
        /// The field a value that is no object becomes.
        value: Option<String>,
        /// Whether an answer without the place of the records has none.
        may_be_missing: bool,
    },
    Xml(Arc<Selector>),
    Csv {
        delimiter: u8,
        skip_lines: usize,
        /// What the header must have: what columns are read from.
        headers: Vec<String>,
    },
    /// The column the text is.
    Text {
        value: String,
    },
    File,
}

/// A column.
#[derive(Clone)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) from: ColumnFrom,
    pub(crate) nulls: Vec<String>,
    pub(crate) trim: bool,
    pub(crate) formats: Vec<String>,
    pub(crate) zone: chrono_tz::Tz,
    pub(crate) case: Option<Case>,
    /// What stands between the items of a list that is one text.
    pub(crate) split: Option<String>,
    pub(crate) yes: Vec<String>,
    pub(crate) no: Vec<String>,
}

/// Where a column stands in a record.
#[derive(Debug, Clone)]
pub(crate) enum ColumnFrom {
    /// The member of this name.
    Member(String),
    Path(JsonPath),
}

/// How pages follow each other.
#[derive(Debug, Clone)]
pub(crate) struct PagerPlan {
    pub(crate) kind: PagerKind,
    pub(crate) size: Option<u64>,
    pub(crate) total: Option<JsonPath>,
    pub(crate) stop_when_short: bool,
    /// Query parameters that are taken out of the URL of a next page: credentials, which are added anew.
    pub(crate) credentials: Vec<String>,
}

/// See [`towpath_spec::definition::PaginatorKind`].
#[derive(Debug, Clone)]
pub(crate) enum PagerKind {
    Page { first: i64, last: Option<JsonPath> },
    Offset { first: i64 },
    Key { from: JsonPath },
    Next { from: JsonPath },
    Link,
    Max,
}

/// How only what is new is read.
#[derive(Clone)]
pub(crate) struct IncrementalPlan {
    pub(crate) start: String,
    pub(crate) format: String,
    pub(crate) precision: towpath_spec::definition::Precision,
    pub(crate) lookback: chrono::TimeDelta,
    /// The parameter that takes where a window ends; without it there are no windows.
    pub(crate) end: Option<String>,
    pub(crate) step: Option<chrono::TimeDelta>,
    pub(crate) overlap: chrono::TimeDelta,
    pub(crate) earliest: Option<chrono::DateTime<chrono::Utc>>,
}
