//! The plan: what a run carries out.

use crate::plan_steps::{AsofPlan, PivotPlan, SqlPlan, UnpivotPlan, WindowPlan};
use crate::settings::SettingTemplate;
use std::path::PathBuf;
use towpath_connector::OperationKind;
use towpath_mapping::{Aggregate, Compiled, OrderBy, Value};
use towpath_spec::document::{Cardinality, CheckElse, JoinHow, Keep, MaxRejects, Missing, OnError, Rate};
use towpath_spec::{Diagnostic, Field, Schema, Span, Text, Type};

/// A checked pipeline.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// What it is for.
    pub description: Option<String>,
    /// The environment it was planned for; empty when none was chosen.
    pub environment: String,
    /// The folder relative paths start from.
    pub base: PathBuf,
    /// Where the project wants its state; the default place when none.
    pub state: Option<Text>,
    /// The parameters.
    pub params: Vec<Param>,
    /// The connections its nodes use, those written in place among them.
    pub connections: Vec<Connection>,
    /// The nodes, each behind those it reads.
    pub nodes: Vec<Node>,
    /// Limits of the run.
    pub limits: Limits,
    /// Why it cannot be run as things are, though it is valid: a file that is not there, a parameter without a value.
    pub blocked: Vec<Diagnostic>,
}

/// Limits of a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Times one request is tried again for a passing reason.
    pub retries: u32,
    /// Bytes blocking steps may use; `None`: the machine's.
    pub memory: Option<u64>,
    /// Sinks that are carried out side by side; `None`: all of them.
    pub concurrency: Option<usize>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Name and type.
    pub field: Field,
    /// Its value; `None` when none is given and it has no default.
    pub value: Option<Value>,
}

/// A connector with settings.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name; for one written in place, the node's.
    pub name: String,
    /// The connector.
    pub connector: String,
    /// Its settings, templates not yet filled in.
    pub settings: Vec<SettingTemplate>,
    /// Where it is written.
    pub span: Span,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub kind: NodeKind,
    /// The columns that come out of it; `None` when they are not known yet, and for sinks.
    pub schema: Option<Schema>,
    /// How many nodes read its rows.
    pub readers: usize,
    /// Whether a node reads its rejects.
    pub rejects_read: bool,
    /// Whether a node reads its results.
    pub results_read: bool,
}

/// The kinds of node.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Brings data in.
    Source(SourceNode),
    /// Changes data.
    Transform(TransformNode),
    /// Takes data out.
    Sink(SinkNode),
}

impl NodeKind {
    /// `source`, `transform` or `sink`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::Transform(_) => "transform",
            Self::Sink(_) => "sink",
        }
    }
}

/// One of a node's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// Its rows.
    Rows,
    /// `NAME.rejects`.
    Rejects,
    /// `NAME.results`, of API sinks.
    Results,
}

/// A node's output that another node reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Port {
    /// Index of the node in [`Plan::nodes`].
    pub node: usize,
    /// Which output.
    pub output: Output,
}

/// A source.
#[derive(Debug, Clone)]
pub struct SourceNode {
    /// Index in [`Plan::connections`].
    pub connection: usize,
    /// The stream, for connectors that have several.
    pub stream: Option<String>,
    /// Settings of the source and parameters of the stream.
    pub settings: Vec<SettingTemplate>,
    /// Columns the pipeline declares.
    pub columns: Vec<Field>,
    /// Reads only what is new.
    pub incremental: Option<Incremental>,
}

/// How a source is read incrementally.
#[derive(Debug, Clone)]
pub struct Incremental {
    /// How far before the last cursor to read again, as an ISO 8601 duration.
    pub lookback: String,
    /// Where the first run starts.
    pub start: Option<SettingTemplate>,
}

/// A transform.
#[derive(Debug, Clone)]
pub struct TransformNode {
    /// What it reads.
    pub input: Port,
    /// The columns it reads, when known.
    pub input_schema: Option<Schema>,
    /// Its steps; fewer than written when the columns are not known.
    pub steps: Vec<Step>,
}

