//! Bearer tokens a stand-in has issued: how long each lives, how often it was used, and what was refused.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Dead tokens are swept out when there are more tokens than this.
const SWEEP_ABOVE: usize = 1024;

pub(crate) struct Tokens {
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
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            live: Mutex::default(),
            issued: AtomicU64::new(0),
            refused_logins: AtomicU64::new(0),
            refused_tokens: AtomicU64::new(0),
        }
    }

    pub(crate) fn revoke(&self) {
        self.live().clear();
    }

    pub(crate) fn clear(&self) {
        self.revoke();
        for counter in [&self.issued, &self.refused_logins, &self.refused_tokens] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn books(&self) -> Value {
        let now = Instant::now();
        json!({
            "issued": self.issued.load(Ordering::Relaxed),
            "live": self.live().values().filter(|token| token.until > now).count(),
            "refused_logins": self.refused_logins.load(Ordering::Relaxed),
            "refused_tokens": self.refused_tokens.load(Ordering::Relaxed),
        })
    }

    /// How long a token lives.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Counts a login with the wrong credentials.
    pub(crate) fn note_refused_login(&self) {
        self.refused_logins.fetch_add(1, Ordering::Relaxed);
    }

    /// A new token, in the look of a JWT.
    pub(crate) fn issue(&self, subject: &str) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signature: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let text = format!(
            "{}.{}.{}",
            part(json!({"alg": "HS256", "typ": "JWT"})),
            part(json!({"sub": subject, "jti": number})),
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

    /// Whether a token was sent and is alive, counting this use of it or the refusal.
    pub(crate) fn admits(&self, text: Option<&str>, most_uses: Option<u64>) -> bool {
        let admitted = text.is_some_and(|text| self.uses(text, most_uses));
        if !admitted {
            self.refused_tokens.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    fn uses(&self, text: &str, most_uses: Option<u64>) -> bool {
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

/// The token of an `Authorization: Bearer …` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
