//! What a run would do, as a plan tells it. The form of `towpath plan --format json`.

use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use towpath_connector::Differences;

/// What a run would do.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// The pipeline.
    pub pipeline: String,
    /// Its sinks, in the order of the plan.
    pub sinks: Vec<PlannedSink>,
    /// Nodes that were read, with their rows.
    pub nodes: Vec<PlannedNode>,
    /// The state it was made of, as a hash.
    #[serde(skip)]
    pub state: String,
    /// What each sink that could be planned would send, as hashes of keys and contents.
    #[serde(skip)]
    pub sends: BTreeMap<String, Vec<[u8; 16]>>,
}

/// What became of the rows of a node that was read.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedNode {
    /// The node.
    pub node: String,
    /// Rows that came to it.
    pub rows: u64,
    /// Rows it would reject.
    pub rejected: u64,
    /// The most frequent reasons.
    pub reasons: Vec<RejectSample>,
}

/// A reason for rejects.
#[derive(Debug, Clone, Serialize)]
pub struct RejectSample {
    /// The reason.
    pub reason: String,
    /// How often it was given.
    pub times: u64,
}

/// What a run would do at a sink.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedSink {
    /// The sink.
    pub sink: String,
    /// Its connection.
    pub connection: String,
    /// What it would do.
    #[serde(flatten)]
    pub plan: SinkPlan,
}

/// What a sink would do.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SinkPlan {
    /// Calls of an operation.
    Operation {
        /// The operation.
        operation: String,
        /// Records whose key was never delivered.
        create: u64,
        /// Records that were delivered with other content.
        update: u64,
        /// In how many of those a field differs. What it was before is not known: the journal keeps hashes.
        changed: Vec<(String, u64)>,
        /// Some of those.
        updates: Vec<Update>,
        /// Records that were delivered as they are.
        unchanged: u64,
        /// Records of unknown outcome that are held.
        held: u64,
        /// Records of unknown outcome that are looked up before they are sent, or not.
        verify: u64,
        /// Rows that make no record, or one that cannot be sent.
        reject: u64,
        /// Calls that deliver what is created and updated, when none has to be repeated.
        calls: u64,
        /// Seconds the calls take at least under the sink's `rate`; none without one.
        seconds: Option<f64>,
        /// Calls at a time.
        concurrency: usize,
        /// Whether people get mail from it.
        sends_email: bool,
        /// The first calls.
        samples: Vec<Request>,
    },
    /// A file.
    File {
        /// Where it goes.
        path: Option<String>,
        /// Rows it would hold.
        rows: u64,
        /// Whether there is something in its place now.
        replaces: bool,
    },
    /// Rows for a table.
    Table {
        /// The table.
        table: Option<String>,
        /// How they are brought in.
        mode: Option<String>,
        /// Rows that would be brought in.
        rows: u64,
        /// What they would change; none where the database cannot tell.
        differences: Option<Differences>,
    },
    /// Nobody can tell before the run: it depends on what other systems answer.
    Waits {
        /// Sinks whose answers it depends on.
        on: Vec<String>,
    },
}

/// A record that was delivered with other content.
#[derive(Debug, Clone, Serialize)]
pub struct Update {
    /// Its key.
    pub key: Json,
    /// The run that delivered it.
    pub delivered_by: String,
    /// The fields that differ, with what they would be.
    pub fields: Vec<(String, Json)>,
    /// How many fields were delivered then that it does not have any more.
    pub gone: usize,
}

/// A call as it would be made, with secrets masked.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// The key of its first record.
    pub key: Json,
    /// The method; none when the call depends on what is answered before.
    pub method: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// Headers, without what lets the call in.
    pub headers: Vec<(String, String)>,
    /// The body as text; the record where the call is not known.
    pub body: Option<String>,
}

impl SinkPlan {
    /// Whether a run would change something here, as far as is known. What waits for another sink waits for a change.
    pub fn has_changes(&self) -> bool {
        match self {
            Self::Operation { create, update, verify, .. } => create + update + verify > 0,
            Self::File { .. } | Self::Waits { .. } => true,
            Self::Table { differences: Some(found), .. } => {
                found.makes_table || !found.new_columns.is_empty() || found.insert + found.update + found.delete > 0
            }
            Self::Table { rows, mode, .. } => *rows > 0 || mode.as_deref() == Some("replace"),
        }
    }

    /// Whether what it would answer is known.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Operation { create, update, verify, .. } => create + update + verify == 0,
            Self::File { .. } => true,
            Self::Table { .. } | Self::Waits { .. } => false,
        }
    }
}

impl Planned {
    /// Whether a run would change something.
    pub fn has_changes(&self) -> bool {
        self.sinks.iter().any(|sink| sink.plan.has_changes())
    }
}
