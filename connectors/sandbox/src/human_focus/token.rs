//! Operation 1, and the bearer token every other operation needs.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Form,
    extract::{Request, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde_json::json;

use super::{HumanFocus, PASSWORD, USERNAME};
use crate::{answer, tokens::bearer};

/// `POST /Token`, a form. The vendor shows no error; the body is the one OAuth 2 prescribes for this grant.
pub(super) async fn log_in(
    State(system): State<Arc<HumanFocus>>,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return refused("invalid_request", "The request is not application/x-www-form-urlencoded.");
    };
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "password" {
        return refused("unsupported_grant_type", "grant_type must be password.");
    }
    if !field("username").eq_ignore_ascii_case(USERNAME) || field("password") != PASSWORD {
        system.tokens.note_refused_login();
        return refused("invalid_grant", "The user name or password is incorrect.");
    }
    let body = json!({
        "access_token": system.tokens.issue(USERNAME),
        "token_type": "bearer",
        "expires_in": system.tokens.lifetime().as_secs(),
    });
    answer::json(StatusCode::OK, &body)
}

fn refused(error: &str, description: &str) -> Response {
    answer::json(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

pub(super) async fn admit(State(system): State<Arc<HumanFocus>>, request: Request, next: Next) -> Response {
    if system.tokens.admits(bearer(request.headers()), system.faults.token_uses()) {
        return next.run(request).await;
    }
    let message = json!({"Message": "Authorization has been denied for this request."});
    let mut response = answer::json(StatusCode::UNAUTHORIZED, &message);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
