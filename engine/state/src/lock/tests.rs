//! Contention, takeover and fencing inside one process; `tests/processes.rs` does the same with real ones.

use std::time::Instant;

use super::*;
use serde_json::json;
use support::Place;

#[macro_use]
#[path = "../../tests/support/mod.rs"]
mod support;

on_both! {
    one_of_many_contenders_gets_it,
    a_lock_is_given_back_and_other_scopes_are_free,
    dropping_a_lock_does_not_wait_for_its_heartbeat,
    a_silent_lock_is_taken_over_and_the_old_holder_cannot_write,
    a_living_process_keeps_its_lock_while_its_heartbeat_is_fresh,
    the_lock_of_a_dead_process_is_taken_over_at_once,
    the_heartbeat_renews_and_notices_a_loss,
    a_write_for_another_scope_or_run_is_refused,
    every_write_of_a_run_that_was_taken_for_dead_is_refused,
    a_token_given_out_before_an_import_is_worth_nothing_after_it,
}

const NEVER: Duration = Duration::from_secs(3600);

fn scope() -> Scope {
    Scope::new("nightly", "")
}

/// As if the holder had been silent for `seconds`.
fn age(store: &Store, seconds: i64) {
    store
        .write("ageing", |connection| {
            connection.execute("UPDATE lock SET heartbeat = heartbeat - ?1", [seconds * 1000]).doing("ageing")
        })
        .expect("a lock");
}

/// As if another machine had taken it, of which nothing but the heartbeat is known.
fn move_elsewhere(store: &Store) {
    store
        .write("moving", |connection| {
            connection
                .execute("UPDATE lock SET machine = 'elsewhere', host = 'other', pid = 1", params![])
                .doing("moving")
        })
        .expect("a lock");
}

fn one_of_many_contenders_gets_it(place: &Place) {
    let barrier = std::sync::Barrier::new(8);
    let results: Vec<_> = std::thread::scope(|threads| {
        let contenders: Vec<_> = (0..8)
            .map(|_| {
                threads.spawn(|| {
                    barrier.wait();
                    // Each has its own connection, and the first ones race to make the database as well.
                    place.store().lock(&scope(), &RunId::generate())
                })
            })
            .collect();
        contenders.into_iter().map(|contender| contender.join().expect("no panic")).collect()
    });
    let winner = results.iter().flatten().next().expect("one wins");
    for result in &results {
        match result {
            Ok(lock) => assert_eq!(lock.token(), winner.token()),
            Err(LockError::Held { run, pid, .. }) => {
                assert_eq!((*run, *pid), (winner.run(), std::process::id()));
            }
            Err(LockError::State(error)) => panic!("{error}"),
        }
    }
    assert_eq!(results.iter().flatten().count(), 1);
}

fn a_lock_is_given_back_and_other_scopes_are_free(place: &Place) {
    let store = place.store();
    let lock = store.lock(&scope(), &RunId::generate()).expect("free");
    let other = store.lock(&Scope::new("nightly", "test"), &RunId::generate()).expect("another scope");
    assert_eq!(other.taken_over_from(), None);
    let token = lock.token();
    lock.release().expect("released");
    let next = store.lock(&scope(), &RunId::generate()).expect("free again");
    assert_eq!(next.token(), token + 1);
    assert_eq!(next.taken_over_from(), None);
}

fn dropping_a_lock_does_not_wait_for_its_heartbeat(place: &Place) {
    let store = place.store();
    let lock = store.lock_beating(&scope(), &RunId::generate(), NEVER).expect("free");
    let started = Instant::now();
    drop(lock);
    assert!(started.elapsed() < NEVER / 60);
}

fn a_silent_lock_is_taken_over_and_the_old_holder_cannot_write(place: &Place) {
    let store = place.store();
    let (first, second) = (RunId::generate(), RunId::generate());
    let old = store.lock_beating(&scope(), &first, NEVER).expect("free");
    move_elsewhere(&store);
    age(&store, 29);
    assert!(matches!(store.lock(&scope(), &second), Err(LockError::Held { run, .. }) if run == first));
    store.set_cursors(&old, &scope(), &[("source", json!(1))]).expect("still the holder");
    age(&store, 2);
    let new = store.lock_beating(&scope(), &second, NEVER).expect("stale");
    assert_eq!(new.taken_over_from(), Some(first));
    assert!(new.token() > old.token());
    assert!(!store.fence_ok(&old).expect("readable"));
    assert!(store.fence_ok(&new).expect("readable"));
    let late = store.set_cursors(&old, &scope(), &[("source", json!(2))]);
    assert!(matches!(late, Err(Error::Fenced { run, .. }) if run == first));
    assert_eq!(store.cursor(&scope(), "source").expect("readable"), Some(json!(1)));
    drop(old);
    assert!(store.fence_ok(&new).expect("readable"), "the old holder's drop releases nothing");
}

