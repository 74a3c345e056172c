//! Ways a stream is written: CSV, text, files, and how its values are read.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::response::{IntoResponse, Response};
use polars::prelude::AnyValue;
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::server::{Say, Seen, Server, json as answer};
use support::{World, defined, drain};
use towpath_connector::{Error, Record, RejectedRow};

fn world(stream: &str, server: &Server) -> World {
    let text = format!(
        "version: 1\nconnector: test\nconfig:\n  base_url: {{type: text, required: true}}\nstreams:\n  items:\n{stream}"
    );
    World::new(defined(&text), json!({"base_url": server.url}))
}

/// All rows of the stream as JSON, and the rejects.
async fn rows(
    stream: &str,
    answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static,
) -> Result<(Vec<Record>, Vec<RejectedRow>), Error> {
    let server = Server::start(answer).await;
    let world = world(stream, &server);
    let mut source = world.source("items", json!({}), None);
    let schema = source.schema().clone();
    let (frame, rejects, _) = drain(source.as_mut()).await?;
    let rows = towpath_mapping::frame_to_json_rows(&frame, &schema).unwrap();
    assert_eq!(world.lookup("items", json!({})).await.map(|found| found.len()).unwrap_or(rows.len()), rows.len());
    Ok((rows, rejects))
}

fn say(status: u16, kind: &'static str, text: impl Into<String>) -> impl Fn(&Seen) -> Response + Clone + Send + Sync {
    let text = text.into();
    move |_: &Seen| Say(status, kind, text.clone()).into_response()
}

#[tokio::test]
async fn csv_records_are_lines_by_their_header() {
    let stream = "    request: {path: /x}\n    record_selector: {format: csv, delimiter: \";\", skip_lines: 1}\n    schema:\n      \
                  id: {type: text, from: User ID}\n      score: int\n      done: {type: date, formats: \"%d/%m/%Y\"}\n";
    let text = "exported today\r\nUser ID;score;done;more\r\n007; 5 ;01/02/2026;x\r\n\"8;9\";;;\r\n10;many;;\r\n";
    let (found, rejects) = rows(stream, say(200, "text/csv", text)).await.unwrap();
    let expected = [json!({"id": "007", "score": 5, "done": "2026-02-01"})];
    assert_eq!(json!(found[0]), expected[0]);
    assert_eq!(json!(found[1]), json!({"id": "8;9", "score": null, "done": null}));
    assert_eq!((found.len(), rejects.len()), (2, 1), "{found:?} {rejects:?}");
    assert!(rejects[0].reason.contains("many"), "{}", rejects[0].reason);
    let kept = stream.replace("    schema:", "    columns: {nulls: [\"-\"]}\n    schema:");
    let (found, rejects) = rows(&kept, say(200, "text/csv", text)).await.unwrap();
    assert_eq!((found.len(), rejects.len()), (1, 2), "{found:?} {rejects:?}");
    for empty in ["", "exported today\n", "exported today\nUser ID;score;done\n"] {
        assert_eq!(rows(stream, say(200, "text/csv", empty)).await.unwrap().0.len(), 0, "{empty}");
    }
    let error = rows(stream, say(200, "text/html", "<html>Sign in")).await.err().unwrap();
    assert!(error.message.contains("HTML"), "{error:?}");
    let error = rows(stream, say(200, "application/json", "{\"error\": 1}")).await.err().unwrap();
    assert!(error.message.contains("JSON where CSV was expected"), "{error:?}");
    let told = stream.replace("    schema:", "    error_message: $.error\n    schema:");
    let error = rows(&told, say(200, "application/json", "{\"error\": \"no rights\"}")).await.err().unwrap();
    assert!(error.message.ends_with("without records: no rights"), "{error:?}");
    let error = rows(stream, say(200, "text/csv", "x\nUser ID;score;done\n1;2\n")).await.err().unwrap();
    assert!(error.message.contains("record 1 has 2 fields, expected 3"), "{error:?}");
    let error = rows(stream, say(200, "text/csv", "x\nUser Id;score;done\n")).await.err().unwrap();
    assert!(error.message.contains("its header has no `User ID`: it is `User Id`, `score`"), "{error:?}");
}

