//! The pipeline and project documents.
//!
//! These are what was written, decoded and checked for shape: names are not resolved, templates not parsed.

use super::reshape::{AsofDoc, Cardinality, PivotDoc, SortKey, SqlDoc, UnpivotDoc, WindowDoc};
use super::tree::{Map, Tree};
use crate::source_text::{FileId, Span, Text};
use crate::types::Type;

/// `towpath.yaml`: what the pipelines of a folder share.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// The file.
    pub file: FileId,
    /// The project's name.
    pub name: Text,
    /// Where state is kept: a folder or a URI. A template over `env`.
    pub state: Option<Text>,
    /// Connections every pipeline may use.
    pub connections: Vec<ConnectionDoc>,
    /// Named sets of overrides.
    pub environments: Vec<Environment>,
    /// Parameters every pipeline has.
    pub params: Vec<ParamDoc>,
}

/// Overrides for one environment, chosen with `--env`.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Its name.
    pub name: Text,
    /// State in the place of the project's.
    pub state: Option<Text>,
    /// Connections in the place of those of the same name; settings given here are laid over the shared ones.
    pub connections: Vec<ConnectionDoc>,
    /// Values of parameters.
    pub params: Vec<(Text, Tree)>,
}

/// A pipeline file.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    /// The file.
    pub file: FileId,
    /// The pipeline's name.
    pub name: Text,
    /// What it is for.
    pub description: Option<Text>,
    /// Parameters.
    pub params: Vec<ParamDoc>,
    /// Connections.
    pub connections: Vec<ConnectionDoc>,
    /// Sources in the order written.
    pub sources: Vec<SourceDoc>,
    /// Transforms in the order written.
    pub transforms: Vec<TransformDoc>,
    /// Sinks in the order written.
    pub sinks: Vec<SinkDoc>,
    /// Limits of a run.
    pub limits: LimitsDoc,
    /// The pipeline's own tests, read when they are run.
    pub tests: Option<Tree>,
    /// Names of nodes that were written but could not be read: whoever names one of them is not wrong.
    pub unreadable: Vec<Text>,
}

/// Limits of a run.
#[derive(Debug, Clone, Default)]
pub struct LimitsDoc {
    /// Bytes of memory blocking steps may use.
    pub memory: Option<u64>,
    /// Branches that run side by side.
    pub concurrency: Option<u64>,
    /// Times one request is tried again for a passing reason.
    pub retries: Option<u64>,
}

/// A parameter: `name: {type: text, default: acme}`, or `name: acme`.
#[derive(Debug, Clone)]
pub struct ParamDoc {
    /// Its name.
    pub name: Text,
    /// Its type; that of the default when none is written.
    pub ty: Type,
    /// Its value when none is given.
    pub default: Option<Tree>,
    /// What it is for.
    pub description: Option<Text>,
}

/// A connection: a connector with settings.
#[derive(Debug, Clone)]
pub struct ConnectionDoc {
    /// Its name.
    pub name: Text,
    /// The connector's name; `None` only in an environment's override.
    pub connector: Option<Text>,
    /// Everything else that was written.
    pub settings: Map,
    /// The whole entry.
    pub span: Span,
}

/// What a source, sink or lookup talks to.
#[derive(Debug, Clone)]
pub enum Target {
    /// `connection: NAME`.
    Connection(Text),
    /// `connector: NAME`, written in place; its settings are among the node's own.
    Connector(Text),
}

impl Target {
    /// The name written, of either kind.
    pub fn name(&self) -> &Text {
        match self {
            Self::Connection(name) | Self::Connector(name) => name,
        }
    }
}

/// `incremental:` of a source.
#[derive(Debug, Clone, Default)]
pub struct IncrementalDoc {
    /// The cursor field, when it is not the stream's own.
    pub cursor: Option<Text>,
    /// How far before the last cursor to read again, as an ISO 8601 duration.
    pub lookback: Option<Text>,
    /// Where the first run starts.
    pub start: Option<Tree>,
    /// Where it was written.
    pub span: Span,
}

/// A node that brings data in.
#[derive(Debug, Clone)]
pub struct SourceDoc {
    /// The node's name.
    pub name: Text,
    /// What it reads from.
    pub target: Target,
    /// The stream, for connectors that have several.
    pub stream: Option<Text>,
    /// The stream's parameters: templates over `env`, `secret`, `params`, `run`, `state`.
    pub with: Map,
    /// Reads only what is new.
    pub incremental: Option<IncrementalDoc>,
    /// Declared columns.
    pub columns: Vec<(Text, Type)>,
    /// Everything else that was written: settings of the connector or of the stream.
    pub settings: Map,
    /// The whole entry.
    pub span: Span,
}

/// A node that changes data.
#[derive(Debug, Clone)]
pub struct TransformDoc {
    /// The node's name.
    pub name: Text,
    /// The node it reads.
    pub input: Text,
    /// Its steps in order.
    pub steps: Vec<StepDoc>,
    /// The whole entry.
    pub span: Span,
}

/// One step of a transform.
#[derive(Debug, Clone)]
pub struct StepDoc {
    /// What it does.
    pub kind: StepKind,
    /// Where its key stands.
    pub span: Span,
}

