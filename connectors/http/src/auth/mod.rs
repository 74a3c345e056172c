//! How calls are let in.
//!
//! Everything but a token is known when a connection is made and is the same for every call. A token is asked for when
//! the first call needs it and shared by all users of the connection.

mod credential;
mod token;

pub(crate) use credential::{Makings, credentials};
use token::Token;
pub(crate) use token::{Expiry, Refresh, TokenSource, TokenSpec};

use crate::connection::Connection;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use towpath_connector::{Error, Result, register_secret};

/// A way to be let in, with its values.
pub(crate) enum Credential {
    /// The same headers and query parameters on every call.
    Fixed {
        headers: HeaderMap,
        query: Vec<(String, String)>,
        /// Settings to look at when it is refused.
        settings: Vec<String>,
    },
    /// A token that is asked for and renewed.
    Token(Box<TokenSource>),
    /// The same as another profile: a choice that was made.
    Of(usize),
    /// Settings that are not given; of a choice those of each alternative.
    Missing(Vec<Vec<String>>),
}

/// What a call is let in with.
#[derive(Default)]
pub(crate) struct Pass {
    pub(crate) headers: HeaderMap,
    /// Query parameters, which are added when the call is sent and never shown.
    pub(crate) query: Vec<(String, String)>,
    /// To tell an old token from a new one.
    used: Vec<(usize, Arc<Token>)>,
}

/// What a renewal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// There is nothing to renew.
    Nothing,
    /// There are new tokens for old ones, which may be refused as the old ones were.
    Refreshed,
    /// There was a login.
    LoggedIn,
}

impl Credential {
    fn settings(&self) -> &[String] {
        match self {
            Self::Fixed { settings, .. } => settings,
            Self::Token(source) => source.settings(),
            Self::Of(_) | Self::Missing(_) => &[],
        }
    }
}

/// Adds what the chosen credentials demand to the headers of a call.
///
/// # Errors
/// When settings are missing, or a token is needed and cannot be had.
pub(crate) async fn pass(connection: &Connection, chosen: &[usize], headers: HeaderMap, what: &str) -> Result<Pass> {
    let mut pass = Pass { headers, ..Pass::default() };
    for &at in chosen {
        match connection.credential(at) {
            Credential::Fixed { headers, query, .. } => {
                pass.headers.extend(headers.clone());
                pass.query.extend(query.iter().cloned());
            }
            Credential::Token(source) => {
                let token = source.get(connection).await?;
                pass.headers.insert(source.header().clone(), token.header.clone());
                pass.used.push((at, token));
            }
            Credential::Missing(alternatives) => return Err(not_given(connection.name(), what, alternatives)),
            // `credential` follows a choice to what was chosen.
            Credential::Of(_) => return Err(Error::bug("a choice of profiles leads to another one")),
        }
    }
    Ok(pass)
}

/// A call that needs settings nobody gave.
fn not_given(connection: &str, what: &str, alternatives: &[Vec<String>]) -> Error {
    let mut sets: Vec<String> = Vec::new();
    for settings in alternatives {
        let names: Vec<String> = settings.iter().map(|name| format!("`{name}`")).collect();
        let set = names.join(" and ");
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    let sets = sets.join(", or ");
    Error::user(format!("connection `{connection}`: {what} needs {sets}, which the connection does not have"))
        .help(format!("set it under `connections: {{{connection}: …}}`"))
}

/// Logs in by every profile whose settings are given.
///
/// # Errors
/// When a token cannot be had.
pub(crate) async fn log_in(connection: &Connection) -> Result<()> {
    let given = |at: &usize| !matches!(connection.credential(*at), Credential::Missing(_));
    let all: Vec<usize> = (0..connection.api().auth.len()).filter(given).collect();
    pass(connection, &all, HeaderMap::new(), "the login").await.map(drop)
}

/// Renews the tokens a refused call was made with, unless somebody did so meanwhile; by a login if this is done `again`.
///
/// # Errors
/// When the login itself fails.
pub(crate) async fn renew(connection: &Connection, pass: &Pass, again: bool) -> Result<Renewed> {
    let mut done = Renewed::Nothing;
    for (at, token) in &pass.used {
        if let Credential::Token(source) = connection.credential(*at) {
            let refreshed = source.renew(connection, token, again).await?.refreshed;
            let this = if refreshed { Renewed::Refreshed } else { Renewed::LoggedIn };
            done = if done == Renewed::LoggedIn { done } else { this };
        }
    }
    Ok(done)
}

/// The other system does not let this connection in.
pub(crate) fn refused(connection: &Connection, chosen: &[usize], what: &str, detail: &str) -> Error {
    let settings: Vec<&str> =
        chosen.iter().flat_map(|at| connection.credential(*at).settings()).map(String::as_str).collect();
    Error::user(format!(
        "connection `{}`: {} answered {what} with 401 (not let in){detail}",
        connection.name(),
        connection.host(),
    ))
    .help(check_settings(connection.name(), &settings))
}

/// Which settings to look at.
pub(crate) fn check_settings(connection: &str, settings: &[&str]) -> String {
    if settings.is_empty() {
        return format!("the call is made without credentials; check `base_url` of connection `{connection}`");
    }
    let names: Vec<String> = settings.iter().map(|name| format!("`{name}`")).collect();
    let (last, rest) = names.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
    let list = if rest.is_empty() { last.to_owned() } else { format!("{} and {last}", rest.join(", ")) };
    format!("check {list} of connection `{connection}`")
}

/// A header value that is never shown.
///
/// # Errors
/// When the text cannot stand in a header.
pub(crate) fn sensitive(name: &HeaderName, value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::user(format!("the value of header `{name}` has characters that cannot be sent, such as a line break"))
            .help("look for stray white space at the end of the secret")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The value of `Authorization` for HTTP Basic.
///
/// # Errors
/// Never: base64 can stand in a header.
pub(crate) fn basic(username: &str, password: &str) -> Result<HeaderValue> {
    let pair = data_encoding::BASE64.encode(format!("{username}:{password}").as_bytes());
    register_secret(&pair);
    sensitive(&reqwest::header::AUTHORIZATION, &format!("Basic {pair}"))
}
