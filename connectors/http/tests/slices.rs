//! Streams of several calls, each against a small server that counts what it is asked.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use polars::prelude::DataFrame;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::paged::{Params, bytes, cut, number, page, text, world};
use support::{drain, texts};
use towpath_connector::Error;

/// People by pages, and the results of each by pages.
const PEOPLE: &str = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
streams:
  people:
    request: {path: /people, query: {key: "{{ page.key }}", group: "{{ params.group }}"}}
    params: {group: text}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    schema: {id: int, name: text}
  results:
    request: {path: "/people/{{ params.person }}/results", query: {key: "{{ page.key }}", name: "{{ slice.person_name }}"}}
    params: {person: {type: text, required: true}, group: text}
    partition_router:
      stream: people
      with: {group: "{{ params.group }}"}
      params: {person: id}
      take: {person_id: id, person_name: name}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    absent: {status: [404]}
    key: [person_id, id]
    schema: {id: int}
"#;

fn people(count: usize, size: usize) -> axum::routing::MethodRouter {
    get(move |params: Params| async move {
        page(1..=count, number(&params, "key"), size, |id| json!({"id": id, "name": format!("p{id}")})).to_string()
    })
}

fn ints(frame: &DataFrame, column: &str) -> Vec<i64> {
    let column = frame.column(column).unwrap().as_materialized_series().clone();
    column.i64().unwrap().iter().map(|value| value.unwrap_or(-1)).collect()
}

fn pairs(frame: &DataFrame) -> Vec<(i64, i64)> {
    ints(frame, "person_id").into_iter().zip(ints(frame, "id")).collect()
}

#[tokio::test]
async fn children_come_in_the_order_of_their_parents_with_what_is_taken_of_them_first() {
    for (count, concurrency) in [(0, 4), (1, 1), (7, 1), (7, 3), (7, 32)] {
        let app = Router::new().route("/people", people(count, 3)).route(
            "/people/{person}/results",
            get(|Path(person): Path<usize>, params: Params| async move {
                assert_eq!(text(&params, "name"), format!("p{person}"));
                if person == 4 {
                    return StatusCode::NOT_FOUND.into_response();
                }
                page(0..person, number(&params, "key"), 2, |id| json!({"id": id})).to_string().into_response()
            }),
        );
        let world = world(PEOPLE, app, json!({"concurrency": concurrency})).await;
        let mut source = world.source("results", json!({}), None);
        let names: Vec<String> =
            source.schema().fields.iter().map(|field| format!("{} {}", field.name, field.ty)).collect();
        assert_eq!(names, ["person_id int", "person_name text", "id int"]);
        let (frame, rejects, retries) = drain(source.as_mut()).await.unwrap();
        assert!(rejects.is_empty() && retries == 0);
        let expected: Vec<(i64, i64)> = (1..=count as i64)
            .filter(|person| *person != 4)
            .flat_map(|person| (0..person).map(move |id| (person, id)))
            .collect();
        if expected.is_empty() {
            assert_eq!(frame.height(), 0);
            continue;
        }
        assert_eq!(pairs(&frame), expected, "{count} parents, {concurrency} at a time");
        assert_eq!(texts(&frame, "person_name")[0].as_deref(), Some("p1"));
        assert!(source.next().await.unwrap().is_none(), "the end stays the end");
    }
}

/// Which calls break off: by path and key, once each.
fn breaking(at: Vec<(String, usize)>) -> impl Fn(&str, usize, &Json) -> Response + Clone {
    let left = Arc::new(Mutex::new(at));
    move |path, key, body| {
        let mut left = left.lock().unwrap();
        match left.iter().position(|(one, at)| one == path && *at == key) {
            Some(found) => {
                left.remove(found);
                cut(body)
            }
            None => body.to_string().into_response(),
        }
    }
}

