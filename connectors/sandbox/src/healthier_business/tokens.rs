//! Pairs of tokens: one that lets in, and one with which the next pair is got.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    API_KEY, CLIENT_ID, HealthierBusiness,
    router::{Answer, Call, Good, Problem},
};
use crate::tokens::Tokens;

/// An access token lives for an hour.
const HOUR: Duration = Duration::from_secs(60 * 60);

pub(super) struct Pairs {
    pub access: Tokens,
    /// Each is good for one refresh.
    refresh: Mutex<HashSet<String>>,
}

impl Pairs {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { access: Tokens::new(lifetime.min(HOUR)), refresh: Mutex::default() }
    }

    pub(super) fn books(&self) -> Value {
        self.access.books()
    }

    pub(super) fn clear(&self) {
        self.access.clear();
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Access tokens only: a pair can be refreshed still.
    pub(super) fn revoke(&self) {
        self.access.revoke();
    }

    fn issue(&self) -> Value {
        let refresh = format!("refresh-{:032x}", fastrand::u128(..));
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner).insert(refresh.clone());
        json!({
            "access_token": self.access.issue("client"),
            "refresh_token": refresh,
            "expires_in": self.access.lifetime().as_secs(),
        })
    }
}

pub(super) fn log_in(system: &HealthierBusiness, call: &Call) -> Answer {
    let is_client = call.fields.get("client_id").is_some_and(|id| crate::tables::plain(id) == CLIENT_ID);
    if !is_client || call.fields.get("api_key").and_then(Value::as_str) != Some(API_KEY) {
        system.pairs.access.note_refused_login();
        return Err(Problem::new(401, "The credentials are not valid"));
    }
    Ok(Good::value(200, system.pairs.issue()))
}

pub(super) fn refresh(system: &HealthierBusiness, call: &Call) -> Answer {
    let token = call.text("refresh_token");
    if !system.pairs.refresh.lock().unwrap_or_else(PoisonError::into_inner).remove(&token) {
        return Err(Problem::new(401, "The refresh token is not valid"));
    }
    Ok(Good::value(200, system.pairs.issue()))
}

pub(super) fn info(_: &HealthierBusiness, _: &Call) -> Answer {
    Ok(Good::value(
        200,
        json!({"client_id": CLIENT_ID.parse::<u64>().unwrap_or_default(), "expires_in": HOUR.as_secs()}),
    ))
}

pub(super) fn revoke(system: &HealthierBusiness, _: &Call) -> Answer {
    system.pairs.revoke();
    Ok(Good::value(200, json!({"message": "Token revoked"})))
}