/// A step with the columns before and after it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its place among the written steps, from 0.
    pub index: usize,
    /// Its key.
    pub name: &'static str,
    /// What it does.
    pub plan: StepPlan,
    /// The columns that go in.
    pub input: Schema,
    /// The columns that come out.
    pub output: Schema,
}

/// A column and what fills it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What fills it.
    pub value: Compiled,
}

/// A data quality check.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What must be true.
    pub expect: Compiled,
    /// What happens otherwise.
    pub otherwise: CheckElse,
}

/// The steps, with all names resolved.
#[derive(Debug, Clone)]
pub enum StepPlan {
    /// Keeps rows for which it is true.
    Filter(Compiled),
    /// Exactly these columns come out.
    Map(Vec<Column>),
    /// Columns added or overwritten.
    Set(Vec<Column>),
    /// The columns that stay (`select` and `drop`).
    Select(Vec<String>),
    /// Old and new names.
    Rename(Vec<(String, String)>),
    /// Strict conversions.
    Cast(Vec<Column>),
    /// A struct column's fields become columns.
    Unnest(String),
    /// One row per item of a list column.
    Explode(String),
    /// Data quality.
    Check(Vec<Check>),
    /// The first rows.
    Limit(u64),
    /// Another node joined.
    Join(JoinPlan),
    /// Other nodes appended.
    Union(Vec<Port>),
    /// Groups and aggregates.
    Aggregate {
        /// Columns to group by.
        by: Vec<String>,
        /// Output columns.
        values: Vec<(String, Aggregate)>,
    },
    /// One row per key.
    Distinct {
        /// The key.
        on: Vec<String>,
        /// Which row stays.
        keep: Keep,
        /// In which order.
        order_by: Vec<OrderBy>,
    },
    /// Sorted.
    Sort(Vec<OrderBy>),
    /// Columns over the rows of a group.
    Window(WindowPlan),
    /// Codes become columns.
    Pivot(Box<PivotPlan>),
    /// Columns become rows.
    Unpivot(UnpivotPlan),
    /// A query.
    Sql(SqlPlan),
    /// A stream asked for each distinct set of parameters.
    Lookup(Box<LookupPlan>),
}

impl StepPlan {
    /// Whether it looks at one row at a time, so that it can work on any batch by itself.
    pub fn is_row_wise(&self) -> bool {
        matches!(
            self,
            Self::Filter(_)
                | Self::Map(_)
                | Self::Set(_)
                | Self::Select(_)
                | Self::Rename(_)
                | Self::Cast(_)
                | Self::Unnest(_)
                | Self::Explode(_)
                | Self::Unpivot(_)
                | Self::Check(_)
        )
    }

    /// The other nodes it reads.
    pub fn others(&self) -> Vec<Port> {
        match self {
            Self::Join(join) => vec![join.with],
            Self::Union(ports) => ports.clone(),
            Self::Sql(sql) => sql.with.iter().map(|(_, port)| *port).collect(),
            _ => Vec::new(),
        }
    }
}

/// A join.
#[derive(Debug, Clone)]
pub struct JoinPlan {
    /// The other node.
    pub with: Port,
    /// Its columns.
    pub with_schema: Schema,
    /// Column here, column there.
    pub on: Vec<(String, String)>,
    /// Kind of join.
    pub how: JoinHow,
    /// Appended to columns of the other node whose names the input has.
    pub suffix: String,
    /// What is near, for an as-of join.
    pub asof: Option<AsofPlan>,
    /// How often a key may be there on each side.
    pub validate: Option<Cardinality>,
}

/// A lookup.
#[derive(Debug, Clone)]
pub struct LookupPlan {
    /// Index in [`Plan::connections`].
    pub connection: usize,
    /// The stream.
    pub stream: String,
    /// Parameters over the row.
    pub with: Vec<Column>,
    /// Which record of the answer counts, over the row and `record`.
    pub matching: Option<Compiled>,
    /// New columns.
    pub take: Vec<Taken>,
    /// What to do when nothing is found.
    pub missing: Missing,
    /// Whether answers are kept for the whole run.
    pub cache: bool,
    /// Requests at a time.
    pub concurrency: usize,
    /// The type of `record`.
    pub record: Type,
}