#[tokio::test]
async fn a_cut_in_any_page_of_any_slice_or_of_the_parent_loses_and_doubles_nothing() {
    let expected: Vec<(i64, i64)> = (1..=5).flat_map(|person| (0..5).map(move |id| (person, id))).collect();
    let mut cuts: Vec<Vec<(String, usize)>> = Vec::new();
    for person in 1..=5 {
        cuts.extend([0, 2, 4].map(|key| vec![(format!("/people/{person}/results"), key)]));
    }
    cuts.extend([0, 2, 4].map(|key| vec![("/people".to_owned(), key)]));
    // All at once.
    cuts.push(cuts.concat());
    for cut in cuts {
        for concurrency in [1, 4] {
            let answer = breaking(cut.clone());
            let of_people = answer.clone();
            let app = Router::new()
                .route(
                    "/people",
                    get(move |params: Params| async move {
                        let key = number(&params, "key");
                        of_people("/people", key, &page(1..=5, key, 2, |id| json!({"id": id, "name": "p"})))
                    }),
                )
                .route(
                    "/people/{person}/results",
                    get(move |Path(person): Path<usize>, params: Params| async move {
                        let key = number(&params, "key");
                        answer(&format!("/people/{person}/results"), key, &page(0..5, key, 2, |id| json!({"id": id})))
                    }),
                );
            let world = world(PEOPLE, app, json!({"concurrency": concurrency})).await;
            let mut source = world.source("results", json!({}), None);
            // More tries than `drain` has: each try ends one cut at least.
            let mut rows = Vec::new();
            let mut tries = 0;
            loop {
                match source.next().await {
                    Ok(None) => break,
                    Ok(Some(chunk)) => {
                        assert!(chunk.position.is_some(), "each page is a place to go on from");
                        rows.extend(pairs(&chunk.frame));
                    }
                    Err(error) => {
                        assert!(error.is_passing(), "{error}");
                        tries += 1;
                    }
                }
            }
            assert!(tries > 0 && tries <= cut.len(), "{tries} tries for {cut:?}");
            assert_eq!(rows, expected, "{concurrency} at a time, {cut:?}");
        }
    }
}

#[tokio::test]
async fn an_error_of_a_child_names_the_parent_and_comes_in_its_turn() {
    let app = Router::new().route("/people", people(3, 3)).route(
        "/people/{person}/results",
        get(|Path(person): Path<usize>| async move {
            if person == 2 {
                return (StatusCode::FORBIDDEN, "no").into_response();
            }
            json!({"items": [{"id": 1}]}).to_string().into_response()
        }),
    );
    let world = world(PEOPLE, app, json!({})).await;
    let mut source = world.source("results", json!({}), None);
    let mut rows = Vec::new();
    let error = loop {
        match source.next().await {
            Ok(chunk) => rows.extend(pairs(&chunk.unwrap().frame)),
            Err(error) => break error,
        }
    };
    assert_eq!(rows, [(1, 1)]);
    assert!(error.message.starts_with("person 2: results: "), "{error}");
    assert!(!error.is_passing());
}

#[tokio::test]
async fn what_is_given_is_not_fanned_out_over() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new()
        .route(
            "/people",
            get(move |params: Params| async move {
                count.fetch_add(1, Ordering::SeqCst);
                assert_eq!(text(&params, "group"), "warehouse", "the parent gets what `with` says");
                page(1..=3, 0, 3, |id| json!({"id": id, "name": "p"})).to_string()
            }),
        )
        .route(
            "/people/{person}/results",
            get(|Path(person): Path<usize>| async move { json!({"items": [{"id": person * 10}]}).to_string() }),
        );
    let world = world(PEOPLE, app, json!({})).await;
    let (frame, ..) = drain(world.source("results", json!({"person": 7}), None).as_mut()).await.unwrap();
    assert_eq!(pairs(&frame), [(7, 70)]);
    assert_eq!(texts(&frame, "person_name"), [None]);
    let found = world.lookup("results", json!({"person": "8"})).await.unwrap();
    assert_eq!(Json::from(found), json!([{"person_id": 8, "person_name": null, "id": 80}]));
    assert!(world.lookup("results", json!({"person": null})).await.unwrap().is_empty(), "nothing has no name");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let all = world.lookup("results", json!({"group": "warehouse"})).await.unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn ten_thousand_children_are_asked_for_so_many_at_a_time_and_no_more() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let app = Router::new().route("/people", people(10_000, 1_000)).route(
        "/people/{person}/results",
        get(move |Path(person): Path<usize>| async move {
            peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            json!({"items": [{"id": person}]}).to_string()
        }),
    );
    let world = world(PEOPLE, app, json!({"concurrency": 32})).await;
    let mut source = world.source("results", json!({}), None);
    let (frame, _, retries) = drain(source.as_mut()).await.unwrap();
    let expected: Vec<i64> = (1..=10_000).collect();
    assert_eq!((ints(&frame, "id"), retries), (expected, 0));
    let most = most.load(Ordering::SeqCst);
    assert!((2..=32).contains(&most), "{most} at a time");
}

