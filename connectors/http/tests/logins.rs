//! Ways to be let in, each against a small server that does just that.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::server::{Say, Seen, Server, json as answer};
use support::{World, defined, drain};
use towpath_connector::Fault;

/// A definition with these settings and profiles, and two streams.
fn definition(config: &str, auth: &str, used: &str) -> String {
    format!(
        "version: 1\nconnector: test\nconfig:\n  base_url: {{type: text, required: true}}\n{config}auth:\n{auth}\
         streams:\n  items:\n    request: {{path: /items, query: {{q: \"1\"}}}}\n    auth: {used}\n    schema: {{id: int}}\n  \
         open:\n    request: {{path: /open}}\n    auth: []\n    schema: {{id: int}}\n"
    )
}

fn world(definition: &str, server: &Server, more: Json) -> World {
    let mut settings = support::object(more);
    settings.insert("base_url".to_owned(), json!(server.url));
    World::new(defined(definition), Json::Object(settings))
}

async fn read(world: &World, stream: &str) -> Result<usize, towpath_connector::Error> {
    Ok(drain(world.source(stream, json!({}), None).as_mut()).await?.0.height())
}

fn one(_: &Seen) -> Response {
    answer(200, &json!([{"id": 1}]))
}

#[tokio::test]
async fn query_parameters_let_calls_in_and_are_never_shown() {
    let auth = "  key: {type: query, params: {api_key: \"{{ config.key }}\"}}\n";
    let definition = definition("  key: {type: text, secret: true}\n", auth, "key");
    let server = Server::start(|seen| match seen.line.contains("api_key=s3cret-%26-key") {
        true => one(seen),
        false => Say(403, "text/plain", format!("no: {}", seen.line)).into_response(),
    })
    .await;
    let good = world(&definition, &server, json!({"key": "s3cret-&-key"}));
    assert_eq!(read(&good, "items").await.unwrap(), 1);
    assert_eq!(server.lines(), ["GET /items?q=1&api_key=s3cret-%26-key"]);
    let bad = world(&definition, &server, json!({"key": "wrong-s3cret"}));
    let error = read(&bad, "items").await.unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.contains("403") && !shown.contains("wrong-s3cret"), "{shown}");
}

#[tokio::test]
async fn the_url_of_a_next_page_is_kept_without_credentials() {
    let auth = "  key: {type: query, params: {api_key: \"{{ config.key }}\"}}\n";
    let text = definition("  key: {type: text, secret: true}\n", auth, "key").replace(
        "    schema: {id: int}\n  open:",
        "    paginator: {type: next, from: $.next}\n    record_selector: {records: $.items}\n    schema: {id: int}\n  open:",
    );
    let server = Server::start(|seen| {
        let next = (!seen.line.contains("page=2")).then_some("/items?page=2&api_key=s3cret-key");
        answer(200, &json!({"items": [{"id": seen.line.len()}], "next": next}))
    })
    .await;
    let world = world(&text, &server, json!({"key": "s3cret-key"}));
    let mut source = world.source("items", json!({}), None);
    let first = source.next().await.unwrap().unwrap();
    let position = first.position.unwrap().to_string();
    assert!(position.contains("page=2") && !position.contains("s3cret"), "{position}");
    source.next().await.unwrap().unwrap();
    assert_eq!(server.lines(), ["GET /items?q=1&api_key=s3cret-key", "GET /items?page=2&api_key=s3cret-key"]);
}

#[tokio::test]
async fn the_first_profile_whose_settings_are_given_is_taken() {
    let config = "  key: {type: text, secret: true}\n  user: text\n  password: {type: text, secret: true}\n";
    let auth = "  key: {type: header, headers: {X-Key: \"{{ config.key }}\"}}\n  login: {type: basic, username: \"{{ config.user }}\", \
                password: \"{{ config.password }}\"}\n  any: {type: choice, of: [key, login]}\n  nobody: {type: none}\n  \
                maybe: {type: choice, of: [key, nobody]}\n";
    let text = definition(config, auth, "any");
    let server = Server::start(one).await;
    let last = |server: &Server| server.seen().pop().unwrap();
    read(&world(&text, &server, json!({"key": "k-1234", "user": "u", "password": "pppp"})), "items").await.unwrap();
    assert_eq!((last(&server).header("x-key"), last(&server).header("authorization")), ("k-1234", ""));
    read(&world(&text, &server, json!({"key": "", "user": "u", "password": "pppp"})), "items").await.unwrap();
    assert_eq!((last(&server).header("x-key"), last(&server).header("authorization")), ("", "Basic dTpwcHBw"));
    let neither = world(&text, &server, json!({"user": "u"}));
    let before = server.seen().len();
    let error = read(&neither, "items").await.unwrap_err();
    assert_eq!(error.fault, Fault::User);
    assert!(error.message.contains("items needs `key`, or `password`"), "{error:?}");
    assert_eq!(server.seen().len(), before, "no call is made");
    // Calls that need no credentials are not held up.
    assert_eq!(read(&neither, "open").await.unwrap(), 1);
    neither.reader().check().await.unwrap();
    let text = definition(config, auth, "maybe");
    read(&world(&text, &server, json!({})), "items").await.unwrap();
    assert_eq!(last(&server).header("x-key"), "");
    let text = definition(config, auth, "login");
    let error = read(&world(&text, &server, json!({"user": "u"})), "items").await.unwrap_err();
    assert!(error.message.contains("items needs `password`"), "{error:?}");
}

