//! The books: for every node, rows in + added = rows out + filtered + rejected + merged + skipped.
//!
//! Each figure is counted where it happens, by different pieces of code, so that the identity can fail, and a run whose
//! books do not balance fails with it. `added` and `merged` are what reshaping does (explode, join, union; aggregate,
//! distinct, limit, semi join): there the two sides are counted and the difference is booked.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A node's counters while it runs.
#[derive(Debug)]
pub(crate) struct Account {
    pub rows_in: AtomicU64,
    pub rows_out: AtomicU64,
    pub filtered: AtomicU64,
    pub rejected: AtomicU64,
    pub merged: AtomicU64,
    pub added: AtomicU64,
    pub skipped: AtomicU64,
    pub unknown: AtomicU64,
    pub bytes: AtomicU64,
    pub calls: AtomicU64,
    started: std::sync::OnceLock<Instant>,
    took_millis: AtomicU64,
}

impl Default for Account {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            rows_in: zero(),
            rows_out: zero(),
            filtered: zero(),
            rejected: zero(),
            merged: zero(),
            added: zero(),
            skipped: zero(),
            unknown: zero(),
            bytes: zero(),
            calls: zero(),
            started: std::sync::OnceLock::new(),
            took_millis: zero(),
        }
    }
}

/// Books rows.
pub(crate) fn book(counter: &AtomicU64, rows: usize) {
    counter.fetch_add(rows as u64, Ordering::Relaxed);
}

impl Account {
    pub fn start(&self) -> bool {
        self.started.set(Instant::now()).is_ok()
    }

    pub fn stop(&self) {
        if let Some(started) = self.started.get() {
            let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.took_millis.store(millis, Ordering::Relaxed);
        }
    }

    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Reshaping steps book all rows that go in and all that come out; what is the same on both sides says nothing.
        let (merged, added) = (read(&self.merged), read(&self.added));
        let both = merged.min(added);
        Counts {
            rows_in: read(&self.rows_in),
            rows_out: read(&self.rows_out),
            filtered: read(&self.filtered),
            rejected: read(&self.rejected),
            merged: merged - both,
            added: added - both,
            skipped: read(&self.skipped),
            unknown: read(&self.unknown),
            bytes: read(&self.bytes),
            calls: read(&self.calls),
            millis: read(&self.took_millis),
        }
    }

    /// Ends the clock of a node that has none to end it: one that is part of its reader's plan.
    pub fn stop_if_running(&self) {
        if self.took_millis.load(Ordering::Relaxed) == 0 {
            self.stop();
        }
    }

    pub fn has_started(&self) -> bool {
        self.started.get().is_some()
    }
}

/// What a node did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that came in: read by a source, taken from the input by the others.
    pub rows_in: u64,
    /// Rows that went out: given on, or delivered by a sink.
    pub rows_out: u64,
    /// Rows a `filter` took away, or a sink left for a later run because its plan did not have them.
    pub filtered: u64,
    /// Rows that became rejects.
    pub rejected: u64,
    /// Rows that went into others or were left off by a reshaping step.
    pub merged: u64,
    /// Rows a reshaping step added.
    pub added: u64,
    /// Rows a sink did not send because they were delivered before.
    pub skipped: u64,
    /// Rows whose outcome is unknown.
    pub unknown: u64,
    /// Bytes written to files.
    pub bytes: u64,
    /// Requests answered.
    pub calls: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

impl Counts {
    /// Whether every row is accounted for.
    pub fn balances(&self) -> bool {
        self.rows_in + self.added
            == self.rows_out + self.filtered + self.rejected + self.merged + self.skipped + self.unknown
    }
}

/// A node's counts with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// The node.
    pub node: String,
    /// `source`, `transform` or `sink`.
    pub kind: &'static str,
    /// Whether it wrote files rather than records of another system.
    pub is_file: bool,
    /// What it did.
    #[serde(flatten)]
    pub counts: Counts,
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn a_lost_row_does_not_balance() {
        let counts = Counts { rows_in: 10, rows_out: 6, filtered: 3, rejected: 1, ..Counts::default() };
        assert!(counts.balances());
        assert!(!Counts { rows_out: 5, ..counts }.balances());
        assert!(!Counts { rows_out: 7, ..counts }.balances());
    }
}