#[tokio::test]
async fn a_text_is_one_record() {
    let stream = "    request: {path: /x}\n    record_selector: {format: text, value: said}\n    schema: {said: {type: text, trim: false}}\n";
    let (found, _) = rows(stream, say(200, "text/plain; charset=utf-8", "a\nb ü")).await.unwrap();
    assert_eq!(json!(found), json!([{"said": "a\nb ü"}]));
    assert!(rows(stream, say(200, "text/plain", "")).await.unwrap().0.is_empty());
    let number = stream.replace("type: text", "type: int").replace("trim: false", "trim: true");
    assert_eq!(json!(rows(&number, say(200, "text/plain", " 42\n")).await.unwrap().0), json!([{"said": 42}]));
}

#[tokio::test]
async fn a_file_is_one_record_with_its_bytes() {
    let stream = "    request: {path: /x}\n    record_selector: {format: file}\n    absent: {status: 404}\n    schema:\n      \
                  pdf: {type: binary, from: content}\n      content_type: text\n      file_name: text\n      size: int\n";
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let sent = bytes.clone();
    let (found, _) = rows(stream, move |_: &Seen| {
        let headers =
            [("content-type", "application/pdf"), ("content-disposition", "attachment; filename=\"a b.pdf\"")];
        (headers, sent.clone()).into_response()
    })
    .await
    .unwrap();
    let expected = json!([{
        "pdf": data_encoding::BASE64.encode(&bytes), "content_type": "application/pdf", "file_name": "a b.pdf", "size": 3000,
    }]);
    assert_eq!(json!(found), expected);
    for nothing in [204, 404, 200] {
        assert!(rows(stream, say(nothing, "application/pdf", "")).await.unwrap().0.is_empty(), "{nothing}");
    }
    let error = rows(stream, say(200, "text/html", "<!DOCTYPE html>Sign in")).await.err().unwrap();
    assert!(error.message.contains("HTML where a file was expected"), "{error:?}");
    let error = rows(stream, say(200, "application/pdf", "x".repeat((64 << 20) + 1))).await.err().unwrap();
    assert!(error.message.contains("larger than 64 MiB"), "{error:?}");
}

#[tokio::test]
async fn a_file_is_a_column_of_bytes() {
    let server = Server::start(say(200, "image/png", "PNG")).await;
    let stream = "    request: {path: /x}\n    record_selector: {format: file}\n    schema: {content: binary}\n";
    let world = world(stream, &server);
    let (frame, _, _) = drain(world.source("items", json!({}), None).as_mut()).await.unwrap();
    assert_eq!(frame.column("content").unwrap().get(0).unwrap(), AnyValue::Binary(b"PNG"));
}

