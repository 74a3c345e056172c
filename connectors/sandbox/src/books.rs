//! What was asked of a stand-in: a count per operation and status, and the latest requests one by one.
//!
//! The log is bounded and holds no header and no body, so neither a password nor a token can be in it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde_json::{Map, Value, json};

/// How many requests the log remembers one by one.
const REMEMBERED: usize = 4096;

#[derive(Debug)]
pub(crate) struct RequestBook {
    started: Instant,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    total: u64,
    in_flight: u64,
    most_in_flight: u64,
    operations: BTreeMap<&'static str, Operation>,
    latest: VecDeque<Entry>,
}

#[derive(Debug, Default)]
struct Operation {
    count: u64,
    by_status: BTreeMap<u16, u64>,
    faults: u64,
}

/// One request and what became of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub operation: &'static str,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    /// Milliseconds after the stand-in started.
    pub at_ms: u64,
    /// None: nothing was answered, as the connection was cut or the client left.
    pub status: Option<u16>,
    pub fault: Option<String>,
}

impl RequestBook {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), entries: Mutex::default() }
    }

    /// Notes that a request is being answered; gives the time since the start in milliseconds.
    pub(crate) fn arrived(&self) -> u64 {
        let mut entries = self.lock();
        entries.in_flight += 1;
        entries.most_in_flight = entries.most_in_flight.max(entries.in_flight);
        self.started.elapsed().as_millis() as u64
    }

    /// Notes that a request has left, answered or not.
    pub(crate) fn left(&self) {
        let mut entries = self.lock();
        entries.in_flight = entries.in_flight.saturating_sub(1);
    }

    pub(crate) fn note(&self, entry: Entry) {
        let mut entries = self.lock();
        entries.total += 1;
        let operation = entries.operations.entry(entry.operation).or_default();
        operation.count += 1;
        operation.faults += u64::from(entry.fault.is_some());
        *operation.by_status.entry(entry.status.unwrap_or(0)).or_default() += 1;
        if entries.latest.len() == REMEMBERED {
            entries.latest.pop_front();
        }
        entries.latest.push_back(entry);
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.lock();
        *entries = Entries { in_flight: entries.in_flight, ..Entries::default() };
    }

    /// Counts and the latest requests, oldest first.
    pub(crate) fn to_json(&self) -> Value {
        let entries = self.lock();
        let operations: Map<String, Value> =
            entries.operations.iter().map(|(name, operation)| ((*name).to_owned(), operation.to_json())).collect();
        json!({
            "total": entries.total,
            "most_in_flight": entries.most_in_flight,
            "operations": operations,
            "latest": entries.latest.iter().map(Entry::to_json).collect::<Vec<_>>(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation {
    fn to_json(&self) -> Value {
        let by_status: Map<String, Value> = self
            .by_status
            .iter()
            .map(|(status, count)| {
                let status = if *status == 0 { "unanswered".to_owned() } else { status.to_string() };
                (status, Value::from(*count))
            })
            .collect();
        json!({"count": self.count, "by_status": by_status, "faults": self.faults})
    }
}

impl Entry {
    fn to_json(&self) -> Value {
        json!({
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "at_ms": self.at_ms,
            "status": self.status,
            "fault": self.fault,
        })
    }
}
