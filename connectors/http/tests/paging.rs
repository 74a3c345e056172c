//! Ways to page, to log in and to be refused, each against a small server that does just that.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::paged::{Params, number};
use support::server::serve;
use support::{World, confirmed, defined, drain, refusal};
use towpath_connector::Fault;

fn definition(stream: &str) -> String {
    let selector = "    record_selector: {records: \"$.items[*]\"}\n";
    let selector = if stream.contains("record_selector") { "" } else { selector };
    format!(
        "version: 1\nconnector: test\nconfig:\n  base_url: {{type: text, required: true}}\n  key: {{type: text, secret: true}}\nstreams:\n  items:\n{stream}{selector}    schema: {{id: int}}\n"
    )
}

/// The items `from..from+size` of `count`.
fn items(from: usize, size: usize, count: usize) -> Json {
    (from..(from + size).min(count).max(from)).map(|id| json!({"id": id, "unknown": {"x": 1}})).collect()
}

async fn read(stream: &str, app: Router) -> Result<Vec<i64>, towpath_connector::Error> {
    let world = World::new(defined(&definition(stream)), json!({"base_url": serve(app).await}));
    let (frame, rejects, _) = drain(world.source("items", json!({}), None).as_mut()).await?;
    assert!(rejects.is_empty());
    let ids = frame.column("id").unwrap().as_materialized_series().clone();
    Ok(ids.i64().unwrap().iter().flatten().collect())
}

#[tokio::test]
async fn every_way_to_page_reads_to_the_end_and_no_further() {
    for count in [0, 1, 9, 10, 11, 30, 31] {
        let expected: Vec<i64> = (0..count as i64).collect();
        let page = "    request: {path: \"/{{ page.number }}/{{ page.size }}\"}\n    paginator: {type: page, first_page: 1, page_size: 10}\n";
        let app = Router::new().route(
            "/{page}/{size}",
            get(move |Path((page, size)): Path<(usize, usize)>| async move {
                json!({"items": items((page - 1) * size, size, count)}).to_string()
            }),
        );
        assert_eq!(read(page, app).await.unwrap(), expected, "page in the path, {count}");

        let offset = "    request: {path: /, query: {start: \"{{ page.offset }}\", limit: \"{{ page.size }}\"}}\n    paginator: {type: offset, page_size: 10, stop_when_short: true}\n";
        let app = Router::new().route(
            "/",
            get(move |params: Params| async move {
                json!({"items": items(number(&params, "start"), number(&params, "limit"), count)}).to_string()
            }),
        );
        assert_eq!(read(offset, app).await.unwrap(), expected, "offset, {count}");

        let key = "    request: {path: /, query: {paginationKey: \"{{ page.key }}\"}}\n    paginator: {type: key, from: $.paginationKey}\n";
        let app = Router::new().route(
            "/",
            get(move |params: Params| async move {
                let from = params.get("paginationKey").map_or(0, |key| key[1..].parse().unwrap());
                let next = (from + 10 < count).then(|| format!("k{}", from + 10));
                json!({"items": items(from, 10, count), "paginationKey": next}).to_string()
            }),
        );
        assert_eq!(read(key, app).await.unwrap(), expected, "key, {count}");

        let next = "    request: {path: /list}\n    paginator: {type: next, from: $.links.next}\n";
        let app = Router::new().route(
            "/list",
            get(move |params: Params| async move {
                let from = number(&params, "from");
                let next = (from + 10 < count).then(|| format!("/list?from={}", from + 10));
                json!({"items": items(from, 10, count), "links": {"next": next}}).to_string()
            }),
        );
        assert_eq!(read(next, app).await.unwrap(), expected, "next, {count}");

        let link = "    request: {path: /list}\n    paginator: {type: link}\n";
        let app = Router::new().route(
            "/list",
            get(move |params: Params| async move {
                let from = number(&params, "from");
                let mut headers = HeaderMap::new();
                if from + 10 < count {
                    let link = format!("</list?from=0>; rel=\"first\", </list?from={}>; rel=\"next\"", from + 10);
                    headers.insert("link", link.parse().unwrap());
                }
                (headers, json!({"items": items(from, 10, count)}).to_string())
            }),
        );
        assert_eq!(read(link, app).await.unwrap(), expected, "link, {count}");
    }
}

