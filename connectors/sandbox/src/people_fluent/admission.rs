//! Who may call: the site's key for bulk reads and content handlers, an account for the other functions; and the trap
//! for clients that keep cookies.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, atomic::Ordering},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use data_encoding::BASE64;

use super::{
    PeopleFluent,
    functions::{self, Auth},
    held::{Held, text},
    page::{self, Refused},
};
use crate::seed::Seed;

pub(super) const SYSTEM_KEY: &str = "sandbox-system-key";
/// An account that sees every user and may act for them.
pub(super) const ADMINISTRATOR: &str = "lms.admin";
/// Holds a colon, which only the first of divides name and password.
pub(super) const ADMINISTRATOR_PASSWORD: &str = "sandbox:p@ss-word";
/// The password of each user who was given none.
pub(super) const USER_PASSWORD: &str = "sandbox-user-password";
/// A token of the administrator's.
pub(super) const ACCESS_TOKEN: &str = "sandbox-access-token";
const SESSION_COOKIE: &str = "JSESSIONID";

/// Who calls.
#[derive(Clone)]
pub(super) enum Caller {
    Nobody,
    Site,
    /// By user id.
    User(String),
}

/// Credentials, and the trap for clients that keep cookies.
pub(super) async fn admit(State(system): State<Arc<PeopleFluent>>, mut request: Request, next: Next) -> Response {
    let auth = functions::auth(request.uri().path());
    let Some(caller) = system.caller(auth, request.headers()) else {
        system.refused_logins.fetch_add(1, Ordering::Relaxed);
        let mut response = page::error(StatusCode::UNAUTHORIZED, "This request requires HTTP authentication.");
        let challenge = HeaderValue::from_static("Basic realm=\"EKP\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    };
    if returns_the_cookie(request.headers()) {
        system.cookies_returned.fetch_add(1, Ordering::Relaxed);
        let said = "A JSESSIONID cookie was sent back: it pins the session to the user of an earlier call.";
        return page::error(StatusCode::CONFLICT, said);
    }
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    let cookie = HeaderValue::from_static("JSESSIONID=5ANDB0X5E5510N; Path=/; HttpOnly");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

impl PeopleFluent {
    /// Who calls; none when the credentials are wrong for this call, or missing.
    fn caller(&self, auth: Auth, headers: &HeaderMap) -> Option<Caller> {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match (auth, sent) {
            (Auth::None, _) | (Auth::Optional, None) => Some(Caller::Nobody),
            (_, None) => None,
            // The user name is ignored, an empty one too.
            (Auth::Site, Some(sent)) => basic(sent).filter(|(_, key)| key == SYSTEM_KEY).map(|_| Caller::Site),
            (Auth::User | Auth::Optional, Some(sent)) => {
                let (scheme, rest) = sent.split_once(' ')?;
                if scheme.eq_ignore_ascii_case("bearer") {
                    return (rest.trim() == ACCESS_TOKEN).then(|| Caller::User(ADMINISTRATOR.to_owned()));
                }
                let (name, password) = basic(sent)?;
                let user = name.to_lowercase();
                knows(&self.held(), &self.seed, &user, &password).then_some(Caller::User(user))
            }
        }
    }

    /// For whom a call is made, and whether that is allowed.
    pub(super) fn on_behalf_of(&self, held: &Held, caller: &str, whom: Option<&str>) -> Result<String, Refused> {
        let Some(whom) = whom.map(str::to_lowercase).filter(|whom| whom != caller) else {
            return Ok(caller.to_owned());
        };
        let refused = |said: String| Err(Refused(StatusCode::FORBIDDEN, said));
        if caller != ADMINISTRATOR {
            return refused(format!("{caller} does not have the Switch User permission"));
        }
        match held.user(&self.seed, &whom) {
            Some(_) => Ok(whom),
            None => refused(format!("The user {whom} is not visible to {caller}")),
        }
    }
}

/// Closed and suspended accounts are not let in.
fn knows(held: &Held, seed: &Seed, user: &str, password: &str) -> bool {
    if user == ADMINISTRATOR {
        return password == ADMINISTRATOR_PASSWORD;
    }
    held.user(seed, user).is_some_and(|account| {
        let own = match account["_password"].as_str() {
            Some(own) => own == fingerprint(password),
            None => password == USER_PASSWORD,
        };
        text(&account, "status") == "active" && own
    })
}

/// What is kept of a password that was sent here: books and saved states are no place for it.
pub(super) fn fingerprint(password: &str) -> String {
    let mut hasher = DefaultHasher::new();
    password.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn basic(sent: &str) -> Option<(String, String)> {
    let (scheme, encoded) = sent.split_once(' ')?;
    let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (name.to_owned(), password.to_owned()))
}

fn returns_the_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::COOKIE)
        .iter()
        .any(|cookies| cookies.as_bytes().windows(SESSION_COOKIE.len()).any(|part| part == SESSION_COOKIE.as_bytes()))
}
