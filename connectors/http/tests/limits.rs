//! What another system may cost: time, memory, hops. Each limit is met by a server that goes beyond it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::body::Body;
use axum::http::{Response as Raw, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};
use support::server::{Seen, Server, json as answer};
use support::{World, defined, drain};
use towpath_connector::Error;

const DEFINITION: &str = r#"
version: 1
connector: test
config:
  base_url: {type: text, required: true}
  secret: {type: text, secret: true}
  key: {type: text, secret: true}
auth:
  token:
    type: session
    request: {path: /token, query: {secret: "{{ config.secret }}"}}
    token: $.access_token
    scheme: Bearer
  key: {type: query, params: {api_key: "{{ config.key }}"}}
streams:
  items:
    request: {path: /items}
    auth: [token, key]
    record_selector: {records: $.items}
    schema: {id: int}
  open:
    request: {path: /items}
    auth: []
    record_selector: {records: $.items}
    schema: {id: int}
"#;

/// What reading a stream of a server comes to.
async fn read_of(stream: &str, url: &str, timeout: f64) -> Result<usize, Error> {
    let settings = json!({"base_url": url, "secret": "hidden-one", "key": "hidden-two", "timeout": timeout});
    let world = World::new(defined(DEFINITION), settings);
    let mut source = world.source(stream, json!({}), None);
    // A passing error is given back, not tried again.
    let (mut rows, mut error) = (0, None);
    loop {
        match source.next().await {
            Ok(Some(chunk)) => rows += chunk.frame.height(),
            Ok(None) => break,
            Err(found) => {
                error = Some(found);
                break;
            }
        }
    }
    error.map_or(Ok(rows), Err)
}

fn packed(coding: &'static str, bytes: Vec<u8>) -> Response {
    Raw::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_ENCODING, coding)
        .body(Body::from(bytes))
        .unwrap()
}

/// A megabyte and a bit of spaces for each of so many rounds, in a few kilobytes.
fn bomb(coding: &str, megabytes: usize) -> Vec<u8> {
    let piece = vec![b' '; 1 << 20];
    match coding {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            (0..megabytes).for_each(|_| packer.write_all(&piece).unwrap());
            packer.finish().unwrap()
        }
        "br" => {
            let mut packer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 1, 22);
            (0..megabytes).for_each(|_| packer.write_all(&piece).unwrap());
            packer.into_inner()
        }
        _ => {
            let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
            (0..megabytes).for_each(|_| packer.write_all(&piece).unwrap());
            packer.finish().unwrap()
        }
    }
}

#[tokio::test]
async fn what_unpacks_to_too_much_is_given_up() {
    // The login: 1 MiB. A page: 256 MiB.
    for (coding, place, megabytes, limit) in [
        ("gzip", "/token", 3, "larger than 1 MiB"),
        ("zstd", "/token", 3, "larger than 1 MiB"),
        ("br", "/token", 3, "larger than 1 MiB"),
        ("zstd", "/items", 258, "larger than 256 MiB"),
    ] {
        let body = bomb(coding, megabytes);
        assert!(body.len() < 200 << 10, "{} bytes are no bomb", body.len());
        let server = Server::start(move |seen: &Seen| match seen.line.contains(place) {
            true => packed(coding, body.clone()),
            false => answer(200, &json!({"access_token": "hidden-three", "items": []})),
        });
        let error = read_of("items", &server.await.url, 60.0).await.unwrap_err();
        assert!(error.message.contains(limit), "{coding} {place}: {error:?}");
        assert!(!error.is_passing(), "{error:?}");
    }
}

/// An answer of a letter now and then, without an end.
fn dripping(status: u16) -> Response {
    let drip = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b"-")), ()))
    });
    Raw::builder().status(status).body(Body::from_stream(drip)).unwrap()
}

#[tokio::test]
async fn an_error_that_drips_is_told_with_what_there_is_of_it() {
    let server = Server::start(|_: &Seen| dripping(404)).await;
    let begun = Instant::now();
    let error = read_of("open", &server.url, 0.1).await.unwrap_err();
    assert!(error.message.contains("404") && error.message.contains("---"), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_that_drips_is_given_up() {
    let server = Server::start(|_: &Seen| dripping(200)).await;
    let begun = Instant::now();
    let error = read_of("open", &server.url, 0.5).await.unwrap_err();
    assert!(error.message.contains("was not complete within 10 s"), "{error:?}");
    assert!(error.is_passing() && error.help.as_ref().unwrap().contains("`timeout`"), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_that_never_begins_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = read_of("open", &url, 0.3).await.unwrap_err();
    assert!(error.message.contains("within 0.3 s"), "{error:?}");
}

#[tokio::test]
async fn a_head_without_an_end_is_given_up() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 1024];
        let _ = stream.read(&mut asked).await.unwrap();
        let line = format!("X-Padding: {}\r\n", "x".repeat(1000));
        let mut sent = 0_usize;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while sent < 64 << 20 && stream.write_all(line.as_bytes()).await.is_ok() {
            sent += line.len();
        }
        sent
    });
    let error = read_of("open", &url, 20.0).await.unwrap_err();
    assert!(error.message.contains("127.0.0.1"), "{error:?}");
    let sent = sent.await.unwrap();
    assert!(sent < 16 << 20, "{sent} bytes of a head were taken");
}

