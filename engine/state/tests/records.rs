//! Runs, cursors and rejects come back as they were given.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use towpath_state::{
    Error, NodeRecord, Reject, RejectFilter, RunId, RunOutcome, RunStart, RunStatus, Scope, Store, StoredReject,
};

#[macro_use]
mod support;
use support::Place;

on_both! {
    a_run_is_found_by_the_beginning_of_its_id,
    a_run_ends_once_and_keeps_its_nodes_in_order,
    runs_are_listed_newest_first,
    cursors_move_together_and_are_kept_apart_by_scope,
    a_hundred_thousand_rejects_are_kept_counted_and_paged,
    null_and_absent_values_of_a_reject_stay_apart,
    closed_rejects_go_before_open_ones,
    pruning_removes_rejects_of_old_runs_only_and_never_gives_a_number_twice,
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + seconds)
}

fn start(scope: &Scope, seconds: i64) -> RunStart {
    RunStart {
        id: RunId::at(time(seconds), 7),
        scope: scope.clone(),
        pipeline_file: "pipelines/p.yaml".into(),
        started_at: time(seconds),
        params: json!({"organisation": "acme"}),
        towpath_version: "0.1.0".into(),
    }
}

fn done(seconds: i64) -> RunOutcome {
    RunOutcome { status: RunStatus::Done, exit_code: Some(0), finished_at: time(seconds), error: None }
}

fn a_run_is_found_by_the_beginning_of_its_id(place: &Place) {
    let store = place.store();
    let scope = Scope::new("p", "");
    // An hour apart: the first characters are shared, the later ones not.
    let (first, second) = (start(&scope, 0), start(&scope, 3600));
    store.begin_run(&first).expect("begins");
    store.begin_run(&second).expect("begins");
    assert_eq!(store.run(&first.id.to_string()).expect("found").summary.start, first);
    let shortest =
        (1..=16).find(|length| first.id.as_str()[..*length] != second.id.as_str()[..*length]).expect("they differ");
    let prefix = first.id.as_str()[..shortest].to_uppercase();
    assert_eq!(store.run(&prefix).expect("found").summary.start.id, first.id);
    match store.run(&first.id.as_str()[..shortest - 1]) {
        Err(Error::AmbiguousRun { candidates, .. }) => {
            assert_eq!(candidates, [first.id, second.id])
        }
        other => panic!("{other:?}"),
    }
    for unknown in ["zz", "", "%", "last", &"0".repeat(17)] {
        assert!(matches!(store.run(unknown), Err(Error::NoSuchRun(_))), "{unknown}");
    }
}

fn a_run_ends_once_and_keeps_its_nodes_in_order(place: &Place) {
    let store = place.store();
    let run = start(&Scope::new("p", "test"), 0);
    store.begin_run(&run).expect("begins");
    assert!(matches!(store.begin_run(&run), Err(Error::Misuse(_))));
    assert_eq!(store.run(run.id.as_str()).expect("found").summary.outcome, None);
    let node = |name: &str, extra: Json| NodeRecord {
        node: name.into(),
        kind: "transform".into(),
        rows_in: 10,
        rows_out: 4,
        filtered: 3,
        rejected: 2,
        skipped: 1,
        bytes: 1 << 40,
        millis: 12,
        extra,
    };
    let nodes = [node("z", json!({"requests": 4})), node("a", Json::Null)];
    let failed = RunOutcome {
        status: RunStatus::Failed,
        exit_code: Some(1),
        finished_at: time(60),
        error: Some("host down".into()),
    };
    store.finish_run(&run.id, &failed, &nodes).expect("ends");
    let record = store.run(run.id.as_str()).expect("found");
    assert_eq!(record.summary.outcome, Some(failed));
    assert_eq!(record.nodes, nodes);
    assert!(matches!(store.finish_run(&run.id, &done(61), &[]), Err(Error::Misuse(_))));
    assert!(matches!(store.finish_run(&RunId::generate(), &done(61), &[]), Err(Error::NoSuchRun(_))));
}

