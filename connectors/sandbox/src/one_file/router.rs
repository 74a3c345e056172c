//! Which method and path is which operation. One table: it answers, and it names requests for the book and the faults.
//! Paths are the same whatever their capitals, as clients of the vendor write them in several ways.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{BASE_PATH, CUSTOMER_TOKEN, OneFile, searches, users, writes};
use crate::{answer, gate::MOST_BODY_BYTES, route};

/// What an operation answers when all is well.
pub(super) enum Good {
    Value(Value),
    /// Status 200 without a body.
    Done,
    /// Status 204: nothing found.
    Nothing,
}

pub(super) type Answer = Result<Good, (StatusCode, String)>;

/// Status 400 with a message.
pub(super) fn bad(message: impl Into<String>) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, message.into())
}

/// Status 404 with a message.
pub(super) fn missing(kind: &str, id: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("{kind} {id} was not found"))
}

/// A request that was let in.
pub(super) struct Call {
    /// The kind of thing it is about.
    pub kind: &'static str,
    /// The variable parts of the path.
    pub path: Vec<String>,
    /// The body's members, of JSON or of a form.
    pub fields: Map<String, Value>,
}

type Operation = fn(&OneFile, &Call) -> Answer;

/// Method, path below the base with its variable parts as `*`, name, kind of thing, and what answers.
const ROUTES: [(&str, &str, &str, &str, Operation); 61] = [
    ("GET", "/Customer", "GetCustomer", "Customer", searches::customer),
    ("POST", "/Organisation/Search", "SearchOrganisations", "Organisation", searches::search),
    ("POST", "/Organisation/Search/*/*", "SearchOrganisations", "Organisation", searches::search),
    ("GET", "/Organisation/*", "GetOrganisation", "Organisation", searches::one),
    (
        "GET",
        "/Organisation/*/LearningAimStatuses",
        "GetLearningAimStatuses",
        "LearningAimStatus",
        searches::of_organisation,
    ),
    ("GET", "/Organisation/*/LearnerStatuses", "GetLearnerStatuses", "LearnerStatus", searches::of_organisation),
    ("GET", "/Organisation/*/AssignedStandards", "GetAssignedStandards", "Standard", searches::of_organisation),
    ("POST", "/User/Search", "SearchUsers", "User", searches::search),
    ("POST", "/User/Search/*/*", "SearchUsers", "User", searches::search),
    ("GET", "/User/*", "GetUser", "User", searches::one),
    ("POST", "/User", "CreateUser", "User", users::create),
    ("POST", "/User/*", "UpdateUser", "User", users::update),
    ("DELETE", "/User/*", "DeleteUser", "User", users::delete),
    ("POST", "/User/*/Archive", "ArchiveUser", "User", users::archive),
    ("POST", "/User/*/Unarchive", "UnarchiveUser", "User", users::unarchive),
    ("POST", "/User/*/Assign", "AssignUser", "Assignment", users::assign),
    ("GET", "/User/*/UnitSummary", "GetUnitSummaries", "UnitSummary", searches::of_user),
    ("POST", "/User/*/AssignPlacement/*/*", "AssignPlacement", "User", users::assign_placement),
    ("GET", "/User/*/offthejob", "GetOffTheJob", "User", searches::off_the_job),
    ("POST", "/Classroom/Search", "SearchClassrooms", "Classroom", searches::search),
    ("POST", "/Classroom/Search/*/*", "SearchClassrooms", "Classroom", searches::search),
    ("GET", "/Classroom/*", "GetClassroom", "Classroom", searches::one),
    ("POST", "/Classroom", "CreateClassroom", "Classroom", writes::create),
    ("POST", "/Classroom/*", "UpdateClassroom", "Classroom", writes::update),
    ("POST", "/Placement/Search", "SearchPlacements", "Placement", searches::search),
    ("POST", "/Placement/Search/*/*", "SearchPlacements", "Placement", searches::search),
    ("GET", "/Placement/*", "GetPlacement", "Placement", searches::one),
    ("POST", "/Placement", "CreatePlacement", "Placement", writes::create),
    ("POST", "/Placement/*", "UpdatePlacement", "Placement", writes::update),
    ("POST", "/Provider/Search", "SearchProviders", "Provider", searches::search),
    ("POST", "/Provider/Search/*/*", "SearchProviders", "Provider", searches::search),
    ("GET", "/Provider/*", "GetProvider", "Provider", searches::one),
    ("POST", "/Provider", "CreateProvider", "Provider", writes::create),
    ("POST", "/Provider/*", "UpdateProvider", "Provider", writes::update),
    ("POST", "/FrameworkTemplate/Search", "SearchFrameworkTemplates", "FrameworkTemplate", searches::search),
    (
        "POST",
        "/FrameworkTemplate/*/Assign/*/*",
        "AssignFrameworkTemplate",
        "FrameworkTemplate",
        writes::assign_framework,
    ),
    ("POST", "/Standard/Search", "SearchStandards", "Standard", searches::search),
    ("POST", "/Standard/Search/*/*", "SearchStandards", "Standard", searches::search),
    ("GET", "/Standard/*", "GetStandard", "Standard", searches::one),
    ("POST", "/Standard/*/Assign/*", "AssignStandard", "Standard", writes::assign_standard),
    ("POST", "/Unit/Search", "SearchUnits", "Unit", searches::search),
    ("POST", "/Unit/Search/*/*", "SearchUnits", "Unit", searches::search),
    ("GET", "/Unit/*", "GetUnit", "Unit", searches::one),
    ("POST", "/Unit/*/Assign/*/*", "AssignUnit", "Unit", writes::assign_unit),
    ("POST", "/LearningAim/Search", "SearchLearningAims", "LearningAim", searches::search),
    ("POST", "/LearningAim/Search/*/*", "SearchLearningAims", "LearningAim", searches::search),
    ("GET", "/LearningAim/*", "GetLearningAim", "LearningAim", searches::one),
    ("POST", "/LearningAim/*", "UpdateLearningAim", "LearningAim", writes::update),
    ("POST", "/UnitSummary/Search/*/*", "SearchUnitSummaries", "UnitSummary", searches::search),
    ("POST", "/Review/Search", "SearchReviews", "Review", searches::search),
    ("POST", "/Review/Search/*/*", "SearchReviews", "Review", searches::search),
    ("GET", "/Review/*", "GetReview", "Review", searches::one),
    ("POST", "/Review", "CreateReview", "Review", writes::create),
    ("POST", "/Plan/Search", "SearchPlans", "Plan", searches::search),
    ("POST", "/Plan/Search/*/*", "SearchPlans", "Plan", searches::search),
    ("GET", "/Plan/*", "GetPlan", "Plan", searches::one),
    ("POST", "/Visit", "CreateVisit", "Visit", writes::create),
    ("GET", "/Timesheet/Learner/*", "GetTimesheet", "Timesheet", searches::of_user),
    // Not documented, and answered alike: what was created can be looked at.
    ("GET", "/FrameworkTemplate/*", "GetFrameworkTemplate", "FrameworkTemplate", searches::one),
    ("GET", "/UnitSummary/*", "GetUnitSummary", "UnitSummary", searches::one),
    ("GET", "/Visit/*", "GetVisit", "Visit", searches::one),
];

