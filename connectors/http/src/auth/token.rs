//! Tokens that are asked for: OAuth 2 with a password, sessions and their like.
//!
//! One call at a time asks for a token; the others wait for it. A token is renewed shortly before it expires. A refused
//! login is remembered: asking again with the same password would only lock the account.

use crate::auth::{check_settings, sensitive};
use crate::call::{Call, Prepared};
use crate::connection::Connection;
use crate::excerpt::{with_excerpt, with_words};
use crate::json_path::JsonPath;
use crate::policy::looks_like_markup;
use crate::template::Names;
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use towpath_connector::{Error, Result, register_secret};

/// A login answer is small.
const LIMIT: usize = 1 << 20;

/// How a token is got and used, as a definition says.
pub(crate) struct TokenSpec {
    /// JSONPath to it; the whole body when none.
    pub(crate) from: Option<JsonPath>,
    pub(crate) expiry: Expiry,
    pub(crate) header: HeaderName,
    /// Before it in the header; may be empty.
    pub(crate) scheme: String,
    pub(crate) settings: Vec<String>,
    pub(crate) refresh: Option<Refresh>,
}

/// How a new token is got for an old one.
pub(crate) struct Refresh {
    /// The login, for messages.
    pub(crate) what: String,
    pub(crate) call: Call,
    /// JSONPath to the refresh token in an answer.
    pub(crate) token: JsonPath,
    pub(crate) lifetime: Option<Duration>,
}

/// How long a token lasts.
pub(crate) struct Expiry {
    pub(crate) path: Option<JsonPath>,
    /// Units in a second.
    pub(crate) per_second: f64,
    pub(crate) lifetime: Option<Duration>,
}

/// A token and the way to the next one.
pub(crate) struct TokenSource {
    spec: TokenSpec,
    request: Prepared,
    state: Mutex<State>,
}

/// What a login gave.
pub(super) struct Token {
    text: String,
    /// The value of the header it is sent in.
    pub(super) header: HeaderValue,
    /// It was had for an old one and not by a login.
    pub(super) refreshed: bool,
}

#[derive(Default)]
struct State {
    token: Option<(Arc<Token>, Option<Instant>)>,
    /// The refresh token, and how long it lasts.
    refresh: Option<(String, Option<Instant>)>,
    refused: Option<Error>,
}

impl TokenSource {
    pub(crate) fn new(spec: TokenSpec, request: Prepared) -> Self {
        Self { spec, request, state: Mutex::default() }
    }

    pub(crate) fn header(&self) -> &HeaderName {
        &self.spec.header
    }

    pub(crate) fn settings(&self) -> &[String] {
        &self.spec.settings
    }

    fn token(&self, text: String, refreshed: bool) -> Result<Arc<Token>> {
        let scheme = &self.spec.scheme;
        let header = if scheme.is_empty() { text.clone() } else { format!("{scheme} {text}") };
        Ok(Arc::new(Token { header: sensitive(&self.spec.header, &header)?, text, refreshed }))
    }

