//! What a run tells those who watch it.

use crate::accounts::NodeReport;
use towpath_connector::Error;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// A node began to work.
    Started {
        /// The node.
        node: String,
        /// `source`, `transform` or `sink`.
        kind: &'static str,
    },
    /// A node took in so many rows more.
    Rows {
        /// The node.
        node: String,
        /// Rows since the last event.
        rows: u64,
    },
    /// A request failed for a passing reason and will be tried again.
    Retrying {
        /// The node.
        node: String,
        /// What went wrong.
        error: Error,
        /// Which try comes next, from 2.
        attempt: u32,
        /// Milliseconds until then.
        wait_millis: u64,
    },
    /// A node is done.
    Finished {
        /// What it did.
        report: NodeReport,
    },
    /// A node failed.
    Failed {
        /// The node.
        node: String,
        /// What went wrong.
        error: Error,
    },
    /// Something a person should look at.
    Warning {
        /// The node.
        node: String,
        /// What.
        message: String,
    },
    /// Something worth knowing.
    Note {
        /// The node.
        node: String,
        /// What.
        message: String,
    },
}

/// Someone who watches a run. Called from many threads; must be quick.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observer for Quiet {
    fn event(&self, _: Event) {}
}