const AUTHENTICATION: &str = "/Authentication";

pub(super) fn routes(system: Arc<OneFile>) -> Router {
    Router::new().fallback(answered).layer(DefaultBodyLimit::max(MOST_BODY_BYTES)).with_state(system)
}

/// What stands behind the base, whatever its capitals.
fn below(path: &str) -> Option<&str> {
    let base = path.get(..BASE_PATH.len())?;
    base.eq_ignore_ascii_case(BASE_PATH).then(|| &path[BASE_PATH.len()..])
}

/// The name of the operation; with no method the first one at that path.
pub(super) fn operation(method: &str, path: &str) -> &'static str {
    let Some(path) = below(path) else { return "unknown" };
    if path.eq_ignore_ascii_case(AUTHENTICATION) {
        return "Authenticate";
    }
    let fits = |row: &&(&str, &str, &'static str, &str, Operation)| {
        (method.is_empty() || row.0 == method) && route::parts(row.1, path, true).is_some()
    };
    ROUTES.iter().find(fits).map_or("unknown", |row| row.2)
}

async fn answered(
    State(system): State<Arc<OneFile>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = below(uri.path()).unwrap_or_default();
    if path.eq_ignore_ascii_case(AUTHENTICATION) && method == Method::POST {
        return authenticate(&system, &headers);
    }
    match handled(&system, &method, path, &headers, &body) {
        Ok(Good::Value(value)) => answer::json(StatusCode::OK, &value),
        Ok(Good::Done) => answer::with(StatusCode::OK, "application/json", ""),
        Ok(Good::Nothing) => answer::with(StatusCode::NO_CONTENT, "application/json", ""),
        Err((status, message)) => answer::json(status, &json!({"message": message})),
    }
}

/// The session is the body itself.
fn authenticate(system: &OneFile, headers: &HeaderMap) -> Response {
    let token = headers.get("x-customertoken").and_then(|value| value.to_str().ok());
    if token != Some(CUSTOMER_TOKEN) {
        system.tokens.note_refused_login();
        return answer::json(StatusCode::UNAUTHORIZED, &json!({"message": "The customer token is not valid"}));
    }
    answer::with(StatusCode::OK, "text/plain; charset=utf-8", format!("\"{}\"\r\n", system.tokens.issue("customer")))
}

fn handled(system: &OneFile, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    let session = headers.get("x-tokenid").and_then(|value| value.to_str().ok());
    if !system.tokens.admits(session, system.faults.token_uses()) {
        return Err((StatusCode::UNAUTHORIZED, "The session is not valid".to_owned()));
    }
    let mut is_known = false;
    for (its_method, pattern, _, kind, operation) in &ROUTES {
        let Some(path) = route::parts(pattern, path, true) else { continue };
        is_known = true;
        if method.as_str() == *its_method {
            return operation(system, &Call { kind, path, fields: fields(headers, body)? });
        }
    }
    Err(match is_known {
        true => (StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not supported here")),
        false => (StatusCode::NOT_FOUND, format!("There is nothing at {path}")),
    })
}

/// JSON or a form, with the same names.
fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, (StatusCode, String)> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(body).into_owned();
        return Ok(pairs.map(|(name, value)| (name, Value::from(value))).collect());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(bad("The body is no JSON object")),
        Err(error) => Err(bad(format!("The body is no JSON: {error}"))),
    }
}
