//! A state that is exported and taken in elsewhere is the same state; what does not belong together is refused whole.
#![allow(missing_docs, clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use towpath_state::{
    ImportError, Intent, NodeRecord, Outcome, ReceiptIn, Reject, RejectFilter, RunId, RunOutcome, RunStart, RunStatus,
    Scope, Store,
};

#[macro_use]
mod support;
use support::Place;

on_both! {
    a_copy_that_is_wrong_somewhere_changes_nothing,
    locks_do_not_travel_and_what_is_under_way_does,
}

fn export(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn time(seconds: u32) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + i64::from(seconds))
}

/// One run and what it left.
#[derive(Debug, Clone)]
struct Left {
    pipeline: &'static str,
    environment: &'static str,
    ended: bool,
    cursor: Option<Json>,
    rejects: Vec<(String, Json)>,
    /// Key, payload, and the receipt if there was one.
    records: Vec<(u8, u8, Option<u8>, String)>,
}

fn json_value() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<i64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        ("[a-z]{1,3}", "\\PC{0,6}").prop_map(|(name, text)| json!({name: [text, 1.5, true]})),
    ]
}

fn left() -> impl Strategy<Value = Left> {
    (
        prop_oneof![Just("nightly"), Just("hourly")],
        prop_oneof![Just(""), Just("production")],
        any::<bool>(),
        proptest::option::of(json_value()),
        proptest::collection::vec(("\\PC{0,8}", json_value()), 0..4),
        proptest::collection::vec((0..6_u8, any::<u8>(), proptest::option::of(1..4_u8), "\\PC{0,5}"), 0..8),
    )
        .prop_map(|(pipeline, environment, ended, cursor, rejects, records)| Left {
            pipeline,
            environment,
            ended,
            cursor,
            rejects,
            records,
        })
}

fn leave(store: &Store, number: u32, left: &Left) {
    let scope = Scope::new(left.pipeline, left.environment);
    let run = RunId::at(time(number), number);
    let lock = store.lock(&scope, &run).unwrap();
    let start = RunStart {
        id: run,
        scope: scope.clone(),
        pipeline_file: "p.yaml".into(),
        started_at: time(number),
        params: json!({"n": number}),
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).unwrap();
    for (key, payload, receipt, text) in &left.records {
        let content = vec![*payload; usize::from(*key % 3)];
        let intent = Intent { key_hash: [*key; 16], key: json!({"k": text}), payload_hash: [*payload; 16], content };
        store.intend(&lock, &scope, "upload", "t", &run, &[intent]).unwrap();
        let outcome = match receipt {
            None => continue,
            Some(1) => Outcome::Confirmed,
            Some(2) => Outcome::Refused,
            Some(_) => Outcome::Unknown,
        };
        let receipt = ReceiptIn { key_hash: [*key; 16], outcome, fields: json!({"id": text}), message: None };
        store.receive(&lock, &scope, "upload", "t", &run, &[receipt]).unwrap();
    }
    let rejects: Vec<Reject> = left
        .rejects
        .iter()
        .map(|(reason, row)| Reject {
            node: "n".into(),
            reason: reason.clone(),
            row: row.clone(),
            value: Some(row.clone()),
            ..Reject::default()
        })
        .collect();
    store.add_rejects(&run, &rejects).unwrap();
    store.close_repeated_rejects(&lock, &scope).unwrap();
    if let Some(cursor) = &left.cursor {
        store.set_cursors(&lock, &scope, &[("source", cursor.clone())]).unwrap();
    }
    if left.ended {
        let end =
            RunOutcome { status: RunStatus::Rejects, exit_code: Some(3), finished_at: time(number + 1), error: None };
        let node = NodeRecord {
            node: "upload".into(),
            kind: "sink".into(),
            extra: json!({"unknown": 2}),
            ..NodeRecord::default()
        };
        store.finish_run(&run, &end, &[node]).unwrap();
    }
    lock.release().unwrap();
}