fn runs_are_listed_newest_first(place: &Place) {
    let store = place.store();
    for (name, seconds) in [("a", 0), ("b", 10), ("a", 20)] {
        store.begin_run(&start(&Scope::new(name, ""), seconds)).expect("begins");
    }
    let listed = |limit, pipeline| -> Vec<(String, DateTime<Utc>)> {
        let runs = store.runs(limit, pipeline).expect("readable");
        runs.into_iter().map(|run| (run.start.scope.pipeline, run.start.started_at)).collect()
    };
    assert_eq!(listed(2, None), [("a".into(), time(20)), ("b".into(), time(10))]);
    assert_eq!(listed(9, Some("a")), [("a".into(), time(20)), ("a".into(), time(0))]);
    assert_eq!(listed(9, Some("c")), []);
}

fn cursors_move_together_and_are_kept_apart_by_scope(place: &Place) {
    let store = place.store();
    let scope = Scope::new("p", "");
    let lock = store.lock(&scope, &RunId::generate()).expect("free");
    assert_eq!(store.cursor(&scope, "a").expect("readable"), None);
    store.set_cursors(&lock, &scope, &[("a", json!("2024-01-01")), ("b", json!({"page": 3}))]).expect("set");
    store.set_cursors(&lock, &scope, &[("a", json!("2024-02-01"))]).expect("moved");
    assert_eq!(store.cursor(&scope, "a").expect("readable"), Some(json!("2024-02-01")));
    assert_eq!(store.cursor(&Scope::new("p", "test"), "a").expect("readable"), None);
    let all = store.cursors(&scope).expect("readable");
    assert_eq!(all.iter().map(|cursor| cursor.node.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(all[1].run, lock.run());
    assert_eq!(store.clear_cursors(&lock, &scope, Some("a")).expect("cleared"), 1);
    assert_eq!(store.clear_cursors(&lock, &scope, None).expect("cleared"), 1);
    assert_eq!(store.cursors(&scope).expect("readable"), []);
    assert_eq!(store.scopes().expect("readable"), [scope]);
}

fn reject(node: &str, reason: &str, number: usize) -> Reject {
    Reject {
        node: node.into(),
        step: Some(2),
        field: Some("end_date".into()),
        value: Some(json!("31/02/2024")),
        reason: reason.into(),
        row: json!({"user_id": number, "title": "Ladders", "end_date": "31/02/2024"}),
    }
}

fn a_hundred_thousand_rejects_are_kept_counted_and_paged(place: &Place) {
    let store = place.store();
    let run = start(&Scope::new("p", ""), 0);
    store.begin_run(&run).expect("begins");
    let rejects: Vec<Reject> = (0..100_000)
        .map(|number| reject(if number % 4 == 0 { "early" } else { "late" }, "no such day", number))
        .collect();
    store.add_rejects(&run.id, &rejects).expect("kept");
    store.add_rejects(&run.id, &[]).expect("nothing to keep");
    let counts = store.reject_counts(run.id.as_str()).expect("readable");
    let seen: Vec<_> = counts.iter().map(|count| (count.node.as_str(), count.rows)).collect();
    assert_eq!(seen, [("late", 75_000), ("early", 25_000)]);
    let early = RejectFilter { run: Some(run.id.as_str()), node: Some("early"), ..RejectFilter::default() };
    let found = store.find_rejects(early, 30_000).expect("readable");
    assert_eq!(found.len(), 25_000);
    let last = found.last().expect("some");
    assert_eq!((&last.reject, last.run), (&rejects[99_996], run.id));
    assert_eq!(store.reject(last.id).expect("readable").as_ref(), Some(last));
    assert_eq!(store.reject(-1).expect("readable"), None);
    let from_the_start = of_run(&store, &run, 2);
    assert_eq!(from_the_start.iter().map(|stored| &stored.reject).collect::<Vec<_>>(), [&rejects[0], &rejects[1]]);
}

fn null_and_absent_values_of_a_reject_stay_apart(place: &Place) {
    let store = place.store();
    let run = start(&Scope::new("p", ""), 0);
    store.begin_run(&run).expect("begins");
    let rejects = [
        Reject { value: Some(Json::Null), ..reject("n", "r", 0) },
        Reject { value: None, step: None, field: None, row: Json::Null, ..reject("n", "r", 0) },
    ];
    store.add_rejects(&run.id, &rejects).expect("kept");
    let stored = of_run(&store, &run, 9);
    assert_eq!(stored.into_iter().map(|stored| stored.reject).collect::<Vec<_>>(), rejects);
    let unknown = store.add_rejects(&RunId::generate(), &rejects);
    assert!(matches!(unknown, Err(Error::NoSuchRun(_))));
}

/// The first rejects of a run, closed ones as well.
fn of_run(store: &Store, run: &RunStart, limit: usize) -> Vec<StoredReject> {
    let all = RejectFilter { run: Some(run.id.as_str()), closed_too: true, ..RejectFilter::default() };
    store.find_rejects(all, limit).expect("readable")
}

fn closed_rejects_go_before_open_ones(place: &Place) {
    let store = place.store();
    let scope = Scope::new("p", "");
    let runs = [start(&scope, 0), start(&scope, 1)];
    let lock = store.lock(&scope, &runs[1].id).expect("free");
    for run in &runs {
        store.begin_run(run).expect("begins");
        store.add_rejects(&run.id, &[reject("n", "r", 0), reject("n", "r", 1)]).expect("kept");
        store.finish_run(&run.id, &done(9), &[]).expect("ends");
    }
    let first = of_run(&store, &runs[0], 1)[0].id;
    assert_eq!(store.close_rejects(&lock, &scope, &[first]).expect("closed"), 1);
    assert_eq!(store.prune(1, 2).expect("pruned"), 1);
    assert_eq!(runs.each_ref().map(|run| of_run(&store, run, 9).len()), [1, 2]);
}

fn pruning_removes_rejects_of_old_runs_only_and_never_gives_a_number_twice(place: &Place) {
    let store = place.store();
    let (busy, quiet) = (Scope::new("busy", ""), Scope::new("quiet", ""));
    let lock = store.lock(&busy, &RunId::generate()).expect("free");
    store.set_cursors(&lock, &busy, &[("a", json!(1))]).expect("set");
    let runs = [start(&quiet, 0), start(&busy, 1), start(&busy, 2), start(&busy, 3)];
    for run in &runs {
        store.begin_run(run).expect("begins");
        store.add_rejects(&run.id, &[reject("n", "r", 0)]).expect("kept");
    }
    for run in [&runs[0], &runs[1], &runs[3]] {
        store.finish_run(&run.id, &done(9), &[]).expect("ends");
    }
    let kept = |run: &RunStart| of_run(&store, run, 9).len();
    assert_eq!(store.prune(1, 9).expect("pruned"), 0, "nobody has taken them up yet");
    assert_eq!(store.prune(9, 1).expect("pruned"), 1);
    assert_eq!(runs.each_ref().map(kept), [1, 0, 1, 1], "the latest of each, and one that still goes");
    let largest = of_run(&store, &runs[3], 1)[0].id;
    assert_eq!(store.prune(0, 0).expect("pruned"), 2);
    store.add_rejects(&runs[2].id, &[reject("n", "r", 1)]).expect("kept");
    assert!(of_run(&store, &runs[2], 9)[1].id > largest);
    assert_eq!(store.cursor(&busy, "a").expect("readable"), Some(json!(1)));
    assert_eq!(store.runs(9, None).expect("readable").len(), 4);
}
