//! A full disk, stood in for by a limit on the pages of the writing connection.

use chrono::Utc;
use serde_json::{Value as Json, json};

use super::*;
use crate::database::params;
use crate::{Fault, Intent, Reject, RunId, RunStart, Scope};

fn limit_pages(store: &Store, pages: i64) {
    store
        .write("limiting", |connection| {
            connection.sqlite().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).doing("limiting")
        })
        .expect("limited");
}

fn intents(count: u32) -> Vec<Intent> {
    (0..count)
        .map(|number| Intent {
            key_hash: u128::from(number).to_le_bytes(),
            key: json!({"person": number, "title": "x".repeat(200)}),
            payload_hash: [1; 16],
            content: vec![1; 80],
        })
        .collect()
}

#[test]
fn a_full_disk_keeps_nothing_of_the_call_and_everything_before_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let (scope, run) = (Scope::new("p", ""), RunId::generate());
    let lock = store.lock(&scope, &run).expect("free");
    let start = RunStart {
        id: run,
        scope: scope.clone(),
        pipeline_file: "p.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).expect("begins");
    let put = |range: &[Intent]| store.intend(&lock, &scope, "s", "t", &run, range);
    let open = || store.unknown(&scope).expect("readable").len();
    let many = intents(5000);
    put(&many[..10]).expect("put down");
    limit_pages(&store, 200);

    let error = put(&many[10..]).expect_err("full");
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Machine);
    assert!(error.to_string().contains("state.db"), "{error}");
    assert_eq!(open(), 10);

    let reject = Reject { row: json!("x".repeat(5000)), ..Reject::default() };
    let error = store.add_rejects(&run, &vec![reject; 500]).expect_err("full");
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert_eq!(store.find_rejects(crate::RejectFilter::default(), 1).expect("readable"), []);

    put(&many[10..20]).expect("a small call still fits");
    limit_pages(&store, 1_000_000);
    put(&many[20..]).expect("space again");
    assert_eq!(open(), 5000);
}

#[test]
fn the_log_is_synced_at_every_commit() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let writer = locked(&store.inner.writer);
    let number = |name| writer.sqlite().pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect("a pragma");
    assert_eq!(number("synchronous"), 2, "FULL");
    assert_eq!(number("foreign_keys"), 1);
    let mode: String = writer.sqlite().pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a pragma");
    assert_eq!(mode, "wal");
}

#[test]
fn lookups_use_the_indexes_made_for_them() {
    let store = Store::in_memory().expect("memory");
    let plan = |sql: &str| -> String {
        store
            .read(|connection| {
                connection
                    .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                    .and_then(|mut plan| {
                        plan.query_map(params![], |row| row.get::<String>(3))?
                            .collect::<crate::database::Result<Vec<_>>>()
                    })
                    .doing("explaining")
            })
            .expect("a plan")
            .join("; ")
    };
    for (sql, index) in crate::journal::lookups() {
        let plan = plan(&sql.replace('?', ""));
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("SCAN journal"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
