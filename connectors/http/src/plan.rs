//! A definition made ready to run: templates and paths parsed, defaults filled in, names resolved.

use crate::call::Call;
use crate::json_path::JsonPath;
use crate::limiter::Pace;
use crate::policy::Policy;
use crate::template::{Slot, Template};
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Descriptor, OperationInfo, Record, Setting};
use towpath_files::xml::Selector;
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

/// A way to log in, before there is a configuration.
pub(crate) enum AuthPlan {
    None,
    Basic { username: Template, password: Template },
    Bearer { token: Template },
    Header { headers: Vec<(HeaderName, Template)> },
    Token { name: String, call: Box<Call>, spec: TokenPlan },
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
}

/// A parameter or a field with its default.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) setting: Setting,
    pub(crate) default: Option<Slot>,
}

/// A stream.
#[derive(Clone)]
pub(crate) struct StreamPlan {
    pub(crate) name: String,
    pub(crate) call: Call,
    pub(crate) params: Vec<Given>,
    pub(crate) auth: Vec<usize>,
    pub(crate) records: RecordsPlan,
    pub(crate) columns: Vec<ColumnPlan>,
    pub(crate) schema: Schema,
    pub(crate) pager: Option<PagerPlan>,
    pub(crate) incremental: Option<IncrementalPlan>,
    pub(crate) policy: Policy,
}

/// Where records are.
#[derive(Clone)]
pub(crate) enum RecordsPlan {
    Json {
        path: Option<JsonPath>,
        /// The field a value that is no object becomes.
        value: Option<String>,
    },
    Xml(Arc<Selector>),
}

/// A column.
#[derive(Clone)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Where in a JSON record; the member of its name when none.
    pub(crate) from: Option<JsonPath>,
    pub(crate) nulls: Vec<String>,
    pub(crate) trim: bool,
    pub(crate) formats: Vec<String>,
    pub(crate) zone: chrono_tz::Tz,
}

/// How pages follow each other.
#[derive(Debug, Clone)]
pub(crate) struct PagerPlan {
    pub(crate) kind: PagerKind,
    pub(crate) size: Option<u64>,
    pub(crate) total: Option<JsonPath>,
    pub(crate) stop_when_short: bool,
}

/// See [`towpath_spec::definition::PaginatorKind`].
#[derive(Debug, Clone)]
pub(crate) enum PagerKind {
    Page { first: i64, last: Option<JsonPath> },
    Offset { first: i64 },
    Key { from: JsonPath },
    Next { from: JsonPath },
    Link,
}

/// How only what is new is read.
#[derive(Clone)]
pub(crate) struct IncrementalPlan {
    pub(crate) start: String,
    pub(crate) format: String,
    pub(crate) precision: towpath_spec::definition::Precision,
    pub(crate) lookback: chrono::TimeDelta,
}

/// An operation.
#[derive(Clone)]
pub(crate) struct OperationPlan {
    pub(crate) info: OperationInfo,
    pub(crate) call: Call,
    pub(crate) fields: Vec<Given>,
    pub(crate) auth: Vec<usize>,
    pub(crate) policy: Policy,
    pub(crate) results: Vec<(String, Type, JsonPath)>,
}