#[tokio::test]
async fn a_page_or_key_that_comes_again_is_a_loud_error() {
    let page = "    request: {path: /, query: {page: \"{{ page.number }}\"}}\n    paginator: {type: page}\n";
    let app = Router::new().route("/", get(|| async { json!({"items": items(0, 10, 10)}).to_string() }));
    let error = read(page, app).await.unwrap_err();
    assert!(error.message.contains("page 2 holds the same records as one before it"), "{error}");
    assert!(error.help.unwrap().contains("first_page"));

    let key = "    request: {path: /, query: {k: \"{{ page.key }}\"}}\n    paginator: {type: key, from: $.k}\n";
    let calls = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route(
        "/",
        get(move || {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            async move { json!({"items": items(call, 1, call + 1), "k": "same"}).to_string() }
        }),
    );
    let error = read(key, app).await.unwrap_err();
    assert!(error.message.contains("gives the key of the next page that one before it gave"), "{error}");

    let next = "    request: {path: /}\n    paginator: {type: next, from: $.next}\n";
    let app = Router::new()
        .route("/", get(|| async { json!({"items": [], "next": "https://elsewhere.example/list"}).to_string() }));
    let error = read(next, app).await.unwrap_err();
    assert!(error.message.contains("another host, elsewhere.example:443"), "{error}");
}

#[tokio::test]
async fn records_that_do_not_fit_are_rejects_and_the_rest_goes_on() {
    let world = World::new(
        defined(&definition("    request: {path: /}\n")),
        json!({"base_url": serve(Router::new().route("/", get(|| async {
            json!({"items": [{"id": "1"}, {"id": "one"}, {"id": null}, 7, {"other": 1}]}).to_string()
        }))).await}),
    );
    let (frame, rejects, _) = drain(world.source("items", json!({}), None).as_mut()).await.unwrap();
    assert_eq!((frame.height(), rejects.len()), (3, 2));
    assert_eq!((rejects[0].field.as_deref(), &rejects[0].value), (Some("id"), &Some(json!("one"))));
    assert_eq!(rejects[1].reason, "a record is no JSON object");
}

#[tokio::test]
async fn a_session_from_a_plain_body_goes_into_a_header_without_a_word() {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    let app = Router::new()
        .route(
            "/Authentication",
            post(move |headers: HeaderMap| {
                let call = counted.fetch_add(1, Ordering::Relaxed);
                let good = headers.get("x-customertoken").is_some_and(|token| token == "customer-token-marker");
                async move {
                    if good {
                        format!("\"session-{call}\"\n").into_response()
                    } else {
                        StatusCode::UNAUTHORIZED.into_response()
                    }
                }
            }),
        )
        .route(
            "/list",
            get(|request: Request| async move {
                let token = request.headers().get("x-tokenid").and_then(|token| token.to_str().ok()).map(str::to_owned);
                match token.as_deref() {
                    Some("session-0") => StatusCode::UNAUTHORIZED.into_response(),
                    Some("session-1") => json!({"items": [{"id": 5}]}).to_string().into_response(),
                    _ => StatusCode::IM_A_TEAPOT.into_response(),
                }
            }),
        );
    let text = definition("    request: {path: /list}\n    auth: session\n")
        + "auth:\n  session:\n    type: session\n    request: {path: /Authentication, headers: {X-CustomerToken: \"{{ config.key }}\"}}\n    token: body\n    header: X-TokenID\n    expires: {lifetime: PT23H}\n";
    let base = serve(app).await;
    let world = World::new(defined(&text), json!({"base_url": base, "key": "customer-token-marker"}));
    assert_eq!(world.lookup("items", json!({})).await.unwrap()[0]["id"], 5);
    assert_eq!(logins.load(Ordering::Relaxed), 2);
    let world = World::new(defined(&text), json!({"base_url": base, "key": "wrong-token-marker"}));
    let error = world.lookup("items", json!({})).await.unwrap_err();
    assert_eq!(error.fault, Fault::User);
    assert_eq!(error.help.as_deref(), Some("check `key` of connection `hf`"));
}