#[tokio::test]
async fn two_profiles_at_once() {
    let config = "  key: {type: text, secret: true}\n  token: {type: text, secret: true}\n";
    let auth = "  key: {type: header, headers: {API-Key: \"{{ config.key }}\"}}\n  bearer: {type: bearer, token: \"{{ config.token }}\"}\n";
    let server = Server::start(one).await;
    let world = world(&definition(config, auth, "[key, bearer]"), &server, json!({"key": "kkkk", "token": "tttt"}));
    read(&world, "items").await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.header("api-key"), seen.header("authorization")), ("kkkk", "Bearer tttt"));
}

/// A server with tokens: logins and refreshes give new ones, and only the newest is let in.
#[derive(Clone, Default)]
struct Tokens {
    given: Arc<AtomicUsize>,
    good: Arc<Mutex<String>>,
    refresh: Arc<Mutex<String>>,
    /// What is said of a refresh: 0 for yes.
    refusal: Arc<AtomicUsize>,
    /// Tokens of a refresh are not let in.
    worthless: Arc<AtomicUsize>,
}

impl Tokens {
    fn answer(&self, seen: &Seen) -> Response {
        let path = seen.line.split([' ', '?']).nth(1).unwrap();
        match path {
            "/auth/token" => self.give(true),
            "/auth/refresh" => match self.refusal.load(Ordering::SeqCst) {
                0 if seen.body == format!("{{\"refresh_token\":\"{}\"}}", self.refresh.lock().unwrap()) => {
                    self.give(self.worthless.load(Ordering::SeqCst) == 0)
                }
                0 => answer(400, &json!({"message": "another token"})),
                status => answer(u16::try_from(status).unwrap(), &json!({"message": "no"})),
            },
            _ if seen.header("authorization") == format!("Bearer {}", self.good.lock().unwrap()) => one(seen),
            _ => answer(401, &json!({"message": "who are you?"})),
        }
    }

    fn give(&self, good: bool) -> Response {
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let (access, refresh) = (format!("access-{number}"), format!("refresh-{number}"));
        *self.good.lock().unwrap() = if good { access.clone() } else { String::new() };
        *self.refresh.lock().unwrap() = refresh.clone();
        answer(200, &json!({"access_token": access, "refresh_token": refresh, "expires_in": 3600}))
    }

    /// What was let in is not any more.
    fn forget(&self) {
        self.good.lock().unwrap().clear();
    }
}

const SESSION: &str = "  pair:\n    type: session\n    request: {path: /auth/token, body: {json: {client_id: 7, api_key: \"{{ config.key }}\"}}}\n    \
    token: $.access_token\n    scheme: Bearer\n    expires: {from: $.expires_in}\n    refresh:\n      \
    request: {path: /auth/refresh, body: {json: {refresh_token: \"{{ token.refresh }}\"}}}\n      token: $.refresh_token\n      lifetime: P7D\n";

fn session() -> String {
    definition("  key: {type: text, secret: true}\n", SESSION, "pair")
}