fn a_living_process_keeps_its_lock_while_its_heartbeat_is_fresh(place: &Place) {
    let store = place.store();
    let held = store.lock_beating(&scope(), &RunId::generate(), NEVER).expect("free");
    age(&store, 29);
    let error = store.lock(&scope(), &RunId::generate()).expect_err("held");
    let text = error.to_string();
    assert!(text.contains(&held.run().to_string()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(error.help().contains("30 seconds"));
}

fn the_lock_of_a_dead_process_is_taken_over_at_once(place: &Place) {
    let store = place.store();
    let first = RunId::generate();
    let _held = store.lock_beating(&scope(), &first, NEVER).expect("free");
    store
        .write("killing", |connection| {
            connection.execute("UPDATE lock SET pid = 4294967295", params![]).doing("killing")
        })
        .expect("a lock");
    let new = store.lock(&scope(), &RunId::generate()).expect("its process is gone");
    assert_eq!(new.taken_over_from(), Some(first));
}

fn the_heartbeat_renews_and_notices_a_loss(place: &Place) {
    let store = place.store();
    let lock = store.lock_beating(&scope(), &RunId::generate(), Duration::from_millis(1)).expect("free");
    age(&store, 20);
    let silent = || {
        let heartbeat =
            store.read(|connection| Ok(holder(connection, 1)?.expect("a lock").heartbeat)).expect("readable");
        Utc::now() - heartbeat
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while silent() > chrono::TimeDelta::seconds(15) {
        assert!(Instant::now() < deadline, "no heartbeat");
        std::thread::yield_now();
    }
    store
        .write("stealing", |connection| {
            connection.execute("UPDATE lock SET token = token + 1", params![]).doing("stealing")
        })
        .expect("a lock");
    while !lock.is_lost() {
        assert!(Instant::now() < deadline, "the loss was not noticed");
        std::thread::yield_now();
    }
}

fn a_write_for_another_scope_or_run_is_refused(place: &Place) {
    let store = place.store();
    let lock = store.lock(&scope(), &RunId::generate()).expect("free");
    let elsewhere = Scope::new("other", "");
    assert!(matches!(store.set_cursors(&lock, &elsewhere, &[("source", json!(1))]), Err(Error::Misuse(_))));
    let another = RunId::generate();
    assert!(matches!(store.intend(&lock, &scope(), "sink", "target", &another, &[]), Err(Error::Misuse(_))));
}

fn begin(store: &Store, run: RunId) {
    let start = crate::RunStart {
        id: run,
        scope: scope(),
        pipeline_file: "nightly.yaml".into(),
        started_at: Utc::now(),
        params: json!({}),
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).expect("begins");
}

fn every_write_of_a_run_that_was_taken_for_dead_is_refused(place: &Place) {
    use crate::{Intent, Outcome, ReceiptIn, Reject, RunOutcome, RunStatus, Verdict};
    let store = place.store();
    let (first, second) = (RunId::generate(), RunId::generate());
    let old = store.lock_beating(&scope(), &first, NEVER).expect("free");
    begin(&store, first);
    let intent = |key| Intent { key_hash: [key; 16], key: json!(key), payload_hash: [key; 16], content: Vec::new() };
    store.intend(&old, &scope(), "upload", "t", &first, &[intent(1), intent(2)]).expect("still the holder");
    store.add_rejects(&first, &[Reject::default()]).expect("still the holder");
    move_elsewhere(&store);
    age(&store, 31);
    let new = store.lock_beating(&scope(), &second, NEVER).expect("stale");
    begin(&store, second);
    let before = export(&store);

    let confirmed = ReceiptIn { key_hash: [1; 16], outcome: Outcome::Confirmed, fields: json!(null), message: None };
    let done = RunOutcome { status: RunStatus::Done, exit_code: Some(0), finished_at: Utc::now(), error: None };
    let writes: [(&str, Result<()>); 11] = [
        ("cursors", store.set_cursors(&old, &scope(), &[("source", json!(2))])),
        ("clearing cursors", store.clear_cursors(&old, &scope(), None).map(drop)),
        ("an intent", store.intend(&old, &scope(), "upload", "t", &first, &[intent(3)])),
        ("a receipt", store.receive(&old, &scope(), "upload", "t", &first, &[confirmed])),
        (
            "settling",
            store.settle(&old, &scope(), &store.unknown(&scope()).expect("readable"), Verdict::NotDelivered).map(drop),
        ),
        ("clearing the journal", store.clear_journal(&old, &scope(), "upload").map(drop)),
        ("rejects", store.add_rejects(&first, &[Reject::default()])),
        ("closing rejects", store.close_rejects(&old, &scope(), &[1]).map(drop)),
        ("closing repeated rejects", store.close_repeated_rejects(&old, &scope()).map(drop)),
        ("forgetting rejects", store.drop_rejects(&old, &scope()).map(drop)),
        ("the end of the run", store.finish_run(&first, &done, &[])),
    ];
    for (what, written) in writes {
        assert!(matches!(written, Err(Error::Fenced { run, .. }) if run == first), "{what}: {written:?}");
    }
    assert_eq!(export(&store), before, "nothing was written");
    store.set_cursors(&new, &scope(), &[("source", json!(3))]).expect("the new holder");
}

fn export(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).expect("readable");
    String::from_utf8(out).expect("text")
}

fn a_token_given_out_before_an_import_is_worth_nothing_after_it(place: &Place) {
    let store = place.store();
    let first = RunId::generate();
    let old = store.lock_beating(&scope(), &first, NEVER).expect("free");
    begin(&store, first);
    let copy = export(&store);
    assert!(matches!(store.import(copy.as_bytes(), true), Err(crate::ImportError::Running(run)) if run == first));
    store
        .write("freeing", |connection| connection.execute("UPDATE lock SET held = 0", params![]).doing("freeing"))
        .expect("a lock");
    store.import(copy.as_bytes(), true).expect("nobody runs");
    let new = store.lock_beating(&scope(), &RunId::generate(), NEVER).expect("free");
    assert!(new.token() > old.token());
    assert!(!store.fence_ok(&old).expect("readable"));
}