#[tokio::test]
async fn large_children_do_not_pile_up() {
    let pages: Arc<Mutex<HashMap<usize, usize>>> = Arc::default();
    let asked = Arc::clone(&pages);
    let app = Router::new().route("/people", people(6, 6)).route(
        "/people/{person}/results",
        get(move |Path(person): Path<usize>, params: Params| async move {
            *asked.lock().unwrap().entry(person).or_default() += 1;
            page(0..60_000, number(&params, "key"), 5_000, |id| json!({"id": id})).to_string()
        }),
    );
    let world = world(PEOPLE, app, json!({"concurrency": 4})).await;
    let mut source = world.source("results", json!({}), None);
    let mut rows = 0;
    while rows < 50_000 {
        rows += source.next().await.unwrap().unwrap().frame.height();
    }
    let asked = pages.lock().unwrap().clone();
    assert!(asked[&1] >= 10 && rows < 60_000, "{asked:?}");
    assert!((2..=4).all(|person| asked.get(&person).is_none_or(|pages| *pages == 1)), "{asked:?}");
    assert!(!asked.contains_key(&5), "{asked:?}");
}

#[tokio::test]
async fn records_of_the_parent_that_cannot_be_read_are_told_and_nameless_ones_passed_over() {
    let app = Router::new()
        .route(
            "/people",
            get(|| async {
                json!({"items": [{"id": 1}, {"id": "one"}, {"id": null}, {"name": "x"}, {"id": 2}]}).to_string()
            }),
        )
        .route(
            "/people/{person}/results",
            get(|Path(person): Path<usize>| async move { json!({"items": [{"id": person}]}).to_string() }),
        );
    let world = world(PEOPLE, app, json!({})).await;
    let (frame, rejects, _) = drain(world.source("results", json!({}), None).as_mut()).await.unwrap();
    assert_eq!(pairs(&frame), [(1, 1), (2, 2)]);
    assert_eq!(rejects.len(), 1);
    assert!(rejects[0].reason.starts_with("in `people`: "), "{rejects:?}");
}

const VALUES: &str = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
streams:
  orders:
    request: {path: /orders, query: {status: "{{ params.status }}", site: "{{ slice.site }}"}}
    params:
      status: {type: text, required: true}
      site: int
      sites: {type: "list<int>", default: [1, 2]}
    partition_router:
      values: {status: [open, closed], site: "{{ params.sites }}"}
      take: {status: status, at: site}
    record_selector: {records: "$.items[*]"}
    schema: {id: text}
"#;

#[tokio::test]
async fn there_is_a_slice_for_each_combination_of_values() {
    let app = Router::new().route(
        "/orders",
        get(|params: Params| async move {
            let id = format!("{}{}", text(&params, "status"), text(&params, "site"));
            json!({"items": [{"id": id}]}).to_string()
        }),
    );
    let world = world(VALUES, app, json!({})).await;
    let read = async |with: Json| {
        let (frame, ..) = drain(world.source("orders", with, None).as_mut()).await.unwrap();
        let ids = texts(&frame, "id").into_iter().flatten();
        let statuses = texts(&frame, "status").into_iter().flatten();
        let rows = ids.zip(statuses).zip(ints(&frame, "at"));
        rows.map(|((id, status), at)| format!("{id} {status} {at}")).collect::<Vec<_>>()
    };
    let all = ["open1 open 1", "open2 open 2", "closed1 closed 1", "closed2 closed 2"];
    assert_eq!(read(json!({})).await, all);
    assert_eq!(read(json!({"sites": [9]})).await, ["open9 open 9", "closed9 closed 9"]);
    assert_eq!(read(json!({"status": "held"})).await, ["held1 held 1", "held2 held 2"]);
    assert_eq!(read(json!({"status": "held", "site": 5})).await, ["held5 held 5"]);
    let found = world.lookup("orders", json!({"status": "held", "site": 5})).await.unwrap();
    assert_eq!(Json::from(found), json!([{"status": "held", "at": 5, "id": "held5"}]));
}

