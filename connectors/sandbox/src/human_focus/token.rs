//! Operation 1, and the bearer token every other operation needs.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Form,
    extract::{Request, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{HumanFocus, PASSWORD, USERNAME};
use crate::answer;

/// Dead tokens are swept out when there are more tokens than this.
const SWEEP_ABOVE: usize = 1024;

pub(super) struct Tokens {
    lifetime: Duration,
    live: Mutex<HashMap<String, Token>>,
    issued: AtomicU64,
    refused_logins: AtomicU64,
    refused_tokens: AtomicU64,
}

struct Token {
    until: Instant,
    uses: u64,
}

impl Tokens {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            live: Mutex::default(),
            issued: AtomicU64::new(0),
            refused_logins: AtomicU64::new(0),
            refused_tokens: AtomicU64::new(0),
        }
    }

    pub(super) fn revoke(&self) {
        self.live().clear();
    }

    pub(super) fn clear(&self) {
        self.revoke();
        for counter in [&self.issued, &self.refused_logins, &self.refused_tokens] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn books(&self) -> Value {
        let now = Instant::now();
        json!({
            "issued": self.issued.load(Ordering::Relaxed),
            "live": self.live().values().filter(|token| token.until > now).count(),
            "refused_logins": self.refused_logins.load(Ordering::Relaxed),
            "refused_tokens": self.refused_tokens.load(Ordering::Relaxed),
        })
    }

    fn issue(&self) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signature: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let text = format!(
            "{}.{}.{}",
            part(json!({"alg": "HS256", "typ": "JWT"})),
            part(json!({"sub": USERNAME, "jti": number})),
            BASE64URL_NOPAD.encode(&signature)
        );
        let now = Instant::now();
        let mut live = self.live();
        if live.len() > SWEEP_ABOVE {
            live.retain(|_, token| token.until > now);
        }
        live.insert(text.clone(), Token { until: now + self.lifetime, uses: 0 });
        text
    }

    /// Whether the token is alive, counting this use of it.
    fn admits(&self, text: &str, most_uses: Option<u64>) -> bool {
        let mut live = self.live();
        let Some(token) = live.get_mut(text) else {
            return false;
        };
        if token.until <= Instant::now() || most_uses.is_some_and(|most| token.uses >= most) {
            live.remove(text);
            return false;
        }
        token.uses += 1;
        true
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
        system.tokens.refused_logins.fetch_add(1, Ordering::Relaxed);
        return refused("invalid_grant", "The user name or password is incorrect.");
    }
    let body = json!({
        "access_token": system.tokens.issue(),
        "token_type": "bearer",
        "expires_in": system.tokens.lifetime.as_secs(),
    });
    answer::json(StatusCode::OK, &body)
}

fn refused(error: &str, description: &str) -> Response {
    answer::json(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

pub(super) async fn admit(State(system): State<Arc<HumanFocus>>, request: Request, next: Next) -> Response {
    let admitted =
        bearer(request.headers()).is_some_and(|token| system.tokens.admits(token, system.faults.token_uses()));
    if admitted {
        return next.run(request).await;
    }
    system.tokens.refused_tokens.fetch_add(1, Ordering::Relaxed);
    let message = json!({"Message": "Authorization has been denied for this request."});
    let mut response = answer::json(StatusCode::UNAUTHORIZED, &message);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
