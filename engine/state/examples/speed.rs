//! How fast the state is on this machine: `cargo run --release -p towpath-state --example speed [RECEIPTS]`.
//!
//! Prints rows per second for rejects, the journal in groups and from 32 threads, and the time it takes to find what a crash
//! left in a long journal. Writes to a temporary folder.

use std::error::Error;
use std::time::Instant;

use chrono::Utc;
use serde_json::json;
use towpath_state::{Intent, Lock, Outcome, ReceiptIn, Reject, RunId, RunStart, Scope, Store};

const GROUP: u64 = 500;
const THREADS: u64 = 32;

struct Journal {
    store: Store,
    lock: Lock,
    scope: Scope,
    run: RunId,
}

impl Journal {
    fn intend(&self, keys: std::ops::Range<u64>) -> towpath_state::Result<()> {
        let intents: Vec<Intent> = keys
            .map(|key| Intent {
                key_hash: hash(key),
                key: json!([format!("person{key}@example.test"), "Working at height", "2024-03-01"]),
                payload_hash: hash(!key),
                content: vec![7; 80],
            })
            .collect();
        self.store.intend(&self.lock, &self.scope, "upload", "target", &self.run, &intents)
    }

    fn receive(&self, keys: std::ops::Range<u64>) -> towpath_state::Result<()> {
        let receipts: Vec<ReceiptIn> = keys
            .map(|key| ReceiptIn {
                key_hash: hash(key),
                outcome: Outcome::Confirmed,
                fields: json!({"ExternalTrainingID": key}),
                message: None,
            })
            .collect();
        self.store.receive(&self.lock, &self.scope, "upload", "target", &self.run, &receipts)
    }
}

/// Spreads keys as a hash does, and is the same in every run.
fn hash(key: u64) -> [u8; 16] {
    let mut random = fastrand::Rng::with_seed(key);
    random.u128(..).to_le_bytes()
}

fn rate(what: &str, rows: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{what:<50} {seconds:8.3} s {:>12.0} rows/s", rows as f64 / seconds);
}

fn main() -> Result<(), Box<dyn Error>> {
    let receipts: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let dir = tempfile::tempdir()?;
    let store = Store::open(dir.path())?;
    let (scope, run) = (Scope::new("speed", ""), RunId::generate());
    let lock = store.lock(&scope, &run)?;
    store.begin_run(&RunStart {
        id: run,
        scope: scope.clone(),
        pipeline_file: "speed.yaml".into(),
        started_at: Utc::now(),
        params: json!({}),
        towpath_version: env!("CARGO_PKG_VERSION").into(),
    })?;
    let journal = Journal { store, lock, scope, run };
    rejects(&journal)?;
    let sent = threads(&journal)?;
    long_journal(&journal, sent, sent + receipts)?;
    let size = std::fs::metadata(journal.store.path())?.len();
    println!("{:<50} {:8.1} MB", "the database", size as f64 / 1e6);
    Ok(())
}

fn rejects(journal: &Journal) -> Result<(), Box<dyn Error>> {
    let rejects: Vec<Reject> = (0..200_000)
        .map(|number| Reject {
            node: "completed".into(),
            step: Some(1),
            field: Some("end_date".into()),
            value: Some(json!("31/02/2024")),
            reason: "not a date".into(),
            row: json!({"user_id": number, "title": "Working at height", "end_date": "31/02/2024"}),
        })
        .collect();
    let started = Instant::now();
    journal.store.add_rejects(&journal.run, &rejects)?;
    rate("rejects, one call", 200_000, started);
    Ok(())
}

fn threads(journal: &Journal) -> Result<u64, Box<dyn Error>> {
    const EACH: u64 = 300;
    let started = Instant::now();
    std::thread::scope(|threads| {
        let sending: Vec<_> = (0..THREADS)
            .map(|thread| {
                threads.spawn(move || {
                    (thread * EACH..(thread + 1) * EACH).try_for_each(|key| {
                        journal.intend(key..key + 1)?;
                        journal.receive(key..key + 1)
                    })
                })
            })
            .collect();
        sending.into_iter().try_for_each(|sending| sending.join().expect("a sender does not panic"))
    })?;
    rate("journal, 32 threads, one record a call", THREADS * EACH, started);
    Ok(THREADS * EACH)
}

fn long_journal(journal: &Journal, from: u64, to: u64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    for group in (from..to).step_by(GROUP as usize) {
        journal.intend(group..(group + GROUP).min(to))?;
        journal.receive(group..(group + GROUP).min(to))?;
    }
    rate("journal, groups of 500", to - from, started);
    journal.intend(to..to + GROUP)?;
    let fresh = Store::open(journal.store.path().parent().ok_or("a folder")?)?;
    let started = Instant::now();
    let open = fresh.unknown(&journal.scope)?.len() as u64;
    rate("what a crash left, on a fresh connection", open, started);
    let keys: Vec<[u8; 16]> = (from..to).map(hash).collect();
    let started = Instant::now();
    let known = fresh.sent_before(&journal.scope, "upload", "target", &keys)?;
    rate("looking up every key", known.iter().flatten().count() as u64, started);
    let started = Instant::now();
    fresh.journal_counts(&journal.scope)?;
    rate("counting the journal", to, started);
    Ok(())
}
