//! A server that keeps to a definition, and breaks in the ways real ones do.

use crate::shape::{self, Body, Page, put, steps};
use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::sync::{Arc, Mutex};
use towpath_spec::definition::{AuthDoc, AuthKind, Definition, OperationDoc, PaginatorKind, StreamDoc, TokenFrom};

/// What goes wrong, once, before the page that is asked for next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    Status(u16),
    Cut,
    Html,
    /// The answer holds nothing of what it should.
    Nothing,
}

/// What the server gives.
#[derive(Clone)]
pub enum Give {
    Stream { stream: Box<StreamDoc>, rows: usize, per_page: usize },
    Operation(Box<OperationDoc>),
}

/// What was asked, and what is to come.
pub struct Script {
    pub give: Option<Give>,
    pub fault: Option<Fault>,
    /// The fault comes at this page, or always.
    pub at_page: Option<usize>,
    /// Tokens given before are refused.
    pub revoked: usize,
    served: usize,
    /// Requests of pages as they came: URL and body.
    pub asked: Vec<String>,
    pub logins: usize,
    auth: Vec<AuthDoc>,
    origin: String,
}

pub struct Server {
    pub origin: String,
    script: Arc<Mutex<Script>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(definition: &Definition) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let script = Script {
            give: None,
            fault: None,
            at_page: None,
            revoked: 0,
            served: 0,
            asked: Vec::new(),
            logins: 0,
            auth: definition.auth.clone(),
            origin: origin.clone(),
        };
        let script = Arc::new(Mutex::new(script));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { origin, script, serving }
    }

    pub fn give(&self, give: Give) {
        let mut script = self.script.lock().unwrap();
        (script.give, script.fault, script.at_page, script.served) = (Some(give), None, None, 0);
        script.asked.clear();
    }

    /// A fault at one page, or at all of them.
    pub fn break_at(&self, page: Option<usize>, fault: Fault) {
        let mut script = self.script.lock().unwrap();
        (script.fault, script.at_page) = (Some(fault), page);
    }

    /// No token given so far is good any more.
    pub fn revoke(&self) {
        let mut script = self.script.lock().unwrap();
        script.revoked = script.logins;
    }

    pub fn with<T>(&self, look: impl FnOnce(&Script) -> T) -> T {
        look(&self.script.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let mut script = script.lock().unwrap();
    if let Some(login) = script.login(head.uri.path()) {
        return login;
    }
    let head_text = format!("{:?} {}", head.headers, head.uri);
    if (1..=script.revoked).any(|old| head_text.contains(&token(old))) {
        return with(StatusCode::UNAUTHORIZED, "application/json", b"{}".to_vec());
    }
    script.asked.push(format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body)));
    if let Some(fault) = script.fault
        && script.at_page.is_none_or(|page| page == script.served)
    {
        if script.at_page.is_some() {
            script.fault = None;
        }
        return broken(fault);
    }
    script.page()
}

/// The `n`-th token this server gave.
pub fn token(n: usize) -> String {
    format!("marker-token-{n}-end")
}

fn with(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(HttpBody::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn broken(fault: Fault) -> Response {
    match fault {
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            let said =
                br#"{"message": "because", "Message": "because", "ErrorMessage": "because", "error": "because"}"#;
            let mut response = with(status, "application/json", said.to_vec());
            if status == StatusCode::TOO_MANY_REQUESTS {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
            }
            response
        }
        // The length that was promised never comes.
        Fault::Cut => {
            let pieces = futures::stream::iter([Ok(b"{\"a".to_vec()), Err(std::io::Error::other("cut"))]);
            Response::new(HttpBody::from_stream(pieces))
        }
        Fault::Html => with(StatusCode::OK, "text/html", b"<!doctype html><html><body>Sign in</body></html>".to_vec()),
        Fault::Nothing => with(StatusCode::OK, "application/json", b"{}".to_vec()),
    }
}

impl Script {
    /// The answer to a login or a refresh, if it is one.
    fn login(&mut self, path: &str) -> Option<Response> {
        let auth = self.auth.clone();
        let spec = auth.iter().find_map(|auth| match &auth.kind {
            AuthKind::Token(spec) => {
                let is_login = path.ends_with(spec.request.path.value.as_str());
                let refresh = spec.refresh.as_ref().is_some_and(|one| path.ends_with(one.request.path.value.as_str()));
                (is_login || refresh).then_some(spec)
            }
            _ => None,
        })?;
        self.logins += 1;
        let token = token(self.logins);
        Some(match &spec.from {
            TokenFrom::Body => with(StatusCode::OK, "text/plain", token.into_bytes()),
            TokenFrom::Path(path) => {
                let mut said = json!({"refresh_token": "marker-refresh-end"});
                put(&mut said, &steps(&path.value), json!(token));
                if let Some(path) = &spec.expires.path {
                    put(&mut said, &steps(&path.value), json!(3_600_000));
                }
                with(StatusCode::OK, "application/json", said.to_string().into_bytes())
            }
        })
    }

    fn page(&mut self) -> Response {
        let (stream, rows, per_page) = match self.give.clone() {
            None => return with(StatusCode::NOT_IMPLEMENTED, "text/plain", b"nothing to give".to_vec()),
            Some(Give::Operation(operation)) => {
                let Body { kind, bytes } = shape::done(&operation);
                return with(StatusCode::OK, kind, bytes);
            }
            Some(Give::Stream { stream, rows, per_page }) => (stream, rows, per_page),
        };
        let number = self.served;
        self.served += 1;
        if rows == 0 && shape::is_single(&stream) {
            let status = stream.absent.as_ref().and_then(|absent| absent.status.first()).copied().unwrap_or(204);
            let mut response = Response::new(HttpBody::empty());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            return response;
        }
        let start = (number * per_page).min(rows);
        let end = (start + per_page).min(rows);
        let page = Page { records: start..end, total: rows, number, is_last: end == rows, origin: &self.origin };
        let Body { kind, bytes } = shape::page(&stream, &page);
        let mut response = with(StatusCode::OK, kind, bytes);
        let is_link = stream.paginator.as_ref().is_some_and(|one| matches!(one.kind, PaginatorKind::Link));
        if is_link && end < rows {
            let link = format!("<{}/next?page={}>; rel=\"next\"", self.origin, number + 1);
            response.headers_mut().insert(header::LINK, HeaderValue::from_str(&link).unwrap());
        }
        response
    }
}
