//! A read that another process goes on with, behind any page of the one that died.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::routing::get;
use polars::prelude::DataFrame;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::in_pieces;
use support::paged::{Params, number, page, world};

const DEFINITION: &str = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
streams:
  people:
    request: {path: /people, query: {key: "{{ page.key }}"}}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    schema: {id: int}
  results:
    request: {path: "/people/{{ params.person }}/results", query: {key: "{{ page.key }}"}}
    params: {person: {type: text, required: true}}
    partition_router: {stream: people, params: {person: id}, take: {person: id}}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    schema: {id: int}
"#;

fn rows(frame: &DataFrame) -> Vec<(i64, i64)> {
    let ints = |name: &str| frame.column(name).unwrap().i64().unwrap().into_no_null_iter().collect::<Vec<_>>();
    ints("person").into_iter().zip(ints("id")).collect()
}

#[tokio::test]
async fn a_read_is_gone_on_with_behind_every_page_of_every_child_unless_its_parent_changed() {
    let expected: Vec<(i64, i64)> = (1..=5).flat_map(|person| (0..5).map(move |id| (person, id))).collect();
    let first = Arc::new(AtomicUsize::new(1));
    let of_people = Arc::clone(&first);
    let app =
        Router::new()
            .route(
                "/people",
                get(move |params: Params| {
                    let first = of_people.load(Ordering::SeqCst);
                    let item = |id| json!({"id": id, "name": "p"});
                    async move { page(first..=5, number(&params, "key"), 2, item).to_string() }
                }),
            )
            .route(
                "/people/{person}/results",
                get(|params: Params| async move {
                    page(0..5, number(&params, "key"), 2, |id| json!({"id": id})).to_string()
                }),
            );
    let world = world(DEFINITION, app, json!({"concurrency": 1})).await;
    let open = || world.source("results", json!({}), None);
    let (frame, opened) = in_pieces(open).await.unwrap();
    assert_eq!(rows(&frame), expected);
    assert!(opened > 1, "{opened}");
    let chunk = open().next().await.unwrap().unwrap();
    // The first person is gone: the second stands in that place now.
    first.store(2, Ordering::SeqCst);
    let mut source = open();
    assert!(source.go_on(chunk.position.as_ref().unwrap()));
    let error = source.next().await.err().unwrap();
    assert!(error.message.contains("is not what it was"), "{error}");
    assert!(!open().go_on(&json!({"page": 3})), "that is no place");
}
