//! Which method and path is which operation. One table: it answers, and it names requests for the book and the faults.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{
    API_KEY, BASE_PATH, HealthierBusiness, bookings, candidates, health, references, tokens, training, webhooks,
};
use crate::{answer, gate::MOST_BODY_BYTES, route, tables::plain, tokens::bearer};

/// What an operation answers when all is well.
pub(super) enum Good {
    Value(u16, Value),
    /// A status without a body.
    Empty(u16),
    Pdf {
        name: String,
        text: String,
    },
}

impl Good {
    pub(super) fn value(status: u16, value: Value) -> Self {
        Self::Value(status, value)
    }
}

/// A refusal.
pub(super) struct Problem {
    status: u16,
    message: String,
    errors: Map<String, Value>,
    /// Seconds after which to try again.
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Map::new(), retry_after: None }
    }

    /// Of the answer only the status is documented, of sibling systems.
    fn too_many(seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(429, "Too Many Attempts.") }
    }

    /// What is wrong with a field.
    pub(super) fn with(mut self, field: &str, message: &str) -> Self {
        self.errors.insert(field.to_owned(), json!([message]));
        self
    }
}

pub(super) type Answer = Result<Good, Problem>;

/// A request that was let in.
pub(super) struct Call {
    /// The variable parts of the path.
    pub path: Vec<String>,
    pub query: Map<String, Value>,
    /// The body's members, of JSON, of a form, or of the parts that are text.
    pub fields: Map<String, Value>,
    /// Names of the files that came with it.
    pub files: Vec<String>,
}

impl Call {
    /// A member of the body as text; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> String {
        self.fields.get(name).map(plain).unwrap_or_default()
    }

    /// A parameter of the query as a number.
    pub(super) fn number(&self, name: &str, default: usize) -> usize {
        self.query.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

/// How an operation is let in.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Open,
    /// The headers of version 1.
    Headers,
    /// The token of version 2.
    Token,
    /// Either; the vendor does not say.
    Any,
}

type Operation = fn(&HealthierBusiness, &Call) -> Answer;

use Door::{Any, Headers, Open, Token};

/// Method, path below the base with its variable parts as `*`, name, door, and what answers. The first row that fits counts.
const ROUTES: [(&str, &str, &str, Door, Operation); 45] = [
    ("POST", "/v2/auth/token", "GetAccessToken", Open, tokens::log_in),
    ("POST", "/v2/auth/refresh", "RefreshAccessToken", Open, tokens::refresh),
    ("GET", "/v2/auth/token-info", "GetTokenInfo", Token, tokens::info),
    ("POST", "/v2/auth/revoke", "RevokeToken", Token, tokens::revoke),
    ("GET", "/v2/reference-requests", "ListReferenceRequests", Token, references::list),
    ("POST", "/v2/reference-requests", "CreateReferenceRequest", Token, references::create),
    ("GET", "/v2/reference-requests/*", "GetReferenceRequest", Token, references::one),
    ("POST", "/v2/reference-requests/*/cancel", "CancelReferenceRequest", Token, references::cancel),
    ("POST", "/v2/reference-requests/*/referees", "AddReferee", Token, references::add_referee),
    ("POST", "/v2/reference-requests/*/reminders", "SendReminders", Token, references::remind),
    ("GET", "/v2/references/*", "GetReference", Token, references::reference),
    ("GET", "/v2/references/*/pdf", "DownloadReference", Token, references::pdf),
    ("GET", "/v2/webhooks", "ListWebhooks", Token, webhooks::list),
    ("POST", "/v2/webhooks", "CreateWebhook", Token, webhooks::create),
    ("PUT", "/v2/webhooks/*", "UpdateWebhook", Token, webhooks::update),
    ("DELETE", "/v2/webhooks/*", "DeleteWebhook", Token, webhooks::delete),
    ("GET", "/v2/webhooks/*/calls", "ListWebhookCalls", Token, webhooks::calls),
    ("POST", "/v2/webhooks/*/test", "TestWebhook", Token, webhooks::test),
    ("GET", "/v2/templates", "ListTemplates", Token, references::templates),
    ("GET", "/candidates", "GetCandidates", Headers, candidates::list),
    ("POST", "/candidates", "CreateCandidate", Headers, candidates::create),
    ("GET", "/candidates/*", "GetCandidate", Headers, candidates::one),
    ("PATCH", "/candidates/*", "UpdateCandidate", Headers, candidates::update),
    ("GET", "/training-list", "GetTrainings", Headers, training::courses),
    ("GET", "/training-results/*", "GetTrainingReport", Headers, training::report),
    ("GET", "/training-results/*/unassigned", "GetUnassignedReport", Headers, training::unassigned),
    ("GET", "/training-results/*/certificate", "CertificateAssigned", Headers, training::certificate),
    ("GET", "/training-results/*/certificate/expired", "CertificateExpired", Headers, training::certificate),
    ("GET", "/training-results/*/certificate/unassigned", "CertificateUnassigned", Headers, training::certificate),
    ("GET", "/training-results/*/certificate/all", "CertificateAll", Headers, training::certificate),
    ("GET", "/training-results/*/certificate/*", "CertificateOfCourse", Headers, training::certificate_of_course),
    ("GET", "/training-results/*/*", "GetCourseResult", Headers, training::course_result),
    ("GET", "/forms", "GetForms", Headers, health::forms),
    ("GET", "/forms/*/fields", "GetFormFields", Headers, health::fields),
    ("POST", "/submissions", "CreateSubmission", Headers, health::create),
    ("PATCH", "/submissions/*", "ModifySubmission", Headers, health::add_documents),
    ("POST", "/submissions/*", "SubmitSubmission", Headers, health::submit),
    ("GET", "/submissions", "GetSubmissions", Headers, health::list),
    ("GET", "/submissions/*/result", "GetSubmissionResult", Headers, health::result),
    ("GET", "/submissions/*/document", "GetSubmissionDocument", Headers, health::document),
    ("GET", "/interview-bookings", "ListInterviewBookings", Any, bookings::interviews),
    ("GET", "/bookings/past", "GetPastBookings", Any, bookings::past),
    ("GET", "/bookings/upcoming", "GetUpcomingBookings", Any, bookings::upcoming),
    ("GET", "/bookings/search", "SearchBookings", Any, bookings::search),
    ("GET", "/booking-links/search", "SearchBookingLinks", Any, bookings::links),
];

