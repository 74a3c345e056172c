//! A small server of pages, written in a test, and a connection to it.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use super::server::serve;
use super::{World, defined, object};
use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

pub type Params = Query<HashMap<String, String>>;

pub fn text<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).map_or("", String::as_str)
}

pub fn number(params: &Params, name: &str) -> usize {
    text(params, name).parse().unwrap_or_default()
}

pub async fn world(definition: &str, app: Router, more: Json) -> World {
    let mut settings = object(more);
    settings.insert("base_url".to_owned(), Json::from(serve(app).await));
    World::new(defined(definition), Json::Object(settings))
}

/// A page of `ids`, and the key of the next one.
pub fn page(ids: impl Iterator<Item = usize> + Clone, from: usize, size: usize, item: impl Fn(usize) -> Json) -> Json {
    let mut rest = ids.skip(from);
    let items: Vec<Json> = rest.clone().take(size).map(item).collect();
    let next = rest.nth(size).map(|_| (from + size).to_string());
    json!({"items": items, "next": next})
}

/// An answer that breaks off in the middle.
pub fn cut(body: &Json) -> Response {
    let whole = body.to_string().into_bytes();
    let half = bytes(&whole[..whole.len() / 2]);
    Body::from_stream(futures::stream::iter([Ok(half), Err(std::io::Error::other("cut"))])).into_response()
}

pub fn bytes(of: &[u8]) -> axum::body::Bytes {
    axum::body::Bytes::copy_from_slice(of)
}
