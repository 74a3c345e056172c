//! A server that knows a few requests and their answers by heart, for the tests a definition carries.
//!
//! Requests may come in any order, since pages and slices are asked for side by side; each exchange serves once. What was not
//! expected is answered with 501, so that nothing believes it went well, and told at the end, as is what never came.

use crate::server::Line;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::{Map, Value};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Canned {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// Query parameters that must be there.
    pub query: Vec<(String, String)>,
    /// Headers that must be there.
    pub headers: Vec<(String, String)>,
    /// What the body must be: a text as it is, all else as JSON, or as a form when it is sent as one.
    pub body: Option<Value>,
    /// Status of the answer.
    pub status: u16,
    /// Headers of the answer.
    pub answer_headers: Vec<(String, String)>,
    /// Body of the answer: a text as it is, all else as JSON.
    pub answer: Option<Value>,
}

/// The server; it stops when dropped.
pub struct CannedServer {
    port: u16,
    book: Arc<Mutex<Book>>,
    serving: JoinHandle<()>,
}

struct Book {
    waiting: Vec<Canned>,
    problems: Vec<String>,
}

impl CannedServer {
    /// Starts a server that knows these exchanges.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(exchanges: Vec<Canned>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let book = Arc::new(Mutex::new(Book { waiting: exchanges, problems: Vec::new() }));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let serving = tokio::spawn(async move {
            let service = routes.into_make_service_with_connect_info::<Line>();
            if let Err(error) = axum::serve(crate::server::CuttableListener(listener), service).await {
                tracing::error!(%error, "the server of a test stopped");
            }
        });
        Ok(Self { port, book, serving })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked and not expected, and what was expected and never asked.
    pub fn problems(&self) -> Vec<String> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = book.problems.clone();
        problems.extend(book.waiting.iter().map(|one| format!("{} was never asked for", one.shown())));
        problems
    }
}

impl Drop for CannedServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    State(book): State<Arc<Mutex<Book>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = Asked { method, uri, headers, body };
    let mut nearest: Option<(usize, String)> = None;
    for at in 0..book.waiting.len() {
        match asked.differs_from(&book.waiting[at]) {
            None => return book.waiting.remove(at).response(),
            Some((likeness, how)) if nearest.as_ref().is_none_or(|(best, _)| likeness > *best) => {
                nearest = Some((likeness, format!("{} was expected, but {how}", book.waiting[at].shown())));
            }
            Some(_) => {}
        }
    }
    let shown = format!("{} {}", asked.method, asked.uri);
    let why = nearest.map(|(_, how)| format!("; {how}")).unwrap_or_default();
    let problem = format!("{shown} was not expected{why}");
    book.problems.push(problem.clone());
    crate::answer::with(StatusCode::NOT_IMPLEMENTED, "text/plain", problem)
}

/// A request as it came.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    /// How it differs from what is expected, and how alike the two are; `None`: not at all.
    fn differs_from(&self, wanted: &Canned) -> Option<(usize, String)> {
        if self.uri.path() != wanted.path {
            return Some((0, format!("the path is `{}`", self.uri.path())));
        }
        if !self.method.as_str().eq_ignore_ascii_case(&wanted.method) {
            return Some((1, format!("the method is {}", self.method)));
        }
        let pairs = form(self.uri.query().unwrap_or_default().as_bytes());
        if let Some((name, value)) = wanted.query.iter().find(|pair| !pairs.contains(pair)) {
            let found: Vec<&str> =
                pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
            let found =
                if found.is_empty() { "is not there".to_owned() } else { format!("is `{}`", found.join("`, `")) };
            return Some((2, format!("`{name}` of the query {found}, not `{value}`")));
        }
        for (name, value) in &wanted.headers {
            let found = self.headers.get(name.as_str()).and_then(|value| value.to_str().ok());
            if found != Some(value.as_str()) {
                return Some((3, format!("header `{name}` is {found:?}, not `{value}`")));
            }
        }
        let wanted = wanted.body.as_ref()?;
        let found = self.value_of_body(wanted);
        (found != *wanted).then(|| (4, format!("the body is {found}, not {wanted}")))
    }

    /// The body in the form of what is expected.
    fn value_of_body(&self, wanted: &Value) -> Value {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if wanted.is_string() {
            return Value::from(text);
        }
        if kind.starts_with("application/x-www-form-urlencoded") {
            let pairs = form(&self.body).into_iter().map(|(name, value)| (name, Value::from(value)));
            return Value::Object(pairs.collect::<Map<_, _>>());
        }
        serde_json::from_slice(&self.body).unwrap_or(Value::from(text))
    }
}

/// The pairs of a query or a form.
fn form(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

impl Canned {
    fn shown(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }

    fn response(self) -> Response {
        let (kind, body) = match self.answer {
            None => (None, Body::empty()),
            Some(Value::String(text)) => (Some("text/plain; charset=utf-8"), Body::from(text)),
            Some(value) => (Some("application/json"), Body::from(value.to_string())),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        if let Some(kind) = kind {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in &self.answer_headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