#[tokio::test]
async fn redirects_stay_on_the_host_and_end() {
    let elsewhere = Server::start(|_: &Seen| answer(200, &json!({"items": [{"id": 1}]}))).await;
    let target = format!("{}/items", elsewhere.url.replace("127.0.0.1", "localhost"));
    let moved = |to: String| Raw::builder().status(302).header(header::LOCATION, to).body(Body::empty()).unwrap();
    let server = Server::start(move |seen: &Seen| match seen.line.split(['?', ' ']).nth(1).unwrap() {
        "/token" => answer(200, &json!({"access_token": "hidden-three"})),
        _ => moved(target.clone()),
    })
    .await;
    let error = read_of("items", &server.url, 20.0).await.unwrap_err();
    assert!(error.message.contains("which is not followed"), "{error:?}");
    assert!(!format!("{error:?}").contains("hidden-"), "{error:?}");
    assert_eq!(elsewhere.lines(), Vec::<String>::new(), "neither header nor query parameter arrives there");
    let circle = Server::start(move |seen: &Seen| match seen.line.contains("/token") {
        true => answer(200, &json!({"access_token": "hidden-three"})),
        false => moved("/items".to_owned()),
    })
    .await;
    let error = read_of("items", &circle.url, 20.0).await.unwrap_err();
    assert!(error.message.contains("redirects in a circle"), "{error:?}");
    assert_eq!(circle.lines().iter().filter(|line| line.contains("/items")).count(), 6, "one and five redirects");
}

#[tokio::test]
async fn credentials_do_not_go_over_plain_http_unless_that_is_meant() {
    let server = Server::start(|seen: &Seen| match seen.line.contains("/token") {
        true => answer(200, &json!({"access_token": "hidden-three"})),
        false => answer(200, &json!({"items": [{"id": 1}]})),
    })
    .await;
    // Not a loopback address by its number, and yet this machine.
    let url = server.url.replace("127.0.0.1", "0.0.0.0");
    let settings = |more: serde_json::Value| {
        let mut all = support::object(json!({"base_url": url, "timeout": 20}));
        all.extend(support::object(more));
        serde_json::Value::Object(all)
    };
    let secrets = json!({"secret": "hidden-one", "key": "hidden-two"});
    for (stream, given) in [
        ("items", secrets),
        ("open", json!({"key": "hidden-two"})),
        ("open", json!({"headers": {"X-Key": "hidden-two"}})),
    ] {
        let refused = World::new(defined(DEFINITION), settings(given.clone()));
        let error = drain(refused.source(stream, json!({}), None).as_mut()).await.unwrap_err();
        assert!(error.message.contains("to 0.0.0.0 over plain http://"), "{error:?}");
        assert!(error.help.as_ref().unwrap().contains("`allow_plain_http: true`"), "{error:?}");
        assert!(!format!("{error:?}").contains("hidden-"), "{error:?}");
        assert_eq!(server.lines(), Vec::<String>::new());
    }
    // A connection without credentials gives nothing away.
    let nothing = World::new(defined(DEFINITION), settings(json!({})));
    assert_eq!(drain(nothing.source("open", json!({}), None).as_mut()).await.unwrap().0.height(), 1);
    let allowed = World::new(
        defined(DEFINITION),
        settings(json!({"secret": "hidden-one", "key": "hidden-two", "allow_plain_http": true})),
    );
    assert_eq!(drain(allowed.source("items", json!({}), None).as_mut()).await.unwrap().0.height(), 1);
    assert!(server.lines().iter().any(|line| line.contains("api_key=hidden-two")));
}

/// An error page is read for its words, and no further than they go.
#[tokio::test]
async fn an_error_page_without_an_end_is_not_read_to_it() {
    let server = Server::start(|_: &Seen| {
        let endless =
            futures::stream::repeat_with(|| Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b'x'; 1 << 16])));
        let mut response = Body::from_stream(endless).into_response();
        *response.status_mut() = axum::http::StatusCode::BAD_REQUEST;
        response
    })
    .await;
    let error = read_of("open", &server.url, 20.0).await.unwrap_err();
    assert!(error.message.contains("400") && error.message.len() < 2_000, "{error:?}");
}