const WINDOWS: &str = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
streams:
  changes:
    request: {path: /changes, query: {from: "{{ params.from }}", to: "{{ params.to }}", key: "{{ page.key }}"}}
    params: {from: {type: text, required: true}, to: {type: text, required: true}}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    incremental:
      by: request_time
      start: from
      end: to
      step: P10D
      overlap: P1D
      earliest: "2026-01-01T00:00:00Z"
      format: "%Y-%m-%d"
      precision: day
    key: id
    schema: {id: int}
"#;

/// One change a day of January 2026: `id` is the day.
fn changes(log: &Arc<Mutex<Vec<String>>>, breaks: Vec<(String, usize)>) -> Router {
    let (log, answer) = (Arc::clone(log), breaking(breaks));
    Router::new().route(
        "/changes",
        get(move |params: Params| async move {
            let (from, to, key) = (text(&params, "from"), text(&params, "to"), number(&params, "key"));
            log.lock().unwrap().push(format!("{from}..{to} {key}"));
            let day = |at: &str| -> usize {
                match at.strip_prefix("2026-01-") {
                    Some(day) => day.parse().unwrap(),
                    None => 32,
                }
            };
            answer(from, key, &page(day(from)..day(to), key, 4, |id| json!({"id": id})))
        }),
    )
}

#[tokio::test]
async fn windows_reach_up_to_the_end_and_what_comes_twice_is_given_once() {
    for breaks in [vec![], vec![("2026-01-10".to_owned(), 4), ("2026-01-20".to_owned(), 0)]] {
        for concurrency in [1, 8] {
            let log = Arc::default();
            let world = world(WINDOWS, changes(&log, breaks.clone()), json!({"concurrency": concurrency})).await;
            let mut source = world.source("changes", json!({"to": "2026-02-01"}), None);
            let (frame, _, retries) = drain(source.as_mut()).await.unwrap();
            assert_eq!(ints(&frame, "id"), (1..=31).collect::<Vec<_>>());
            assert!(retries <= breaks.len() && (retries > 0) != breaks.is_empty(), "{retries}");
            let mut asked = log.lock().unwrap().clone();
            asked.sort();
            asked.dedup();
            let first: Vec<&String> = asked.iter().filter(|call| call.ends_with(" 0")).collect();
            let windows = [
                "2026-01-01..2026-01-11 0",
                "2026-01-10..2026-01-21 0",
                "2026-01-20..2026-01-31 0",
                "2026-01-30..2026-02-01 0",
            ];
            assert_eq!(first, windows);
        }
    }
}

#[tokio::test]
async fn windows_start_at_the_cursor_and_end_now() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let world = world(WINDOWS, changes(&log, Vec::new()), json!({})).await;
    let cursor = (chrono::Utc::now() - chrono::TimeDelta::days(1)).format("%Y-%m-%dT00:00:00Z").to_string();
    let mut source = world.source("changes", json!({}), Some(&Json::from(cursor.clone())));
    while source.next().await.unwrap().is_some() {}
    let end = (chrono::Utc::now() + chrono::TimeDelta::days(1)).format("%Y-%m-%d");
    assert_eq!(log.lock().unwrap().as_slice(), [format!("{}..{end} 0", &cursor[..10])]);
    let kept = source.cursor().unwrap();
    assert_eq!(kept, Json::from(chrono::Utc::now().format("%Y-%m-%dT00:00:00Z").to_string()));
}

const XML: &str = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
streams:
  sites:
    request: {path: /sites}
    record_selector: {records: "$[*]", value: site}
    schema: {site: text}
  trainings:
    request: {path: "/{{ params.site }}/history", query: {from: "{{ params.from }}", to: "{{ params.to }}"}}
    params: {site: text, from: text, to: text}
    partition_router: {stream: sites, params: {site: site}, take: {site: site}}
    incremental: {by: request_time, start: from, end: to, step: P10D, overlap: P1D, earliest: "2026-01-01T00:00:00Z", format: "%Y-%m-%d", precision: day}
    record_selector: {format: xml, records: "//training"}
    key: [site, id]
    schema: {id: {type: int, from: "@id"}}
"#;

