//! The token: asked for with two query parameters of a POST without a body, told in milliseconds.

use serde_json::json;

use super::{
    CLIENT_KEY, Enabley, SECRET,
    call::{Answer, Call, Good, Problem},
};

/// `POST /api/v1/token?clientKey=…&secret=…`
pub(super) fn issue(system: &Enabley, call: &Call<'_>) -> Answer {
    let (Some(key), Some(secret)) = (call.asked("clientKey"), call.asked("secret")) else {
        return Err(Problem::invalid("clientKey and secret are required"));
    };
    if key != CLIENT_KEY || secret != SECRET {
        system.tokens.note_refused_login();
        let status = axum::http::StatusCode::BAD_REQUEST;
        return Err(Problem::new(status, "invalid_client", "The client key or the secret is wrong"));
    }
    // An int32 of milliseconds is at most 24.8 days.
    let lifetime = i32::try_from(system.tokens.lifetime().as_millis()).unwrap_or(i32::MAX);
    Ok(Good::Value(json!({
        "access_token": system.tokens.issue(CLIENT_KEY),
        "expires_in": lifetime,
        "token_type": "bearer",
    })))
}