    /// A token that is good now.
    pub(super) async fn get(&self, connection: &Connection) -> Result<Arc<Token>> {
        let mut state = self.state.lock().await;
        if let Some((token, until)) = &state.token
            && until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(token.clone());
        }
        self.fetch(connection, &mut state).await
    }

    /// A token other than the one that was refused.
    pub(super) async fn renew(&self, connection: &Connection, refused: &Token, again: bool) -> Result<Arc<Token>> {
        let mut state = self.state.lock().await;
        if let Some((token, _)) = &state.token
            && token.text != refused.text
        {
            return Ok(token.clone());
        }
        if again {
            // What was had for the refresh token is refused as well: only a login helps.
            state.refresh = None;
        }
        self.fetch(connection, &mut state).await
    }

    async fn fetch(&self, connection: &Connection, state: &mut State) -> Result<Arc<Token>> {
        if let Some(error) = &state.refused {
            return Err(error.clone());
        }
        state.token = None;
        if let Some(token) = self.refresh(connection, state).await? {
            return Ok(token);
        }
        let asked = Instant::now();
        let reply = connection.follow(&self.request, self.request.headers.clone(), &[]).await?;
        let status = reply.status();
        let pause = reply.pause();
        let body = reply.bytes(LIMIT).await?;
        if status.is_success() {
            let got = self.read(connection, &body)?;
            return self.keep(state, got, asked, &body, false);
        }
        let error = self.failed(connection, status, &body);
        if error.is_passing() {
            return Err(pause.map_or(error.clone(), |pause| error.retry(towpath_connector::Retry::After(pause))));
        }
        state.refused = Some(error.clone());
        Err(error)
    }

    /// Keeps what a login or a refresh gave.
    fn keep(
        &self,
        state: &mut State,
        (token, lifetime): (String, Option<Duration>),
        asked: Instant,
        body: &[u8],
        refreshed: bool,
    ) -> Result<Arc<Token>> {
        register_secret(&token);
        let token = self.token(token, refreshed)?;
        state.token = Some((token.clone(), lifetime.map(|lifetime| asked + early(lifetime))));
        if let Some(refresh) = &self.spec.refresh
            && let Ok(answer) = serde_json::from_slice::<Json>(body)
            && let Some(text) = refresh.token.first(&answer).and_then(Json::as_str).filter(|text| !text.is_empty())
        {
            register_secret(text);
            let until = refresh.lifetime.map(|lifetime| asked + early(lifetime));
            state.refresh = Some((text.to_owned(), until));
        }
        Ok(token)
    }

    /// A new token for the refresh token; `None` when there is none that is still good, or it is refused.
    async fn refresh(&self, connection: &Connection, state: &mut State) -> Result<Option<Arc<Token>>> {
        let good = |until: &Option<Instant>| until.is_none_or(|until| Instant::now() < until);
        let (Some(plan), Some((text, _))) =
            (&self.spec.refresh, state.refresh.clone().filter(|(_, until)| good(until)))
        else {
            return Ok(None);
        };
        let token = json!({"refresh": text});
        let more = [("token", &token)];
        let names = Names::config(connection.config()).with(&more);
        let request = plan.call.prepare(&plan.what, &connection.surroundings(), &names);
        let request = request.map_err(|unready| unready.into_error(&plan.what))?;
        let asked = Instant::now();
        let reply = connection.follow(&request, request.headers.clone(), &[]).await?;
        let (status, pause) = (reply.status(), reply.pause());
        let body = reply.bytes(LIMIT).await?;
        let read = if status.is_success() { self.read(connection, &body).ok() } else { None };
        if let Some(got) = read {
            return self.keep(state, got, asked, &body, true).map(Some);
        }
        let failed = self.failed(connection, status, &body);
        if !status.is_success() && failed.is_passing() {
            return Err(pause.map_or(failed.clone(), |pause| failed.retry(towpath_connector::Retry::After(pause))));
        }
        tracing::debug!(login = plan.what, %status, "the refresh token is not taken; logging in again");
        state.refresh = None;
        Ok(None)
    }

    fn read(&self, connection: &Connection, body: &[u8]) -> Result<(String, Option<Duration>)> {
        let useless = |why: &str| {
            Error::remote(format!(
                "connection `{}`: {} answered the login {why}{}",
                connection.name(),
                connection.host(),
                // What is no page may well be the token, where another one was looked for.
                if looks_like_markup(body) { with_words(body) } else { String::new() }
            ))
        };
        let page = "check `base_url`: is it the API, or a web page?";
        let text = String::from_utf8_lossy(body);
        let Some(path) = &self.spec.from else {
            let token = text.trim().trim_matches('"').trim();
            if token.is_empty() || token.starts_with('<') || token.contains(char::is_whitespace) {
                return Err(useless("with something that is no token").help(page));
            }
            return Ok((token.to_owned(), self.spec.expiry.lifetime));
        };
        let answer: Json =
            serde_json::from_slice(body).map_err(|_| useless("with something that is not JSON").help(page))?;
        let token = path.first(&answer).and_then(Json::as_str).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            let names =
                answer.as_object().map(|members| members.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>());
            let has = names.filter(|names| !names.is_empty()).map(|names| format!("; there is {}", names.join(", ")));
            useless(&format!("without a token at `{}`{}", path.as_str(), has.unwrap_or_default()))
                .help("check `token:` of the login in the definition, and `base_url`")
        })?;
        Ok((token.to_owned(), self.spec.expiry.of(&answer)))
    }

    fn failed(&self, connection: &Connection, status: StatusCode, body: &[u8]) -> Error {
        let (name, host) = (connection.name(), connection.host());
        let shown = with_excerpt(body);
        let settings: Vec<&str> = self.spec.settings.iter().map(String::as_str).collect();
        match status.as_u16() {
            400 | 401 | 403 => Error::user(format!("connection `{name}`: {host} refused the login ({status}){shown}"))
                .help(check_settings(name, &settings)),
            408 | 425 | 429 | 500 | 502..=504 | 507..=599 => {
                Error::passing(format!("connection `{name}`: the login at {host} failed with {status}{shown}"))
            }
            404 | 405 => Error::user(format!(
                "connection `{name}`: there is no login at `{}` of {host} ({status}){shown}",
                self.request.url.path()
            ))
            .help(format!("check `base_url` of connection `{name}`")),
            _ => Error::remote(format!("connection `{name}`: the login at {host} failed with {status}{shown}")),
        }
    }
}

/// A tenth ahead of the end, at most a minute, so that no call starts with a token that ends on its way.
fn early(lifetime: Duration) -> Duration {
    lifetime - (lifetime / 10).min(Duration::from_secs(60))
}

impl Expiry {
    fn of(&self, answer: &Json) -> Option<Duration> {
        let written = self.path.as_ref().and_then(|path| path.first(answer));
        let number = written.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()));
        number.and_then(|number| Duration::try_from_secs_f64(number / self.per_second).ok()).or(self.lifetime)
    }
}