/// Runs in a copy that have no end.
fn open_runs(copy: &str) -> usize {
    copy.lines().filter(|line| line.contains(r#""table":"run""#) && !line.contains(r#""status""#)).count()
}

/// Lines in which two copies differ.
fn differing(one: &str, other: &str) -> usize {
    assert_eq!(one.lines().count(), other.lines().count());
    one.lines().zip(other.lines()).filter(|(one, other)| one != other).count()
}

/// Exported from one place and taken in at another, which may be of the other kind.
fn copied(from: &Place, to: &Place, all: &[Left]) -> Result<(), TestCaseError> {
    let store = from.store();
    for (number, left) in (0..).zip(all) {
        leave(&store, number, left);
    }
    let copy = export(&store);
    let other = to.store();
    other.import(copy.as_bytes(), false).unwrap();
    prop_assert_eq!(differing(&copy, &export(&other)), open_runs(&copy));
    prop_assert_eq!(open_runs(&export(&other)), 0, "what was going on does not go on in a copy");
    for scope in store.scopes().unwrap() {
        prop_assert_eq!(other.unknown(&scope).unwrap(), store.unknown(&scope).unwrap());
        prop_assert_eq!(other.cursors(&scope).unwrap(), store.cursors(&scope).unwrap());
    }
    let every = RejectFilter { closed_too: true, ..RejectFilter::default() };
    prop_assert_eq!(other.find_rejects(every, 99).unwrap(), store.find_rejects(every, 99).unwrap());
    // Over something else, it is the same again; and it goes on being a state.
    let something = Left {
        pipeline: "else",
        environment: "",
        ended: true,
        cursor: Some(json!(1)),
        rejects: vec![],
        records: vec![(9, 9, Some(1), "x".into())],
    };
    leave(&other, 900, &something);
    prop_assert!(matches!(other.import(copy.as_bytes(), false), Err(ImportError::NotEmpty(_))));
    other.import(copy.as_bytes(), true).unwrap();
    prop_assert_eq!(differing(&copy, &export(&other)), open_runs(&copy));
    for (number, left) in (1000..).zip(all) {
        leave(&other, number, left);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_taken_in_is_what_was_exported(all in proptest::collection::vec(left(), 0..5)) {
        copied(&Place::folder(), &Place::folder(), &all)?;
    }
}

proptest! {
    // Databases of their own.
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_server_takes_in_what_a_folder_gave_and_a_folder_what_a_server_gave(
        all in proptest::collection::vec(left(), 0..5)
    ) {
        let server = Place::server();
        copied(&Place::folder(), &server, &all)?;
        copied(&Place::server(), &Place::folder(), &all)?;
    }
}

fn a_copy_that_is_wrong_somewhere_changes_nothing(place: &Place) {
    let store = place.store();
    let left = Left {
        pipeline: "nightly",
        environment: "",
        ended: true,
        cursor: Some(json!("2024")),
        rejects: vec![("bad".into(), json!({"a": 1}))],
        records: vec![(1, 1, Some(1), "x".into()), (2, 2, None, "y".into())],
    };
    leave(&store, 0, &left);
    let copy = export(&store);
    let lines = copy.lines().count();
    let cases: Vec<(String, usize, &str)> = vec![
        (String::new(), 1, "empty"),
        ("{}\n".into(), 1, "no export of a state"),
        ("{\"towpath-state\":99}\n".into(), 1, "version 99"),
        (format!("{copy}{{\"table\":\"lock\"}}\n"), lines + 1, "no such table"),
        (format!("{copy}{{\"table\":\"scope\",\"x; y\":1}}\n"), lines + 1, "no column"),
        (
            format!("{copy}{{\"table\":\"cursor\",\"scope\":77,\"node\":\"n\",\"updated_at\":1,\"run\":\"r\"}}\n"),
            lines + 1,
            "cursor",
        ),
        (copy.replace("\"key_hash\":\"01", "\"key_hash\":\"zz"), 0, "not a hash"),
        (format!("{copy}[1]\n"), lines + 1, "expected an object"),
        (format!("{copy}nonsense\n"), lines + 1, "not JSON"),
    ];
    let older: String = copy
        .replace("{\"towpath-state\":4}", "{\"towpath-state\":3}")
        .lines()
        .map(|line| {
            let mut row: serde_json::Map<String, Json> = serde_json::from_str(line).unwrap();
            row.retain(|name, _| !name.ends_with("content"));
            Json::Object(row).to_string() + "\n"
        })
        .collect();
    store.import(older.as_bytes(), true).expect("a copy an earlier release has made");
    store.import(copy.as_bytes(), true).expect("one of this release");
    for (text, at, says) in cases {
        match store.import(text.as_bytes(), true) {
            Err(ImportError::Line { line, reason }) => {
                assert!(at == 0 || line == at, "{says}: line {line}");
                assert!(reason.contains(says), "{says}: {reason}");
            }
            other => panic!("{says}: {other:?}"),
        }
        assert_eq!(export(&store), copy, "{says}");
    }
}

fn locks_do_not_travel_and_what_is_under_way_does(place: &Place) {
    let store = place.store();
    let scope = Scope::new("nightly", "");
    let run = RunId::at(time(0), 1);
    let lock = store.lock(&scope, &run).unwrap();
    let start = RunStart {
        id: run,
        scope: scope.clone(),
        pipeline_file: "p.yaml".into(),
        started_at: time(0),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).unwrap();
    let intent = Intent { key_hash: [1; 16], key: json!({"k": 1}), payload_hash: [1; 16], content: Vec::new() };
    store.intend(&lock, &scope, "upload", "t", &run, &[intent]).unwrap();
    let copy = export(&store);
    let elsewhere = place.another();
    let other = elsewhere.store();
    let copied = other.import(copy.as_bytes(), false).unwrap();
    assert_eq!((copied.runs, copied.records, copied.cursors, copied.rejects), (1, 1, 0, 0));
    assert_eq!(other.unknown(&scope).unwrap().len(), 1);
    assert!(other.lock(&scope, &RunId::generate()).is_ok(), "nobody runs there");
}