#[tokio::test]
async fn xml_comes_by_parent_and_window_too() {
    let cuts = Arc::new(Mutex::new(vec!["a2026-01-10", "b2026-01-01"]));
    let left = Arc::clone(&cuts);
    let app = Router::new().route("/sites", get(|| async { json!(["a", "b", "c"]).to_string() })).route(
        "/{site}/history",
        get(move |Path(site): Path<String>, params: Params| async move {
            let (from, to) = (text(&params, "from"), text(&params, "to"));
            let day = |at: &str| at[8..].parse::<usize>().unwrap();
            let records: String = (day(from)..day(to)).map(|id| format!("<training id=\"{id}\"/>\n")).collect();
            let whole = format!("<?xml version=\"1.0\"?><all>{records}</all>");
            let mut cuts = left.lock().unwrap();
            let call = format!("{site}{from}");
            if let Some(found) = cuts.iter().position(|one| *one == call) {
                cuts.remove(found);
                let half = bytes(&whole.as_bytes()[..whole.len() / 2]);
                let pieces = [Ok(half), Err(std::io::Error::other("cut"))];
                return Body::from_stream(futures::stream::iter(pieces)).into_response();
            }
            ([("content-type", "application/xml")], whole).into_response()
        }),
    );
    let world = world(XML, app, json!({"concurrency": 3})).await;
    let (frame, rejects, retries) =
        drain(world.source("trainings", json!({"to": "2026-01-25"}), None).as_mut()).await.unwrap();
    let expected: Vec<(String, i64)> =
        ["a", "b", "c"].iter().flat_map(|site| (1..25).map(move |id| ((*site).to_owned(), id))).collect();
    let found: Vec<(String, i64)> = texts(&frame, "site").into_iter().flatten().zip(ints(&frame, "id")).collect();
    assert_eq!(found, expected);
    assert!(rejects.is_empty() && retries > 0 && cuts.lock().unwrap().is_empty());
    let found =
        world.lookup("trainings", json!({"site": "b", "from": "2026-01-03", "to": "2026-01-05"})).await.unwrap();
    assert_eq!(Json::from(found), json!([{"site": "b", "id": 3}, {"site": "b", "id": 4}]));
}

#[tokio::test]
async fn a_grandparent_is_gone_through_as_well() {
    let more = "  answers:\n    request: {path: \"/answers/{{ params.person }}/{{ params.result }}\"}\n    params: {person: text, result: text}\n    partition_router: {stream: results, params: {person: person_id, result: id}, take: {who: person_name, result: id}}\n    record_selector: {records: \"$[*]\", value: text}\n    schema: {text: text}\n";
    let app = Router::new()
        .route("/people", people(3, 2))
        .route(
            "/people/{person}/results",
            get(|Path(person): Path<usize>| async move { page(0..person, 0, 9, |id| json!({"id": id})).to_string() }),
        )
        .route(
            "/answers/{person}/{result}",
            get(
                |Path((person, result)): Path<(usize, usize)>| async move { json!([person * 10 + result]).to_string() },
            ),
        );
    let world = world(&format!("{PEOPLE}{more}"), app, json!({"concurrency": 2})).await;
    let (frame, ..) = drain(world.source("answers", json!({}), None).as_mut()).await.unwrap();
    assert_eq!(texts(&frame, "text").into_iter().flatten().collect::<Vec<_>>(), ["10", "20", "21", "30", "31", "32"]);
    assert_eq!(texts(&frame, "who")[5].as_deref(), Some("p3"));
}

#[tokio::test]
async fn whoever_wants_the_head_asks_for_no_second_page() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/people",
        get(move |params: Params| async move {
            count.fetch_add(1, Ordering::SeqCst);
            page(1..=9, number(&params, "key"), 3, |id| json!({"id": id, "name": "p"})).to_string()
        }),
    );
    let world = world(PEOPLE, app, json!({})).await;
    let mut source = world.source("people", json!({}), None);
    assert_eq!(source.next().await.unwrap().unwrap().frame.height(), 3);
    // Time enough for a second call, had there been one: another one to the same server.
    assert_eq!(world.lookup("people", json!({})).await.unwrap().len(), 9);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let (frame, ..) = drain(source.as_mut()).await.unwrap();
    assert_eq!(ints(&frame, "id"), [4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_parameter_of_the_parent_that_does_not_fit_is_told_with_both_names() {
    let definition = PEOPLE
        .replace("params: {group: text}\n    record", "params: {group: {type: text, values: [a, b]}}\n    record");
    let world = world(&definition, Router::new(), json!({})).await;
    let error: Error = drain(world.source("results", json!({"group": "c"}), None).as_mut()).await.unwrap_err();
    assert_eq!(error.message, "stream `people`, read for `results`: `group` is `c`, expected one of a, b");
}
