//! Real processes: this test binary started again, one that holds the lock and is killed with the journal open.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use chrono::Utc;
use serde_json::{Value as Json, json};
use towpath_state::{Intent, LockError, Outcome, ReceiptIn, RunId, RunStart, RunStatus, Scope};

#[macro_use]
mod support;
use support::Place;

on_both! {
    a_second_process_is_told_who_runs_and_takes_over_when_that_one_is_killed,
    a_run_that_ends_in_order_leaves_the_lock_free,
}

/// Names the state for a process started by these tests.
const FOLDER: &str = "TOWPATH_STATE_TEST_FOLDER";
const SENT: u8 = 100;

fn scope() -> Scope {
    Scope::new("nightly", "production")
}

fn intent(key: u8) -> Intent {
    Intent { key_hash: [key; 16], key: json!(key), payload_hash: [key; 16], content: Vec::new() }
}

/// The run of a process that is started and killed by the tests below; on its own, a run in a folder of its own.
#[test]
fn the_run_of_one_process() {
    let own = Place::folder();
    let started_by_test = std::env::var(FOLDER).ok();
    let store = Place::open(&started_by_test.clone().unwrap_or_else(|| own.text()));
    let run = RunId::generate();
    let lock = store.lock(&scope(), &run).expect("free");
    let start = RunStart {
        id: run,
        scope: scope(),
        pipeline_file: "nightly.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).expect("begins");
    let intents: Vec<Intent> = (0..SENT).map(intent).collect();
    store.intend(&lock, &scope(), "upload", "t", &run, &intents).expect("put down");
    let confirmed =
        |key| ReceiptIn { key_hash: [key; 16], outcome: Outcome::Confirmed, fields: json!({"id": key}), message: None };
    let receipts: Vec<ReceiptIn> = (0..SENT / 2).map(confirmed).collect();
    store.receive(&lock, &scope(), "upload", "t", &run, &receipts).expect("settled");
    assert_eq!(store.unknown(&scope()).expect("readable").len(), usize::from(SENT / 2));
    if started_by_test.is_some() {
        println!("\nholding {run}");
        std::io::stdout().flush().expect("the test listens");
        // Until killed, or until the test that started it is gone.
        std::io::stdin().read_to_end(&mut Vec::new()).expect("readable");
    }
}

/// The process, its run, and its output, which it needs for as long as it lives.
fn start_process(place: &Place) -> (Child, RunId, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "the_run_of_one_process", "--nocapture"])
        .env(FOLDER, place.text())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let run = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("holding ").map(str::to_owned))
        .expect("it takes the lock");
    (child, run.parse().expect("an id"), output)
}

fn a_second_process_is_told_who_runs_and_takes_over_when_that_one_is_killed(place: &Place) {
    let (mut child, first, _output) = start_process(place);
    let store = place.store();
    let second = RunId::generate();
    match store.lock(&scope(), &second) {
        Err(LockError::Held { run, pid, .. }) => assert_eq!((run, pid), (first, child.id())),
        other => panic!("{other:?}"),
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");

    let lock = store.lock(&scope(), &second).expect("its holder is dead");
    assert_eq!(lock.taken_over_from(), Some(first));
    let outcome = store.run(first.as_str()).expect("on record").summary.outcome.expect("closed");
    assert_eq!((outcome.status, outcome.exit_code), (RunStatus::Interrupted, None));

    let keys: Vec<[u8; 16]> = (0..=SENT).map(|key| [key; 16]).collect();
    let known = store.sent_before(&scope(), "upload", "t", &keys).expect("readable");
    for (key, receipt) in (0..SENT).zip(&known) {
        let receipt = receipt.as_ref().expect("put down before it was sent");
        let expected = if key < SENT / 2 { Outcome::Confirmed } else { Outcome::Intent };
        assert_eq!((receipt.outcome, receipt.run), (expected, first));
        assert_eq!(receipt.holds(&[key; 16]), key < SENT / 2);
    }
    assert_eq!(known[usize::from(SENT)], None);
}

fn a_run_that_ends_in_order_leaves_the_lock_free(place: &Place) {
    let (mut child, _, mut output) = start_process(place);
    drop(child.stdin.take());
    output.read_to_end(&mut Vec::new()).expect("readable");
    assert!(child.wait().expect("it ends").success());
    let store = place.store();
    let lock = store.lock(&scope(), &RunId::generate()).expect("free");
    assert_eq!(lock.taken_over_from(), None);
}
