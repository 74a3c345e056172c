//! Credentials in query parameters, of calls and of logins, are in no log, error or position.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::response::{IntoResponse, Response};
use serde_json::json;
use support::server::{Say, Seen, Server, json as answer};
use support::{Log, World, defined, drain};

const DEFINITION: &str = r#"
version: 1
connector: test
config:
  base_url: {type: text, required: true}
  client: {type: text}
  secret: {type: text, secret: true}
  key: {type: text, secret: true}
auth:
  token:
    type: session
    request: {path: /token, query: {clientKey: "{{ config.client }}", secret: "{{ config.secret }}"}}
    token: $.access_token
    scheme: Bearer
    expires: {from: $.expires_in, unit: milliseconds}
  key: {type: query, params: {api_key: "{{ config.key }}"}}
streams:
  items:
    request: {path: /items, query: {q: shown-here}}
    auth: [token, key]
    paginator: {type: next, from: $.next}
    record_selector: {records: $.items}
    schema: {id: int}
"#;

fn said(seen: &Seen) -> Response {
    let secret = seen.line.contains("secret=hidden-one");
    match seen.line.split([' ', '?']).nth(1).unwrap() {
        "/token" if secret => answer(200, &json!({"access_token": "hidden-three", "expires_in": 3_600_000})),
        "/items"
            if seen.header("authorization") == "Bearer hidden-three" && seen.line.contains("api_key=hidden-two") =>
        {
            match seen.line.contains("page=3") {
                // What was asked comes back in the error, as some servers have it.
                true => Say(400, "text/plain", format!("what is {}?", seen.line)).into_response(),
                false => {
                    let page = if seen.line.contains("page=2") { 3 } else { 2 };
                    let next = format!("/items?page={page}&api_key=hidden-two");
                    answer(200, &json!({"items": [{"id": page}], "next": next}))
                }
            }
        }
        _ => Say(401, "text/plain", format!("who asks {}?", seen.line)).into_response(),
    }
}

#[tokio::test]
async fn they_are_sent_and_never_shown() {
    let log = Log::keep();

    let server = Server::start(said).await;
    let settings =
        |secret: &str| json!({"base_url": server.url, "client": "a-client", "secret": secret, "key": "hidden-two"});
    let world = World::new(defined(DEFINITION), settings("hidden-one"));
    let mut source = world.source("items", json!({}), None);
    let mut shown = String::new();
    shown.push_str(&source.next().await.unwrap().unwrap().position.unwrap().to_string());
    shown.push_str(&source.next().await.unwrap().unwrap().position.unwrap().to_string());
    shown.push_str(&format!("{:?}", source.next().await.err().unwrap()));
    let wrong = World::new(defined(DEFINITION), settings("hidden-four"));
    shown.push_str(&format!("{:?}", drain(wrong.source("items", json!({}), None).as_mut()).await.err().unwrap()));
    assert!(shown.contains("page=3") && shown.contains("`secret` of connection"), "{shown}");
    let log = log.text();
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("towpath_http")).collect();
    let ours = ours.join("\n");
    assert!(ours.contains("q=shown-here") && ours.contains("/token") && ours.contains("status=200"), "{ours}");
    for text in [shown, ours] {
        assert!(!text.contains("hidden-"), "{text}");
    }
    assert_eq!(server.lines().iter().filter(|line| line.contains("/token")).count(), 2);
}
