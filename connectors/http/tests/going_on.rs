//! A read that another process goes on with, behind any page of the one that died.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::routing::get;
use polars::prelude::DataFrame;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::paged::{Params, number, page, world};
use support::{drain, in_pieces};

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

/// People from `first` to 5, some of whom have no number, and five results of each; all by pages of two.
fn app(first: &Arc<AtomicUsize>, nameless: &'static [usize]) -> Router {
    let first = Arc::clone(first);
    let people = get(move |params: Params| {
        let first = first.load(Ordering::SeqCst);
        let item = |id| if nameless.contains(&id) { json!({"id": "none"}) } else { json!({"id": id}) };
        async move { page(first..=5, number(&params, "key"), 2, item).to_string() }
    });
    let results =
        get(|params: Params| async move { page(0..5, number(&params, "key"), 2, |id| json!({"id": id})).to_string() });
    Router::new().route("/people", people).route("/people/{person}/results", results)
}

#[tokio::test]
async fn a_read_is_gone_on_with_behind_every_page_of_every_child_unless_its_parent_changed() {
    let expected: Vec<(i64, i64)> = (1..=5).flat_map(|person| (0..5).map(move |id| (person, id))).collect();
    let first = Arc::new(AtomicUsize::new(1));
    let world = world(DEFINITION, app(&first, &[]), json!({"concurrency": 1})).await;
    let open = || world.source("results", json!({}), None);
    let (frame, _, opened) = in_pieces(open).await.unwrap();
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

#[tokio::test]
async fn parents_that_are_rejects_are_told_once_however_often_it_is_gone_on() {
    for nameless in [&[2][..], &[2, 3], &[5], &[2, 4, 5]] {
        let world = world(DEFINITION, app(&Arc::new(AtomicUsize::new(1)), nameless), json!({"concurrency": 1})).await;
        let open = || world.source("results", json!({}), None);
        let (whole, told, _) = drain(open().as_mut()).await.unwrap();
        assert_eq!(told.len(), nameless.len());
        let (frame, rejects, opened) = in_pieces(open).await.unwrap();
        assert_eq!((rows(&frame), rejects.len()), (rows(&whole), nameless.len()), "{nameless:?}");
        assert!(opened > 1, "{opened}");
    }
}
