//! A state folder after the worst: files cut anywhere, or with bytes turned over, in any combination. It opens and says no
//! more than what was put down, or it is refused with what is wrong with it.
//!
//! What is confirmed is never said of a record that was not: that would be a record never sent. What is cut off a log is
//! what a loss of power takes; then whatever was accepted before is there. A database that itself is cut is damage.
#![allow(clippy::unwrap_used)]

use chrono::Utc;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::LazyLock;
use towpath_fuzz::fuzz;
use towpath_state::{Intent, Lock, Outcome, ReceiptIn, RunId, RunStart, Scope, Store};

const KEYS: u8 = 40;
const SINK: &str = "upload";
const TARGET: &str = "https://example.test Upload";

fn scope() -> Scope {
    Scope::new("p", "")
}

fn begin(store: &Store) -> (Lock, RunId) {
    let id = RunId::generate();
    let lock = store.lock(&scope(), &id).unwrap();
    let start = RunStart {
        id,
        scope: scope(),
        pipeline_file: "p.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).unwrap();
    (lock, id)
}

/// What becomes of a record: by its number, so that each outcome is known.
fn outcome(key: u8) -> Option<Outcome> {
    match key % 4 {
        0 => Some(Outcome::Confirmed),
        1 => Some(Outcome::Refused),
        2 => Some(Outcome::Unknown),
        _ => None,
    }
}

/// Database and log as a process leaves them that dies: once with all of it in the log, once with most of it folded back.
static LEFT: LazyLock<[(Vec<u8>, Vec<u8>); 2]> = LazyLock::new(|| [left(false), left(true)]);

fn left(folded: bool) -> (Vec<u8>, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (lock, run) = begin(&store);
    for key in 0..KEYS {
        if folded && key == KEYS / 2 {
            let raw = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
            raw.pragma_query(None, "wal_checkpoint", |_| Ok(())).unwrap();
        }
        let intent = Intent {
            key_hash: [key; 16],
            key: json!([key, "x".repeat(300)]),
            payload_hash: [key; 16],
            content: Vec::new(),
        };
        store.intend(&lock, &scope(), SINK, TARGET, &run, &[intent]).unwrap();
        if let Some(outcome) = outcome(key) {
            let receipt = ReceiptIn { key_hash: [key; 16], outcome, fields: json!({"id": key}), message: None };
            store.receive(&lock, &scope(), SINK, TARGET, &run, &[receipt]).unwrap();
        }
    }
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    (read("state.db"), read("state.db-wal"))
}

/// What a folder says of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Told {
    outcome: Outcome,
    /// Whether the target is said to hold what was sent.
    as_sent: bool,
}

/// What a folder says of every record, or why it says nothing.
fn told(dir: &Path) -> Result<Vec<Option<Told>>, towpath_state::Error> {
    let store = Store::open(dir)?;
    let keys: Vec<[u8; 16]> = (0..KEYS).map(|key| [key; 16]).collect();
    let known = store.sent_before(&scope(), SINK, TARGET, &keys)?;
    store.unknown(&scope())?;
    store.journal_counts(&scope())?;
    store.cursors(&scope())?;
    let told = |(key, receipt): (u8, towpath_state::Receipt)| Told {
        outcome: receipt.outcome,
        as_sent: receipt.holds(&[key; 16]),
    };
    Ok((0..KEYS).zip(known).map(|(key, receipt)| receipt.map(|receipt| told((key, receipt)))).collect())
}

#[derive(Debug, Clone)]
struct Damage {
    folded: bool,
    database: Option<Index>,
    log: Option<Index>,
    /// Whether the file is filled up with zeros behind the cut, as file systems do it.
    zeros: bool,
    turned: Vec<(bool, Index, u8)>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let cut = || proptest::option::of(any::<Index>());
    let turned = proptest::collection::vec((any::<bool>(), any::<Index>(), 1..=255_u8), 0..4);
    (any::<bool>(), cut(), cut(), any::<bool>(), turned).prop_map(|(folded, database, log, zeros, turned)| Damage {
        folded,
        database,
        log,
        zeros,
        turned,
    })
}

fn cut(bytes: &mut Vec<u8>, at: Option<Index>, zeros: bool) {
    let whole = bytes.len();
    if let Some(at) = at {
        bytes.truncate(at.index(whole + 1));
    }
    if zeros {
        bytes.resize(whole, 0);
    }
}

fn check(damage: &Damage) -> Result<(), TestCaseError> {
    let (mut database, mut log) = LEFT[usize::from(damage.folded)].clone();
    cut(&mut database, damage.database, damage.zeros);
    cut(&mut log, damage.log, damage.zeros);
    for (of_log, at, by) in &damage.turned {
        let file = if *of_log { &mut log } else { &mut database };
        if !file.is_empty() {
            let at = at.index(file.len());
            file[at] ^= by;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state.db"), &database).unwrap();
    std::fs::write(dir.path().join("state.db-wal"), &log).unwrap();
    match told(dir.path()) {
        Err(error) => prop_assert!(!error.to_string().is_empty() && !error.help().is_empty()),
        Ok(known) => {
            // SQLite has sums of the log, and none of the database: a byte turned over there, as in a hash, is not seen.
            // The long form found that; what is held of it is that nothing panics.
            let turned = damage.turned.iter().any(|(of_log, ..)| !of_log);
            for (key, found) in (0..KEYS).zip(&known) {
                let Some(found) = found.filter(|found| found.outcome == Outcome::Confirmed && !turned) else {
                    continue;
                };
                prop_assert_eq!(outcome(key), Some(Outcome::Confirmed), "record {}", key);
                prop_assert!(found.as_sent, "record {} is confirmed with other content", key);
            }
            // What is lost of the log is its end: no record is there that came after one that is not.
            if damage.database.is_none() && !turned {
                let missing = known.iter().position(Option::is_none).unwrap_or(known.len());
                prop_assert!(known[missing..].iter().all(Option::is_none), "{:?}", known);
            }
        }
    }
    Ok(())
}

#[test]
fn what_is_left_whole_tells_everything() {
    let whole = Damage { folded: false, database: None, log: None, zeros: false, turned: Vec::new() };
    check(&whole).unwrap();
    for (database, log) in LEFT.iter() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("state.db"), database).unwrap();
        std::fs::write(dir.path().join("state.db-wal"), log).unwrap();
        let expected: Vec<_> = (0..KEYS).map(|key| outcome(key).unwrap_or(Outcome::Intent)).collect();
        let found: Vec<Told> = told(dir.path()).unwrap().into_iter().flatten().collect();
        assert_eq!(found.iter().map(|found| found.outcome).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|found| found.as_sent == (found.outcome == Outcome::Confirmed)), "{found:?}");
    }
}

#[test]
fn fuzz_journals_that_are_cut() {
    fuzz("journals", 150, damage(), |damage| check(&damage));
}
