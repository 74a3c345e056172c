//! Which path is which operation, and what is the same for all: body in JSON or refused, refusals in the body.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    BASE_PATH, HumanFocus,
    fields::{Answer, Fields},
    files,
    groups::{self, Kind},
    history, lookups, providers, results, token, trainings, uploads, users,
};
use crate::{answer, gate::MOST_BODY_BYTES};

type Post = fn(&HumanFocus, &Fields<'_>) -> Answer;
type Get = fn(&HumanFocus, &str, Option<&str>) -> Response;

const TOKEN: &str = "Token";
const UPLOAD_FILE: &str = "UploadFile";

/// Operations answered to a GET, their parameters in the path.
const GETS: [(&str, Get); 6] = [
    ("GetOrganID", lookups::organ_id),
    ("GetUserGroups", lookups::user_groups),
    ("GetUserID", lookups::user_id),
    ("GetUserDetails", lookups::user_details),
    ("GetAllUsers", lookups::all_users),
    ("GetUserTrainingResultDetail", history::of_user),
];

/// Operations answered to a POST with a JSON object.
const POSTS: [(&str, Post); 19] = [
    ("AddUser", users::add),
    ("EditUser", users::edit),
    ("ArchiveUser", users::archive),
    ("AssignUserGroups", groups::assign_to_user),
    ("GetTrainingResults", results::of_organisation),
    ("GetAllTrainingsByOrganID", trainings::catalogue),
    ("AddExternalTrainingProvider", providers::add),
    ("AddExternalTrainingDetails", trainings::add),
    ("GetUploadedTrainings", trainings::uploaded),
    ("UploadExternalTraining", uploads::add),
    ("AddUserGroup", |system, fields| groups::create(system, fields, Kind::UserGroup)),
    ("UpdateUserGroup", |system, fields| groups::rename(system, fields, Kind::UserGroup)),
    ("AssignUsersToUserGroup", groups::assign_users),
    ("AddSiteLocation", |system, fields| groups::create(system, fields, Kind::Site)),
    ("UpdateSiteLocation", |system, fields| groups::rename(system, fields, Kind::Site)),
    ("AssignUsersToSiteLocation", |system, fields| groups::place_users(system, fields, Kind::Site)),
    ("AddDepartment", |system, fields| groups::create(system, fields, Kind::Department)),
    ("UpdateDepartment", |system, fields| groups::rename(system, fields, Kind::Department)),
    ("AssignUsersToDepartment", |system, fields| groups::place_users(system, fields, Kind::Department)),
];

pub(super) fn routes(system: Arc<HumanFocus>) -> Router {
    let api = |rest: &str| format!("{BASE_PATH}/api/cbt/{rest}");
    let guarded = Router::new()
        .route(&api(UPLOAD_FILE), post(files::upload))
        .route(&api("{operation}"), post(posted))
        .route(&api("{operation}/{organisation}"), get(got_one))
        .route(&api("{operation}/{organisation}/{second}"), get(got_two))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(middleware::from_fn_with_state(Arc::clone(&system), token::admit));
    Router::new()
        .route(&format!("{BASE_PATH}/{TOKEN}"), post(token::log_in))
        .merge(guarded)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(system)
}

pub(super) fn operation(path: &str) -> &'static str {
    let Some(rest) = path.strip_prefix(BASE_PATH) else {
        return "unknown";
    };
    if rest.trim_matches('/') == TOKEN {
        return TOKEN;
    }
    let name = rest.strip_prefix("/api/cbt/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let names = GETS.iter().map(|(name, _)| *name).chain(POSTS.iter().map(|(name, _)| *name)).chain([UPLOAD_FILE]);
    names.into_iter().find(|known| *known == name).unwrap_or("unknown")
}

async fn posted(
    State(system): State<Arc<HumanFocus>>,
    Path(operation): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some((_, post)) = POSTS.iter().find(|(name, _)| *name == operation) else {
        return match GETS.iter().any(|(name, _)| *name == operation) {
            true => wrong_method().await,
            false => no_such_operation(&operation),
        };
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let said = format!(
            "The request entity's media type '{media_type}' is not supported for this resource; send application/json."
        );
        return message(StatusCode::UNSUPPORTED_MEDIA_TYPE, &said);
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(object)) => answered(post(&system, &Fields(&object))),
        Ok(_) => message(StatusCode::BAD_REQUEST, "The request is invalid: the body is no JSON object."),
        Err(error) => message(StatusCode::BAD_REQUEST, &format!("The request is invalid: {error}")),
    }
}

/// Refusals come with status 200; success is told in the body alone.
pub(super) fn answered(answer: Answer) -> Response {
    let body = answer.unwrap_or_else(|refusal| json!({"Status": false, "ErrorMessage": refusal.0}));
    answer::json(StatusCode::OK, &body)
}

async fn got_one(
    State(system): State<Arc<HumanFocus>>,
    Path((operation, organisation)): Path<(String, String)>,
) -> Response {
    got(&system, &operation, &organisation, None)
}

async fn got_two(
    State(system): State<Arc<HumanFocus>>,
    Path((operation, organisation, second)): Path<(String, String, String)>,
) -> Response {
    got(&system, &operation, &organisation, Some(&second))
}

fn got(system: &HumanFocus, operation: &str, organisation: &str, second: Option<&str>) -> Response {
    match GETS.iter().find(|(name, _)| *name == operation) {
        Some((_, get)) => get(system, organisation, second),
        None => no_such_operation(operation),
    }
}

pub(super) fn message(status: StatusCode, text: &str) -> Response {
    answer::json(status, &json!({"Message": text}))
}

fn no_such_operation(operation: &str) -> Response {
    message(StatusCode::NOT_FOUND, &format!("No HTTP resource was found for the operation '{operation}'."))
}

async fn unknown_path(uri: Uri) -> Response {
    message(
        StatusCode::NOT_FOUND,
        &format!("No HTTP resource was found that matches the request URI '{}'.", uri.path()),
    )
}

async fn wrong_method() -> Response {
    message(StatusCode::METHOD_NOT_ALLOWED, "The requested resource does not support this http method.")
}