#[tokio::test]
async fn values_are_read_as_their_columns_say() {
    let columns = "    columns: {nulls: [\"\"]}\n    schema:\n      id: {type: text, case: lower}\n      number: text\n      count: int\n      \
                   groups: {type: list<text>, split: \",\"}\n      ids: {type: list<int>, split: \"|\"}\n      on: {type: bool, yes: [Y, \"1\"], no: [N, \"0\"]}\n";
    let stream = format!("    request: {{path: /x}}\n{columns}");
    let body = r#"[{"id":" AbC ","number":71.5,"count":"12","groups":"a, b,c","ids":"1|2","on":"y"},
                   {"id":"x","number":12345678901234567890123,"count":3,"groups":"","ids":null,"on":0},
                   {"id":"y","number":"007","count":1,"groups":"a","ids":"1|x","on":"N"},
                   {"id":"z","number":1,"count":1,"groups":"a","ids":"1","on":"maybe"}]"#;
    let (found, rejects) = rows(&stream, say(200, "application/json", body)).await.unwrap();
    let expected = json!([
        {"id": "abc", "number": "71.5", "count": 12, "groups": ["a", "b", "c"], "ids": [1, 2], "on": true},
        {"id": "x", "number": "12345678901234567890123", "count": 3, "groups": null, "ids": null, "on": false},
    ]);
    assert_eq!(json!(found), expected);
    let fields: Vec<&str> = rejects.iter().filter_map(|reject| reject.field.as_deref()).collect();
    assert_eq!(fields, ["ids", "on"]);
    // Without a marker of null, an empty text is a list without items.
    let empty = "    request: {path: /x}\n    schema: {groups: {type: list<text>, split: \",\", case: upper}}\n";
    let (found, _) = rows(empty, say(200, "application/json", r#"[{"groups":""},{"groups":"a,b"}]"#)).await.unwrap();
    assert_eq!(json!(found), json!([{"groups": []}, {"groups": ["A", "B"]}]));

    let xml = format!("    request: {{path: /x}}\n    record_selector: {{format: xml, records: //i}}\n{columns}");
    let body = "<l><i><id> AbC </id><number>007</number><count>12</count><groups>a, b</groups><ids>1|2</ids><on>Y</on></i>\
                <i><id>x</id><on>0</on></i></l>";
    let (found, rejects) = rows(&xml, say(200, "text/xml", body)).await.unwrap();
    let expected = json!([
        {"id": "abc", "number": "007", "count": 12, "groups": ["a", "b"], "ids": [1, 2], "on": true},
        {"id": "x", "number": null, "count": null, "groups": null, "ids": null, "on": false},
    ]);
    assert!(rejects.is_empty(), "{:?}", rejects.iter().map(|reject| &reject.reason).collect::<Vec<_>>());
    assert_eq!(json!(found), expected);
}

const MAX: &str = "    request: {path: /x, query: {max: \"{{ page.size }}\"}}\n    paginator: {type: max, page_size: 10}\n    schema: {id: int}\n";

fn up_to(seen: &Seen, count: usize) -> Response {
    let max: usize = seen.line.rsplit('=').next().unwrap().parse().unwrap();
    let items: Vec<Json> = (0..count.min(max)).map(|id| json!({"id": id})).collect();
    answer(200, &Json::from(items))
}

#[tokio::test]
async fn a_call_with_a_cap_is_asked_for_ten_times_more_until_it_is_enough() {
    for (count, calls) in [(0, 1), (9, 1), (10, 2), (99, 2), (100, 3), (1001, 4)] {
        let server = Server::start(move |seen| up_to(seen, count)).await;
        let world = world(MAX, &server);
        let (frame, _, _) = drain(world.source("items", json!({}), None).as_mut()).await.unwrap();
        assert_eq!((frame.height(), server.seen().len()), (count, calls));
        assert_eq!(world.lookup("items", json!({})).await.unwrap().len(), count);
    }
    let server = Server::start(|seen| up_to(seen, 250)).await;
    let definition = format!("version: 1\nconnector: test\nconfig: {{base_url: text}}\nstreams:\n  items:\n{MAX}");
    let settings = json!({"base_url": server.url, "overrides": {"items": {"page_size": 300, "path": "/y"}}});
    let world = World::new(defined(&definition), settings);
    assert_eq!(drain(world.source("items", json!({}), None).as_mut()).await.unwrap().0.height(), 250);
    assert_eq!(server.lines(), ["GET /y?max=300"]);
}

#[tokio::test]
async fn retries_of_a_capped_call_keep_nothing_of_what_was_cut() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start(|seen| match CALLS.fetch_add(1, Ordering::SeqCst) {
        1 => Say(503, "text/plain", String::new()).into_response(),
        _ => up_to(seen, 25),
    })
    .await;
    let (frame, _, retries) = drain(world(MAX, &server).source("items", json!({}), None).as_mut()).await.unwrap();
    assert_eq!((frame.height(), retries), (25, 1));
    assert_eq!(server.lines(), ["GET /x?max=10", "GET /x?max=100", "GET /x?max=100"]);
}

#[tokio::test]
async fn a_read_can_send_a_form_or_a_bare_list() {
    let get = "    request: {path: /x, body: {form: {per_page: \"{{ page.size }}\"}}}\n    paginator: {type: max, page_size: 50}\n    schema: {id: int}\n";
    let server = Server::start(|_| answer(200, &json!([{"id": 1}]))).await;
    drain(world(get, &server).source("items", json!({}), None).as_mut()).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("GET /x", "per_page=50"));
    let post = "    request: {method: POST, path: /x, body: {json: \"{{ params.ids }}\"}}\n    params: {ids: list<text>, day: {type: date, format: \"%d-%m-%Y\"}}\n    schema: {id: int}\n";
    let asked = world(post, &server);
    drain(asked.source("items", json!({"ids": ["a", "b"]}), None).as_mut()).await.unwrap();
    assert_eq!(server.seen().pop().unwrap().body, r#"["a","b"]"#);
}