pub(super) fn routes(system: Arc<HealthierBusiness>) -> Router {
    Router::new().fallback(answered).layer(DefaultBodyLimit::max(MOST_BODY_BYTES)).with_state(system)
}

/// The name of the operation; with no method the first one at that path.
pub(super) fn operation(method: &str, path: &str) -> &'static str {
    let Some(path) = path.strip_prefix(BASE_PATH) else { return "unknown" };
    let fits = |row: &&(&str, &str, &'static str, Door, Operation)| {
        (method.is_empty() || row.0 == method) && route::parts(row.1, path, false).is_some()
    };
    ROUTES.iter().find(fits).map_or("unknown", |row| row.2)
}

async fn answered(
    State(system): State<Arc<HealthierBusiness>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match handled(&system, &method, &uri, &headers, &body) {
        Ok(Good::Value(status, value)) => answer::json(code(status), &value),
        Ok(Good::Empty(status)) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = code(status);
            response
        }
        Ok(Good::Pdf { name, text }) => {
            let mut response = answer::with(StatusCode::OK, "application/pdf", format!("%PDF-1.4\n% {text}\n%%EOF\n"));
            if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
            }
            response
        }
        Err(Problem { status, message, errors, retry_after }) => {
            let mut said = json!({"message": message});
            if !errors.is_empty() {
                said["errors"] = Value::Object(errors);
            }
            let mut response = answer::json(code(status), &said);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::OK)
}

fn handled(system: &HealthierBusiness, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
    let path = uri.path().strip_prefix(BASE_PATH).unwrap_or_default();
    if path.starts_with("/v2/") {
        system.limit.admit().map_err(Problem::too_many)?;
    }
    let mut is_known = false;
    for (its_method, pattern, _, door, operation) in &ROUTES {
        let Some(path) = route::parts(pattern, path, false) else { continue };
        is_known = true;
        if method.as_str() != *its_method {
            continue;
        }
        admit(system, *door, headers)?;
        let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        let query = query.map(|(name, value)| (name, Value::from(value))).collect();
        let (fields, files) = fields(headers, body)?;
        return operation(system, &Call { path, query, fields, files });
    }
    Err(match is_known {
        true => Problem::new(405, format!("{method} is not supported here")),
        false => Problem::new(404, format!("There is nothing at {path}")),
    })
}

fn admit(system: &HealthierBusiness, door: Door, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let by_headers = || text("api-key") == Some(API_KEY) && text("api-version") == Some("1.0");
    let by_token = || system.pairs.access.admits(bearer(headers), system.faults.token_uses());
    let admitted = match door {
        Open => true,
        Headers => by_headers(),
        Token => by_token(),
        Any => by_headers() || by_token(),
    };
    if admitted { Ok(()) } else { Err(Problem::new(401, "Unauthenticated.")) }
}

/// Members of a body, and names of files in it.
fn fields(headers: &HeaderMap, body: &[u8]) -> Result<(Map<String, Value>, Vec<String>), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if body.is_empty() {
        return Ok((Map::new(), Vec::new()));
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(body).into_owned();
        return Ok((pairs.map(|(name, value)| (name, Value::from(value))).collect(), Vec::new()));
    }
    if let Some((_, boundary)) = kind.split_once("boundary=").filter(|_| kind.starts_with("multipart/form-data")) {
        return Ok(parts(body, boundary.trim_matches('"')));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok((fields, Vec::new())),
        _ => Err(Problem::new(400, "The body is neither a form nor a JSON object")),
    }
}

/// Parts of a multipart body: texts by name, and names of files.
fn parts(body: &[u8], boundary: &str) -> (Map<String, Value>, Vec<String>) {
    let text = String::from_utf8_lossy(body);
    let (mut fields, mut files) = (Map::new(), Vec::new());
    for part in text.split(&format!("--{boundary}")) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else { continue };
        let named = |key: &str| {
            let (_, rest) = head.split_once(&format!("{key}=\""))?;
            rest.split_once('"').map(|(name, _)| name.to_owned())
        };
        match (named(" name"), named("filename")) {
            (_, Some(file)) => files.push(file),
            (Some(name), None) => drop(fields.insert(name, Value::from(value.trim_end_matches("\r\n")))),
            (None, None) => {}
        }
    }
    (fields, files)
}