/// A column a lookup takes from a record.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The new column.
    pub column: String,
    /// The record's field.
    pub field: String,
    /// Its type.
    pub ty: Type,
    /// Whether a record without it counts as not found: it is part of the stream's key.
    pub is_key: bool,
}

/// What is done with a record of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// It is held and reported: the default where nothing says how to verify it.
    #[default]
    Hold,
    /// The next run sends it again.
    Resend,
    /// The next run looks whether it is there, and sends it when it is not: the default where the definition says how.
    Verify,
}

/// A sink.
#[derive(Debug, Clone)]
pub struct SinkNode {
    /// Index in [`Plan::connections`].
    pub connection: usize,
    /// What it reads.
    pub input: Port,
    /// The columns it reads, when known.
    pub input_schema: Option<Schema>,
    /// The operation, for API connectors.
    pub operation: Option<(String, OperationKind)>,
    /// Settings of the sink.
    pub settings: Vec<SettingTemplate>,
    /// Columns that name a record; all of the record when empty.
    pub key: Vec<String>,
    /// What is sent, for API connectors.
    pub record: Option<RecordTemplate>,
    /// Requests at a time.
    pub concurrency: usize,
    /// Requests per time.
    pub rate: Option<Rate>,
    /// What a refusal does.
    pub on_error: OnError,
    /// Above this the run ends with exit code 3.
    pub max_rejects: Option<MaxRejects>,
    /// Fields of the record that do not count when it is compared with what was delivered before.
    pub ignore_changes: Vec<String>,
    /// What is done with a record of unknown outcome.
    pub on_unknown: OnUnknown,
    /// How many records go into one call.
    pub batch: usize,
    /// The columns of `NAME.results`, for API connectors.
    pub results: Option<Schema>,
}

/// A record as it is sent, with a template in each leaf.
#[derive(Debug, Clone)]
pub enum RecordTemplate {
    /// A value computed from the row, and the type the operation's field wants.
    Leaf {
        /// What computes it.
        value: Compiled,
        /// The type to convert it to, when the operation says.
        wanted: Option<Type>,
    },
    /// A list.
    List(Vec<RecordTemplate>),
    /// An object.
    Object(Vec<(String, RecordTemplate)>),
}

impl RecordTemplate {
    /// All leaves with their path, e.g. `UserGroup[0].id`, in order.
    pub fn leaves(&self) -> Vec<(String, &Compiled)> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect<'a>(&'a self, path: &str, out: &mut Vec<(String, &'a Compiled)>) {
        match self {
            Self::Leaf { value, .. } => out.push((path.to_owned(), value)),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    item.collect(&format!("{path}[{at}]"), out);
                }
            }
            Self::Object(fields) => {
                for (name, field) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    field.collect(&path, out);
                }
            }
        }
    }
}

/// The columns of every `NAME.rejects`.
pub fn rejects_schema() -> Schema {
    Schema::new(vec![
        Field::new("node", Type::Text).required(),
        Field::new("step", Type::Int),
        Field::new("field", Type::Text),
        Field::new("value", Type::Text),
        Field::new("reason", Type::Text).required(),
        Field::new("row", Type::Json).required(),
    ])
}

impl Plan {
    /// A node by name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Whether a parameter is part of a setting that must never be printed.
    pub fn feeds_secret(&self, param: &str) -> bool {
        self.connections.iter().flat_map(|connection| &connection.settings).filter(|setting| setting.secret).any(
            |setting| {
                let templates = setting.value.templates();
                let mut roots = templates.iter().flat_map(|template| template.roots());
                roots.any(|root| root.name == "params" && root.field.as_deref().is_none_or(|field| field == param))
            },
        )
    }

    /// All nodes that lead to a node.
    pub fn upstream(&self, node: usize) -> Vec<usize> {
        crate::build::upstream(&self.nodes, node)
    }

    /// The columns of a node's output.
    pub fn port_schema(&self, port: Port) -> Option<Schema> {
        let node = self.nodes.get(port.node)?;
        match (port.output, &node.kind) {
            (Output::Rows, _) => node.schema.clone(),
            (Output::Rejects, _) => Some(rejects_schema()),
            (Output::Results, NodeKind::Sink(sink)) => sink.results.clone(),
            (Output::Results, _) => None,
        }
    }
}
