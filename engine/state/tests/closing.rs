//! Rejects are closed by the run that took them up; held records are settled by a person's word.
#![allow(missing_docs, clippy::unwrap_used)]

use chrono::Utc;
use serde_json::{Value as Json, json};
use towpath_state::{
    Intent, Lock, Outcome, ReceiptIn, Reject, RejectFilter, RunId, RunStart, Scope, Store, Unsettled, Verdict,
};

#[macro_use]
mod support;
use support::Place;

on_both! {
    the_same_row_at_the_same_node_is_open_once,
    a_replay_closes_what_it_took_up_and_nothing_of_another_pipeline,
    a_persons_word_settles_open_records_and_no_others,
    a_cleared_journal_knows_nothing_of_its_sink,
}

fn begin(store: &Store, scope: &Scope) -> Lock {
    let lock = store.lock(scope, &RunId::generate()).unwrap();
    let start = RunStart {
        id: lock.run(),
        scope: scope.clone(),
        pipeline_file: "p.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).unwrap();
    lock
}

fn reject(node: &str, row: Json) -> Reject {
    Reject { node: node.into(), reason: "no".into(), row, ..Reject::default() }
}

fn the_same_row_at_the_same_node_is_open_once(place: &Place) {
    let store = place.store();
    let scope = Scope::new("p", "");
    let first = begin(&store, &scope);
    let rows = [reject("a", json!({"x": 1})), reject("a", json!({"x": 2})), reject("b", json!({"x": 1}))];
    store.add_rejects(&first.run(), &rows).unwrap();
    let first_run = first.run();
    first.release().unwrap();
    // Another pipeline's rejects are its own.
    let elsewhere = Scope::new("q", "");
    let other = begin(&store, &elsewhere);
    store.add_rejects(&other.run(), &rows).unwrap();
    store.close_repeated_rejects(&other, &elsewhere).unwrap();

    let second = begin(&store, &scope);
    store.add_rejects(&second.run(), &[reject("a", json!({"x": 1})), reject("b", json!({"x": 2}))]).unwrap();
    assert_eq!(store.close_repeated_rejects(&second, &scope).unwrap(), 1);
    let open = RejectFilter { pipeline: Some("p"), ..RejectFilter::default() };
    let rows: Vec<(String, Json)> =
        store.find_rejects(open, 99).unwrap().into_iter().map(|it| (it.reject.node, it.reject.row)).collect();
    let expected = [("a", 2), ("b", 1), ("a", 1), ("b", 2)].map(|(node, x)| (node.to_owned(), json!({"x": x})));
    assert_eq!(rows, expected);
    assert_eq!(store.count_rejects(RejectFilter { closed_too: true, ..open }).unwrap(), 5);
    assert_eq!(store.count_rejects(RejectFilter { node: Some("b"), ..open }).unwrap(), 2);
    let of_first = RejectFilter { run: Some(first_run.as_str()), closed_too: true, ..RejectFilter::default() };
    let closed: Vec<Option<RunId>> = store.find_rejects(of_first, 99).unwrap().iter().map(|it| it.closed_by).collect();
    assert_eq!(closed, [Some(second.run()), None, None]);
}

fn a_replay_closes_what_it_took_up_and_nothing_of_another_pipeline(place: &Place) {
    let store = place.store();
    let (scope, elsewhere) = (Scope::new("p", ""), Scope::new("p", "production"));
    let ids = |scope: &Scope| {
        let lock = begin(&store, scope);
        let run = lock.run();
        store.add_rejects(&lock.run(), &[reject("a", json!(1)), reject("a", json!(2))]).unwrap();
        let of_run = RejectFilter { run: Some(run.as_str()), ..RejectFilter::default() };
        store.find_rejects(of_run, 9).unwrap().iter().map(|it| it.id).collect::<Vec<_>>()
    };
    let (ours, theirs) = (ids(&scope), ids(&elsewhere));
    let replay = begin(&store, &scope);
    assert_eq!(store.close_rejects(&replay, &scope, &[ours[0], theirs[0], 999]).unwrap(), 1);
    assert_eq!(store.close_rejects(&replay, &scope, &ours[..1]).unwrap(), 0, "closed is closed");
    assert_eq!(store.reject(ours[0]).unwrap().unwrap().closed_by, Some(replay.run()));
    assert_eq!(store.reject(theirs[0]).unwrap().unwrap().closed_by, None);
    store.add_rejects(&replay.run(), &[reject("a", json!(1))]).unwrap();
    assert_eq!(store.drop_rejects(&replay, &scope).unwrap(), 1);
    assert!(store.reject(ours[1]).unwrap().is_some());
}

/// A scope with one record of each kind under the keys 1 to 4: open, unknown after a confirmed one, confirmed, refused.
fn journal(store: &Store, scope: &Scope) -> Lock {
    let lock = begin(store, scope);
    let run = lock.run();
    let send = |key: u8, payload: u8, outcome: Option<Outcome>| {
        let intent =
            Intent { key_hash: [key; 16], key: json!({"k": key}), payload_hash: [payload; 16], content: Vec::new() };
        store.intend(&lock, scope, "upload", "t", &run, &[intent]).unwrap();
        if let Some(outcome) = outcome {
            let receipt = ReceiptIn { key_hash: [key; 16], outcome, fields: json!({"id": payload}), message: None };
            store.receive(&lock, scope, "upload", "t", &run, &[receipt]).unwrap();
        }
    };
    send(1, 1, None);
    send(2, 1, Some(Outcome::Confirmed));
    send(2, 2, Some(Outcome::Unknown));
    send(3, 1, Some(Outcome::Confirmed));
    send(4, 1, Some(Outcome::Refused));
    lock
}

fn a_persons_word_settles_open_records_and_no_others(place: &Place) {
    let all: Vec<[u8; 16]> = (1..=5).map(|key| [key; 16]).collect();
    for (verdict, place) in [(Verdict::Delivered, place), (Verdict::NotDelivered, &place.another())] {
        let store = place.store();
        let scope = Scope::new("p", "");
        let lock = journal(&store, &scope);
        let look = || store.sent_before(&scope, "upload", "t", &all).unwrap();
        let before = look();
        let open = store.unknown(&scope).unwrap();
        let of_another = |change: fn(&mut Unsettled)| {
            open.iter()
                .cloned()
                .map(|mut it| {
                    change(&mut it);
                    it
                })
                .collect()
        };
        let others: [Vec<Unsettled>; 2] =
            [of_another(|it| it.sink = "another".into()), of_another(|it| it.target = "another".into())];
        for other in others {
            assert_eq!(store.settle(&lock, &scope, &other, verdict).unwrap(), 0);
        }
        assert_eq!(store.settle(&lock, &scope, &open, verdict).unwrap(), 2);
        assert_eq!(store.settle(&lock, &scope, &open, verdict).unwrap(), 0);
        assert_eq!(store.unknown(&scope).unwrap(), []);
        let after = look();
        assert_eq!(after[2..], before[2..], "what was settled stays");
        let (one, two) = (after[0].as_ref().unwrap(), after[1].as_ref().unwrap());
        let delivered = verdict == Verdict::Delivered;
        assert_eq!((one.holds(&[1; 16]), one.attempts), (delivered, 0));
        // What is sent again is the latest content; what was confirmed before is known to be there where that was not sent.
        assert_eq!((two.holds(&[2; 16]), two.holds(&[1; 16])), (delivered, !delivered));
    }
}

fn a_cleared_journal_knows_nothing_of_its_sink(place: &Place) {
    let store = place.store();
    let scope = Scope::new("p", "");
    let lock = journal(&store, &scope);
    assert_eq!(store.clear_journal(&lock, &scope, "another").unwrap(), 0);
    assert_eq!(store.clear_journal(&lock, &scope, "upload").unwrap(), 4);
    assert_eq!(store.sent_before(&scope, "upload", "t", &[[3; 16]]).unwrap(), [None]);
    assert_eq!(store.clear_journal(&lock, &scope, "upload").unwrap(), 0);
}
