//! Calls with several records: what becomes of each, and what is sent again when a batch is turned down.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use support::server::serve;
use support::{World, defined, object};
use towpath_connector::{Answer, Effect, Error, Record};

/// A server that answers a batch of `{id}` records as told, and remembers how many came in each.
struct Server {
    url: String,
    batches: Arc<Mutex<Vec<Vec<i64>>>>,
}

impl Server {
    async fn start<A>(answer: impl Fn(&[i64]) -> (u16, A) + Clone + Send + Sync + 'static) -> Self
    where
        A: IntoResponse,
    {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&batches);
        let handler = post(move |body: Bytes| {
            let (seen, answer) = (Arc::clone(&seen), answer.clone());
            async move {
                let body: Json = serde_json::from_slice(&body).unwrap();
                let ids: Vec<i64> =
                    body["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
                let (status, body) = answer(&ids);
                seen.lock().unwrap().push(ids);
                (StatusCode::from_u16(status).unwrap(), body)
            }
        });
        Self { url: serve(Router::new().route("/items", handler)).await, batches }
    }

    fn batches(&self) -> Vec<Vec<i64>> {
        self.batches.lock().unwrap().clone()
    }

    async fn send(&self, more: &str, ids: impl IntoIterator<Item = i64>) -> Vec<Result<Answer, Error>> {
        let text = format!(
            "version: 1\nconnector: test\nconfig: {{base_url: {{type: text, required: true}}}}\ndefaults: {{error_message: $.message}}\noperations:\n  put:\n    kind: upsert\n    request: {{path: /items, body: {{json: {{items: \"{{{{ records }}}}\"}}}}}}\n    fields: {{id: {{type: int, required: true}}, name: text}}\n{more}"
        );
        let world = World::new(defined(&text), json!({"base_url": self.url}));
        let records: Vec<Record> = ids.into_iter().map(|id| object(json!({"id": id}))).collect();
        world.operation("put").send_batch(&records).await
    }
}

fn is_done(answer: &Result<Answer, Error>) -> bool {
    matches!(answer, Ok(Answer::Confirmed { .. }))
}

fn reason(answer: &Result<Answer, Error>) -> &str {
    match answer {
        Ok(Answer::Refused { message }) => message,
        other => panic!("not refused: {other:?}"),
    }
}

fn field<'a>(answer: &'a Result<Answer, Error>, name: &str) -> &'a Json {
    match answer {
        Ok(Answer::Confirmed { fields }) => &fields[name],
        other => panic!("not confirmed: {other:?}"),
    }
}