#[tokio::test]
async fn a_token_by_query_with_milliseconds_and_secrets_that_do_not_show() {
    let app = Router::new().route(
        "/token",
        post(|params: Params| async move {
            assert_eq!(params.get("secret").map(String::as_str), Some("query-secret-marker"));
            (StatusCode::BAD_GATEWAY, "cannot reach http://inner/token?secret=query-secret-marker")
        }),
    );
    let text = definition("    request: {path: /list}\n    auth: token\n")
        + "auth:\n  token:\n    type: session\n    request: {path: /token, query: {secret: \"{{ config.key }}\"}}\n    token: $.access_token\n    scheme: Bearer\n    expires: {from: $.expires_in, unit: milliseconds}\n";
    let world = World::new(defined(&text), json!({"base_url": serve(app).await, "key": "query-secret-marker"}));
    let error = world.lookup("items", json!({})).await.unwrap_err();
    assert!(error.is_passing() && error.message.contains("502"), "{error}");
    assert!(!format!("{error:?}").contains("query-secret-marker"), "{error:?}");
}

#[tokio::test]
async fn an_operation_with_path_form_and_statuses_that_mean_something() {
    let app = Router::new().route(
        "/things/{id}",
        axum::routing::patch(|Path(id): Path<String>, body: Bytes| async move {
            match id.as_str() {
                "a/b c" => (StatusCode::OK, String::from_utf8_lossy(&body).into_owned()),
                "same" => (StatusCode::NOT_MODIFIED, String::new()),
                "bad" => {
                    (StatusCode::FORBIDDEN, json!({"errors": {"name": ["is taken"]}, "message": "no"}).to_string())
                }
                _ => (StatusCode::NOT_FOUND, "no such thing".to_owned()),
            }
        }),
    );
    let text = r#"
version: 1
connector: test
config: {base_url: {type: text, required: true}}
defaults:
  error_message: ["$.errors.*[*]", $.message]
  error_handler: {response_filters: [{http_codes: 304, action: success}, {http_codes: [403, 404], action: refuse}]}
operations:
  Change:
    kind: update
    request: {method: PATCH, path: "/things/{{ record.id }}", body: {form: {name: "{{ record.name }}", note: "{{ record.note }}"}}}
    fields: {id: {required: true}, name: text, note: text}
    idempotent: true
"#;
    let world = World::new(defined(text), json!({"base_url": serve(app).await}));
    let send = |id: &str| world.send("Change", json!({"id": id, "name": "x & y"}));
    assert_eq!(confirmed(send("a/b c").await), json!({}));
    assert_eq!(confirmed(send("same").await), json!({}));
    assert_eq!(refusal(send("bad").await), "is taken");
    assert_eq!(refusal(send("else").await), "404 Not Found: no such thing");
    assert!(refusal(send("..").await).contains("it would name another resource"));
    let info = world.operation("Change").info().clone();
    assert!(info.idempotent && info.request == "PATCH /things/{{ record.id }}");
}

#[tokio::test]
async fn an_answer_that_complains_in_the_place_of_records_is_an_error() {
    let page = "    request: {path: /}\n    error_message: $.error.message\n";
    let says = |answer: Json| Router::new().route("/", get(move || async move { answer.to_string() }));
    let error = read(page, says(json!({"error": {"message": "licence expired"}}))).await.unwrap_err();
    assert!(error.message.ends_with("answered 200 OK without records: licence expired"), "{}", error.message);
    let both = json!({"items": [], "error": {"message": "nothing today"}});
    assert_eq!(read(page, says(both)).await.unwrap(), [0_i64; 0]);
}

#[tokio::test]
async fn an_answer_without_a_place_for_records_is_an_error_unless_that_is_said() {
    let page = "    request: {path: /}\n";
    let says = |answer: Json| Router::new().route("/", get(move || async move { answer.to_string() }));
    for (answer, why) in [
        (json!({"things": []}), "`$.items[*]` leads nowhere: there is no `items` in the answer: {\"things\":[]}"),
        (json!([]), "`$.items[*]` leads to a list, and records were expected: []"),
        (json!({"items": "none"}), "`$.items[*]` leads to text, and records were expected: {\"items\":\"none\"}"),
    ] {
        let error = read(page, says(answer)).await.unwrap_err();
        assert!(error.message.ends_with(&format!("answered 200 OK, but {why}")), "{}", error.message);
        assert!(error.help.unwrap().contains("missing: none"));
    }
    let selected = format!("{page}    record_selector: {{records: \"$.items[*]\", missing: none}}\n");
    for answer in [json!({"things": []}), json!([]), json!({"items": null})] {
        assert_eq!(read(&selected, says(answer)).await.unwrap(), [0_i64; 0]);
    }
    assert_eq!(read(page, says(json!({"items": null}))).await.unwrap(), [0_i64; 0]);
}