/// The steps. **E** is a bare expression, **T** a template.
#[derive(Debug, Clone)]
pub enum StepKind {
    /// Keeps rows for which E is true.
    Filter(Text),
    /// Exactly these columns come out: name and T (or a literal).
    Map(Vec<(Text, Tree)>),
    /// Adds or overwrites columns: name and T (or a literal).
    Set(Vec<(Text, Tree)>),
    /// Keeps columns by name or glob.
    Select(Vec<Text>),
    /// Drops columns by name or glob.
    Drop(Vec<Text>),
    /// Old name, new name.
    Rename(Vec<(Text, Text)>),
    /// Strict conversion of columns.
    Cast(Vec<(Text, Type)>),
    /// Joins another node.
    Join(JoinDoc),
    /// Appends other nodes by column name.
    Union(Vec<Text>),
    /// Groups and aggregates.
    Aggregate {
        /// Columns to group by; none gives one row.
        by: Vec<Text>,
        /// Output column and E.
        values: Vec<(Text, Text)>,
    },
    /// Columns over the rows of a group, every row kept.
    Window(WindowDoc),
    /// Codes become columns.
    Pivot(PivotDoc),
    /// Columns become rows.
    Unpivot(UnpivotDoc),
    /// A query.
    Sql(SqlDoc),
    /// Keeps one row per key.
    Distinct {
        /// The key; all columns when empty.
        on: Vec<Text>,
        /// Which row stays.
        keep: Keep,
        /// In which order first and last are meant.
        order_by: Vec<SortKey>,
    },
    /// Sorts.
    Sort(Vec<SortKey>),
    /// Keeps the first n rows.
    Limit(u64),
    /// One row per item of a list column.
    Explode(Text),
    /// A struct column's fields become columns.
    Unnest(Text),
    /// Asks a stream for each distinct set of parameters.
    Lookup(LookupDoc),
    /// Data quality.
    Check(Vec<CheckDoc>),
}

/// Which of several rows stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

/// Kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JoinHow {
    /// Every row of the input, with null where nothing matches.
    #[default]
    Left,
    /// Only rows that match.
    Inner,
    /// All rows of both.
    Full,
    /// Rows of the input that match.
    Semi,
    /// Rows of the input that match nothing.
    Anti,
    /// Every pair.
    Cross,
    /// Every row of the input, with the nearest row of the other node in time.
    Asof,
}

/// `join:`.
#[derive(Debug, Clone)]
pub struct JoinDoc {
    /// The other node.
    pub with: Text,
    /// Column of the input, column of the other node.
    pub on: Vec<(Text, Text)>,
    /// Kind of join.
    pub how: JoinHow,
    /// Appended to columns of the other node whose names the input has; `_right` when not written.
    pub suffix: Option<Text>,
    /// What is near, for an as-of join.
    pub asof: Option<AsofDoc>,
    /// How often a key may be there.
    pub validate: Option<Cardinality>,
}

/// What a lookup does when nothing is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// The row becomes a reject.
    #[default]
    Reject,
    /// The taken columns are null.
    Null,
    /// The run fails.
    Fail,
}

/// `lookup:`.
#[derive(Debug, Clone)]
pub struct LookupDoc {
    /// What it asks.
    pub target: Target,
    /// The stream.
    pub stream: Text,
    /// Parameters: name and T over the row.
    pub with: Vec<(Text, Tree)>,
    /// E over the row and `record`: which of the answer's records counts; the first one when not written.
    pub matching: Option<Text>,
    /// New column and the field of the record it takes.
    pub take: Vec<(Text, Text)>,
    /// What to do when nothing is found.
    pub missing: Missing,
    /// Whether answers are kept for the whole run.
    pub cache: bool,
    /// Requests at a time.
    pub concurrency: Option<u64>,
}

/// What a failed check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckElse {
    /// The row becomes a reject.
    #[default]
    Reject,
    /// Counted and logged.
    Warn,
    /// The run fails.
    Fail,
}

/// One check.
#[derive(Debug, Clone)]
pub struct CheckDoc {
    /// Its name.
    pub name: Text,
    /// E that must be true.
    pub expect: Text,
    /// What happens otherwise.
    pub otherwise: CheckElse,
}

/// A limit on rejects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRejects {
    /// At most so many.
    Rows(u64),
    /// At most so many in a hundred.
    Percent(f64),
}

/// What happens when a remote system refuses a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The record becomes a reject.
    #[default]
    Reject,
    /// The run fails.
    Fail,
}

/// A rate: so many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests.
    pub requests: f64,
    /// Seconds.
    pub per_seconds: f64,
}

/// A node that takes data out.
#[derive(Debug, Clone)]
pub struct SinkDoc {
    /// The node's name.
    pub name: Text,
    /// The node it reads.
    pub input: Text,
    /// What it writes to.
    pub target: Target,
    /// The operation, for API connectors.
    pub operation: Option<Text>,
    /// The columns that name a record.
    pub key: Vec<Text>,
    /// What is sent: a tree with templates over the row. The row itself when not written.
    pub record: Option<Tree>,
    /// Requests at a time.
    pub concurrency: Option<u64>,
    /// Requests per time.
    pub rate: Option<Rate>,
    /// What a refusal does, when that is written.
    pub on_error: Option<OnError>,
    /// Above this the run ends with exit code 3.
    pub max_rejects: Option<MaxRejects>,
    /// Everything else that was written: settings of the connector or of its sink.
    pub settings: Map,
    /// The whole entry.
    pub span: Span,
}