/// Nobody can tell what became of it.
#[track_caller]
fn unclear(answer: &Result<Answer, Error>, words: &str) {
    let error = answer.as_ref().unwrap_err();
    assert_eq!(error.effect, Effect::Unknown, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[tokio::test]
async fn a_batch_that_is_turned_down_is_halved_until_the_bad_record_is_alone() {
    let server = Server::start(|ids| match ids.contains(&137) {
        true => (422, json!({"message": "137 is no good"}).to_string()),
        false => (200, String::new()),
    })
    .await;
    let answers = server.send("    batch: {size: 500}\n", 0..500).await;
    assert_eq!(answers.len(), 500);
    assert_eq!(reason(&answers[137]), "137 is no good");
    assert_eq!(answers.iter().filter(|answer| is_done(answer)).count(), 499);
    let batches = server.batches();
    assert!(batches.len() <= 19, "two calls for each halving: {}", batches.len());
    assert_eq!(batches[0].len(), 500);
    let mut done: Vec<i64> = batches.iter().filter(|batch| !batch.contains(&137)).flatten().copied().collect();
    done.sort_unstable();
    let others: Vec<i64> = (0..500).filter(|id| *id != 137).collect();
    assert_eq!(done, others, "each of the others was taken once");
}

#[tokio::test]
async fn more_records_than_a_call_takes_are_several_calls_and_bad_values_are_not_sent() {
    let server = Server::start(|_| (200, String::new())).await;
    let answers = server.send("    batch: {size: 3}\n", 0..8).await;
    assert!(answers.iter().all(is_done));
    assert_eq!(server.batches().iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2]);

    let text = "    batch: {size: 3}\n    results: {status: {from: status, type: int}}\n";
    let world_server = Server::start(|_| (201, String::new())).await;
    let answers = world_server.send(text, [1, 2]).await;
    assert_eq!(field(&answers[1], "status"), &json!(201));
}

#[tokio::test]
async fn a_record_without_a_required_field_is_turned_down_by_itself() {
    let server = Server::start(|_| (200, String::new())).await;
    let text = "version: 1\nconnector: test\nconfig: {base_url: {type: text, required: true}}\noperations:\n  put:\n    kind: upsert\n    request: {path: /items, body: {json: {items: \"{{ records }}\"}}}\n    fields: {id: {type: int, required: true}}\n    batch: {size: 10}\n";
    let world = World::new(defined(text), json!({"base_url": server.url}));
    let operation = world.operation("put");
    assert_eq!((operation.batch(), operation.info().batch), (10, 10));
    let records = [json!({"id": 1}), json!({"id": null}), json!({"id": "x"}), json!({"id": "4"})].map(object);
    let answers = operation.send_batch(&records).await;
    assert!(is_done(&answers[0]) && is_done(&answers[3]));
    assert!(reason(&answers[1]).contains("required"));
    assert!(reason(&answers[2]).contains("`id`"));
    assert_eq!(server.batches(), [[1, 4]]);
    let one = operation.send(&records[0]).await;
    assert!(is_done(&one), "a batch of one: {one:?}");
}

const BY_POSITION: &str = "    batch: {size: 100}\n    items: {path: \"$.results[*]\", success: {path: $.ok, equals: true}, error_message: [$.why]}\n    results: {number: {from: $.number, type: int}}\n";

fn outcome(id: i64) -> Json {
    json!({"id": id, "ok": id % 3 != 0, "why": format!("{id} is a multiple of 3"), "number": id * 10})
}

#[tokio::test]
async fn items_by_position_are_the_outcomes_of_the_records() {
    let server = Server::start(|ids| {
        (200, json!({"results": ids.iter().map(|id| outcome(*id)).collect::<Vec<_>>()}).to_string())
    })
    .await;
    let answers = server.send(BY_POSITION, 1..=9).await;
    assert_eq!(reason(&answers[2]), "3 is a multiple of 3");
    assert_eq!(answers.iter().filter(|answer| is_done(answer)).count(), 6);
    assert_eq!(field(&answers[3], "number"), 40);
    assert_eq!(server.batches().len(), 1, "what has outcomes of its own is not halved");
}

#[tokio::test]
async fn items_by_field_are_found_in_any_order_and_a_missing_one_is_unclear() {
    let server = Server::start(|ids| {
        let items = ids.iter().rev().filter(|id| **id != 5).map(|id| {
            let mut item = outcome(*id);
            item["id"] = json!(id.to_string());
            item
        });
        (200, json!({"results": items.collect::<Vec<_>>()}).to_string())
    })
    .await;
    let by = BY_POSITION.replace("success:", "by: {field: id, from: $.id}, success:");
    let answers = server.send(&by, 1..=6).await;
    assert_eq!(field(&answers[0], "number"), 10);
    assert_eq!(reason(&answers[2]), "3 is a multiple of 3");
    unclear(&answers[4], "no outcome for `id` 5");
    assert_eq!(reason(&answers[5]), "6 is a multiple of 3");
}

#[tokio::test]
async fn too_few_items_by_position_are_unclear_for_all() {
    let server = Server::start(|ids| {
        (200, json!({"results": ids.iter().skip(1).map(|id| outcome(*id)).collect::<Vec<_>>()}).to_string())
    })
    .await;
    for answer in server.send(BY_POSITION, [1, 2, 4]).await {
        unclear(&answer, "2 outcomes for 3 records");
    }
    assert_eq!(server.batches().len(), 1);
}

#[tokio::test]
async fn a_batch_of_unclear_outcome_is_not_sent_again() {
    let server = Server::start(|_| (500, "boom")).await;
    for answer in server.send("    batch: {size: 2}\n", 0..5).await.iter().take(2) {
        unclear(answer, "500");
    }
    assert_eq!(server.batches().len(), 1, "whoever is down is not asked for the rest");
    let server = Server::start(|_| (200, "<html>welcome</html>")).await;
    let more = "    batch: {size: 4}\n    success: {path: $.ok, equals: true}\n";
    for answer in server.send(more, 0..4).await {
        unclear(&answer, "HTML");
    }
    assert_eq!(server.batches().len(), 1);
}

#[tokio::test]
async fn what_was_not_sent_because_the_server_is_busy_is_in_no_doubt() {
    let server = Server::start(|ids| if ids.contains(&2) { (503, "later") } else { (200, "") }).await;
    let answers = server.send("    batch: {size: 2}\n", 0..6).await;
    assert!(is_done(&answers[0]) && is_done(&answers[1]));
    unclear(&answers[2], "503");
    let error = answers[4].as_ref().unwrap_err();
    assert!(error.is_passing() && error.effect == Effect::None, "{error:?}");
    assert_eq!(server.batches(), [[0, 1], [2, 3]]);
}

const ECHO: &str = "    batch: {size: 100}\n    response: {format: csv, echo: {skip_lines: 1, header: true, error_column: last, warning_prefix: \"WARNING. \", success_text: No Error Occurred}}\n    results: {title: {from: $.Title}, warning: {from: warning}}\n";

/// The answer of a content handler: a sentence, the header, the records, and the messages behind them.
fn echo(rows: &[(i64, &str)]) -> String {
    let lines = rows.iter().map(|(id, message)| format!("\"{id}\",\"t{id}\",\"{message}\"\r\n"));
    format!(
        "Please go to the last Column to view the error\r\n\"ID\",\"Title\",\"Error\"\r\n{}",
        lines.collect::<String>()
    )
}

#[tokio::test]
async fn an_echo_says_in_its_lines_what_became_of_each_record() {
    let server = Server::start(|ids| {
        let message = |id: i64| match id {
            2 => "No such user",
            3 => "WARNING. Deadline is past",
            _ => "",
        };
        (200, echo(&ids.iter().map(|id| (*id, message(*id))).collect::<Vec<_>>()))
    })
    .await;
    let answers = server.send(ECHO, 1..=4).await;
    assert_eq!((field(&answers[0], "title"), field(&answers[0], "warning")), (&json!("t1"), &json!(null)));
    assert_eq!(reason(&answers[1]), "No such user");
    assert_eq!(field(&answers[2], "warning"), "WARNING. Deadline is past");
    assert!(is_done(&answers[3]));
}

#[tokio::test]
async fn an_echo_that_ends_well_is_good_for_all_and_one_too_short_for_none() {
    let server = Server::start(|ids| {
        (200, format!("{}\"No Error Occurred\"\r\n", echo(&ids.iter().map(|id| (*id, "")).collect::<Vec<_>>())))
    })
    .await;
    let answers = server.send(ECHO, 1..=3).await;
    assert!(answers.iter().all(is_done), "{answers:?}");
    assert_eq!(field(&answers[2], "title"), "t3");

    let server = Server::start(|ids| (200, echo(&[(ids[0], "No such user")]))).await;
    for answer in server.send(ECHO, 1..=3).await {
        unclear(&answer, "1 line for 3 records");
    }
    let server = Server::start(|_| (200, "")).await;
    for answer in server.send(ECHO, 1..=2).await {
        unclear(&answer, "0 lines for 2 records");
    }
    assert_eq!(server.batches().len(), 1, "what is unclear is not halved");
}

/// A content handler: it takes CSV, and repeats each line with a message behind it.
async fn handler(body: String) -> String {
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    let mut header = reader.headers().unwrap().clone();
    header.push_field("Message");
    writer.write_record(&header).unwrap();
    for record in reader.records() {
        let mut record = record.unwrap();
        let message = if record[1].is_empty() { "TITLE is missing" } else { "" };
        record.push_field(message);
        writer.write_record(&record).unwrap();
    }
    let lines = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    let end = if lines.contains("missing") { "" } else { "\"No Error Occurred\"\r\n" };
    format!("Please go to the last Column to view the error\r\n{lines}{end}")
}

#[tokio::test]
async fn a_file_of_records_is_sent_and_its_echo_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/load", post(handler));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let text = r#"version: 1
connector: test
config: {base_url: {type: text, required: true}}
operations:
  load:
    kind: upsert
    request: {path: /load, body: {csv: {columns: {ID: "{{ record.id }}", TITLE: "{{ record.title | trim }}"}, quote: always, line_end: crlf}}}
    fields: {id: {type: text, required: true}, title: text}
    batch: {size: 100}
    response: {format: csv, echo: {skip_lines: 1, success_text: No Error Occurred}}
    results: {title: {from: $.TITLE}}
  load_one:
    kind: upsert
    request: {path: /load, body: {csv: {columns: {ID: "{{ record.id }}", TITLE: "{{ record.title }}"}}}}
    fields: {id: {type: text, required: true}, title: text}
    response: {format: csv, echo: {skip_lines: 1, success_text: No Error Occurred}}
    results: {title: {from: $.TITLE}}
"#;
    let world = World::new(defined(text), json!({"base_url": url}));
    let load = world.operation("load");
    let titles = [Some("a"), Some("\"quoted\", and\r\nbroken"), None, Some(" b ")];
    let records: Vec<Record> =
        titles.iter().enumerate().map(|(at, title)| object(json!({"id": format!("00{at}"), "title": title}))).collect();
    let answers = load.send_batch(&records).await;
    assert_eq!(field(&answers[0], "title"), "a");
    assert_eq!(field(&answers[1], "title"), "\"quoted\", and\r\nbroken");
    assert_eq!(reason(&answers[2]), "TITLE is missing");
    assert_eq!(field(&answers[3], "title"), "b");
    assert!(load.send_batch(&records[..2]).await.iter().all(is_done));
    // One at a time is a file with one line.
    let one = world.operation("load_one");
    assert_eq!(one.batch(), 1);
    assert_eq!(field(&one.send(&records[0]).await, "title"), "a");
    assert_eq!(reason(&one.send(&records[2]).await), "TITLE is missing");
}
