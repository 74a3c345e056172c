//! An API of people by pages and their results, in a process of its own.
//!
//! Bodies are written by hand, so that the server takes as little as it can of what both sides share.

use super::{PAGE, RESULTS};
use crate::Result;
use crate::served::{say, until_stopped};
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Serves so many people.
pub(crate) fn run(rest: &[String]) -> Result<()> {
    let [people] = rest else {
        return Err("expected a number of people".into());
    };
    let people: u64 = people.parse()?;
    let calls = Arc::new(AtomicU64::new(0));
    tokio::runtime::Runtime::new()?.block_on(async {
        let (of_pages, of_results) = (Arc::clone(&calls), Arc::clone(&calls));
        let app = Router::new()
            .route(
                "/people",
                get(move |RawQuery(query): RawQuery| async move {
                    of_pages.fetch_add(1, Ordering::Relaxed);
                    let key = query.as_deref().and_then(|query| query.strip_prefix("key="));
                    json_body(page(key.and_then(|key| key.parse().ok()).unwrap_or_default(), people))
                }),
            )
            .route(
                "/people/{person}/results",
                get(move |Path(person): Path<u64>| async move {
                    of_results.fetch_add(1, Ordering::Relaxed);
                    json_body(results(person))
                }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        say(&json!({"url": format!("http://{}", listener.local_addr()?)}))?;
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        until_stopped(|_| Ok(())).await?;
        server.abort();
        say(&json!({"calls": calls.load(Ordering::Relaxed)}))?;
        Ok(())
    })
}

fn json_body(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

fn page(from: u64, people: u64) -> String {
    let to = (from + PAGE).min(people);
    let mut body = String::with_capacity(200 * 1_024);
    body.push_str("{\"items\":[");
    for id in from..to {
        let comma = if id == from { "" } else { "," };
        let (department, active, minute) = (id % 40, !id.is_multiple_of(7), id % 60);
        let _ = write!(
            body,
            "{comma}{{\"id\":{id},\"name\":\"Person {id}\",\"email\":\"person.{id}@example.org\",\"department\":\"Department {department}\",\"active\":{active},\"score\":{department}.5,\"updated\":\"2024-05-17T09:{minute:02}:00Z\"}}"
        );
    }
    let next = if to < people { format!("\"{to}\"") } else { "null".to_owned() };
    let _ = write!(body, "],\"next\":{next}}}");
    body
}

fn results(person: u64) -> String {
    let items: Vec<String> = (0..RESULTS)
        .map(|course| format!("{{\"course\":\"Course {course} of {person}\",\"score\":{course}.5,\"passed\":true}}"))
        .collect();
    format!("{{\"items\":[{}]}}", items.join(","))
}