#[tokio::test]
async fn a_stale_token_is_refreshed_and_a_refused_refresh_is_followed_by_a_login() {
    let tokens = Tokens::default();
    let asked = tokens.clone();
    let server = Server::start(move |seen| asked.answer(seen)).await;
    let world = world(&session(), &server, json!({"key": "the-key"}));
    read(&world, "items").await.unwrap();
    assert_eq!(server.lines(), ["POST /auth/token", "GET /items?q=1"]);
    assert_eq!(server.seen()[0].body, r#"{"client_id":7,"api_key":"the-key"}"#);

    tokens.forget();
    read(&world, "items").await.unwrap();
    assert_eq!(server.lines()[2..], ["GET /items?q=1", "POST /auth/refresh", "GET /items?q=1"]);

    // The refresh gave a new refresh token, too; the vendor does not take it any more.
    tokens.forget();
    tokens.refusal.store(401, Ordering::SeqCst);
    read(&world, "items").await.unwrap();
    let lines = ["GET /items?q=1", "POST /auth/refresh", "POST /auth/token", "GET /items?q=1"];
    assert_eq!(server.lines()[5..], lines);

    // What a refresh gives is refused: a login follows, once.
    tokens.forget();
    tokens.refusal.store(0, Ordering::SeqCst);
    tokens.worthless.store(1, Ordering::SeqCst);
    read(&world, "items").await.unwrap();
    let lines = ["GET /items?q=1", "POST /auth/refresh", "GET /items?q=1", "POST /auth/token", "GET /items?q=1"];
    assert_eq!(server.lines()[9..], lines);
}

#[tokio::test]
async fn a_refresh_that_fails_for_now_is_no_reason_to_log_in() {
    let tokens = Tokens::default();
    let asked = tokens.clone();
    let server = Server::start(move |seen| asked.answer(seen)).await;
    let world = world(&session(), &server, json!({"key": "the-key"}));
    read(&world, "items").await.unwrap();
    tokens.forget();
    tokens.refusal.store(503, Ordering::SeqCst);
    let mut source = world.source("items", json!({}), None);
    assert!(source.next().await.err().unwrap().is_passing());
    tokens.refusal.store(0, Ordering::SeqCst);
    source.next().await.unwrap();
    let logins = server.lines().iter().filter(|line| line.contains("/auth/token")).count();
    assert_eq!(logins, 1, "{:?}", server.lines());
}

#[tokio::test]
async fn a_connection_puts_a_login_right() {
    let tokens = Tokens::default();
    let asked = tokens.clone();
    let server = Server::start(move |seen| {
        let mut seen = seen.clone();
        seen.line = seen.line.replace("PUT /v9/login/the-key", "POST /auth/token");
        seen.line = seen.line.replace("/v9/again", "/auth/refresh");
        asked.answer(&seen)
    })
    .await;
    let overrides = json!({"pair": {
        "path": "/v9/login/{key}", "method": "PUT", "refresh_path": "/v9/again", "expires_unit": "milliseconds", "lifetime": "PT1H",
    }});
    let world = world(&session(), &server, json!({"key": "the-key", "overrides": overrides}));
    read(&world, "items").await.unwrap();
    tokens.forget();
    read(&world, "items").await.unwrap();
    let lines = ["PUT /v9/login/the-key", "GET /items?q=1", "GET /items?q=1", "POST /v9/again", "GET /items?q=1"];
    assert_eq!(server.lines(), lines);
}

#[test]
fn overrides_of_logins_are_checked() {
    let connector = defined(&session());
    for (overrides, says) in [
        (json!({"pair": {"lifetim": "PT1H"}}), "unknown key `lifetim`"),
        (json!({"pair": {"lifetime": "soon"}}), "expected a duration"),
        (json!({"pair": {"expires_unit": "hours"}}), "expected `seconds` or `milliseconds`"),
        (json!({"pair": {"path": "/x/{nothing}"}}), "`config` has no `nothing`"),
        (json!({"pear": {}}), "no stream or operation `pear`"),
    ] {
        let world = World::new(
            connector.clone(),
            json!({"base_url": "http://localhost:9", "key": "x", "overrides": overrides}),
        );
        let error = world.connector.reader(&world.connect).err().unwrap();
        assert!(error.message.contains(says), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_that_stands_elsewhere_is_not_shown() {
    let server = Server::start(|_: &Seen| answer(200, &json!({"data": {"token": "elsewhere-5521"}, "ok": true}))).await;
    let auth = "  token:\n    type: session\n    request: {path: /login}\n    token: $.token\n";
    let error = read(&world(&definition("", auth, "token"), &server, json!({})), "items").await.unwrap_err();
    assert!(error.message.contains("without a token at `$.token`; there is `data`, `ok`"), "{}", error.message);
    assert!(!error.message.contains("elsewhere-5521"), "{}", error.message);
}

#[test]
fn an_address_that_is_a_default_tells_systems_apart_as_well() {
    let definition = "version: 1\nconnector: test\nconfig:\n  base_url: {type: text, default: \"https://one.example/api\"}\n\
                      operations:\n  send:\n    kind: create\n    request: {path: /send, body: record}\n    fields: {id: int}\n";
    let target = |settings: Json| {
        let world = World::new(defined(definition), settings);
        world.connector.writer(&world.connect).unwrap().target()
    };
    assert_eq!(target(json!({})), "https://one.example/api");
    assert_eq!(target(json!({"base_url": "https://two.example/api/"})), "https://two.example/api");
}
