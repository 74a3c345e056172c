//! The surface for whoever runs the sandbox, over HTTP so that other processes can use it; it asks for no
//! credentials, as the stand-ins only ever listen on loopback.
//!
//! | request | does |
//! |---|---|
//! | `GET /sandbox/books` | all the system holds, and its requests |
//! | `GET /sandbox/requests` | the requests alone |
//! | `GET /sandbox/faults` | the rules in force and how many requests each has met |
//! | `PUT /sandbox/faults` | puts rules in force (text form; empty: none) |
//! | `POST /sandbox/reset` | the state the seed invents again, without what was restored; request book and tokens emptied; faults stay, counted anew |
//! | `POST /sandbox/revoke-tokens` | every token issued so far is refused from now on (where there are tokens) |
//! | `POST /sandbox/records` | the body's number of new training records appears (PeopleFluent) |

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::json;

use crate::{answer, gate::Gate};

pub(crate) fn routes(gate: Arc<Gate>) -> Router {
    Router::new()
        .route("/sandbox/books", get(books))
        .route("/sandbox/requests", get(requests))
        .route("/sandbox/faults", get(faults).put(set_faults))
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/revoke-tokens", post(revoke_tokens))
        .route("/sandbox/records", post(add_records))
        .with_state(gate)
}

impl Gate {
    pub(crate) fn books(&self) -> serde_json::Value {
        let mut books = self.stand_in.books();
        books["requests"] = self.requests.to_json();
        books
    }

    fn reset(&self) {
        self.stand_in.reset();
        self.requests.clear();
        // The rules in force were accepted before, so they are again.
        let _ = self.faults.set(self.faults.current());
    }
}

async fn books(State(gate): State<Arc<Gate>>) -> Response {
    answer::json(StatusCode::OK, &gate.books())
}

async fn requests(State(gate): State<Arc<Gate>>) -> Response {
    answer::json(StatusCode::OK, &gate.requests.to_json())
}

async fn faults(State(gate): State<Arc<Gate>>) -> Response {
    let current = gate.faults.current();
    let rules: Vec<_> = current
        .rules
        .iter()
        .zip(gate.faults.met())
        .map(|(rule, met)| json!({"fault": rule.fault.word(), "rule": format!("{rule:?}"), "met": met}))
        .collect();
    answer::json(StatusCode::OK, &json!({"rules": rules, "token_uses": current.token_uses}))
}

async fn set_faults(State(gate): State<Arc<Gate>>, text: String) -> Response {
    match gate.faults.set_text(&text) {
        Ok(()) => done(),
        Err(error) => wrong(error.to_string()),
    }
}

async fn reset(State(gate): State<Arc<Gate>>) -> Response {
    gate.reset();
    done()
}

async fn revoke_tokens(State(gate): State<Arc<Gate>>) -> Response {
    match gate.stand_in.revoke_tokens() {
        true => done(),
        false => wrong(format!("{} issues no tokens", gate.stand_in.name())),
    }
}

async fn add_records(State(gate): State<Arc<Gate>>, text: String) -> Response {
    let Ok(count) = text.trim().parse() else {
        return wrong("the body is to be a number of records".to_owned());
    };
    match gate.stand_in.add_records(count) {
        true => done(),
        false => wrong(format!("{} holds no training history to add to", gate.stand_in.name())),
    }
}

fn done() -> Response {
    answer::json(StatusCode::OK, &json!({"done": true}))
}

fn wrong(problem: String) -> Response {
    answer::json(StatusCode::BAD_REQUEST, &json!({"error": problem}))
}
