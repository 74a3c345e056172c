//! The gate every request passes: it is logged, and a fault may take the place of its work or spoil its answer.
//! The admin surface under `/sandbox` lies outside: never logged, never faulted.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode, Uri},
    middleware::Next,
    response::Response,
};

use crate::{
    StandIn, answer,
    books::{Entry, RequestBook},
    faults::{Act, Asked, FaultSwitch, Struck},
    server::Line,
};

/// More than any request of these systems needs.
pub(crate) const MOST_BODY_BYTES: usize = 64 << 20;

/// A stand-in with the book of its requests and the switch of its faults.
pub(crate) struct Gate {
    pub stand_in: Arc<dyn StandIn>,
    pub requests: RequestBook,
    pub faults: FaultSwitch,
}

pub(crate) async fn pass(
    State(gate): State<Arc<Gate>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let visit = Visit::begin(&gate, &request);
    let (struck, request) = match strike(&gate, &visit, request).await {
        Ok(struck) => struck,
        Err(refused) => return visit.end(Some(refused.status()), None, refused),
    };
    if struck.delay > Duration::ZERO {
        tokio::time::sleep(struck.delay).await;
    }
    struck.let_go().await;
    let Some(fault) = struck.fault else {
        let response = next.run(request).await;
        return visit.end(Some(response.status()), struck.late().map(str::to_owned), response);
    };
    let act = match fault.before() {
        Some(act) => act,
        None => fault.after(next.run(request).await),
    };
    match act {
        Act::Answer(response) => visit.end(Some(response.status()), Some(fault.word()), response),
        Act::Cut => {
            line.cut();
            visit.end(None, Some(fault.word()), Response::new(Body::empty()))
        }
    }
}

async fn strike(gate: &Gate, visit: &Visit<'_>, request: Request) -> Result<(Struck, Request), Response> {
    let (request, body) = if gate.faults.reads_bodies() {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MOST_BODY_BYTES)
            .await
            .map_err(|_| answer::with(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large"))?;
        (Request::from_parts(parts, Body::from(body.clone())), body)
    } else {
        (request, Bytes::new())
    };
    let asked =
        Asked { operation: visit.operation, method: visit.method.as_str(), path: visit.uri.path(), body: &body };
    Ok((gate.faults.strike(&asked), request))
}

/// A request between arrival and answer; leaving early (the client hung up) is noticed on drop.
struct Visit<'a> {
    gate: &'a Gate,
    operation: &'static str,
    method: Method,
    uri: Uri,
    at_ms: u64,
    noted: bool,
}

impl<'a> Visit<'a> {
    fn begin(gate: &'a Gate, request: &Request) -> Self {
        Self {
            gate,
            operation: gate.stand_in.operation_of(request.method().as_str(), request.uri().path()),
            method: request.method().clone(),
            uri: request.uri().clone(),
            at_ms: gate.requests.arrived(),
            noted: false,
        }
    }

    fn end(mut self, status: Option<StatusCode>, fault: Option<String>, response: Response) -> Response {
        self.note(status, fault);
        response
    }

    fn note(&mut self, status: Option<StatusCode>, fault: Option<String>) {
        self.noted = true;
        self.gate.requests.note(Entry {
            operation: self.operation,
            method: self.method.to_string(),
            path: self.uri.path().to_owned(),
            query: self.uri.query().map(str::to_owned),
            at_ms: self.at_ms,
            status: status.map(|status| status.as_u16()),
            fault,
        });
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.noted {
            self.note(None, Some("client left".to_owned()));
        }
        self.gate.requests.left();
    }
}
