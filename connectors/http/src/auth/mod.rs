//! How calls are let in.
//!
//! Everything but a token is known when a connection is made and is the same for every call. A token is asked for when
//! the first call needs it and shared by all users of the connection.

mod token;

use token::Token;
pub(crate) use token::{Expiry, TokenSource, TokenSpec};

use crate::connection::Connection;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use towpath_connector::{Error, Result, register_secret};

/// A way to be let in, with its values.
pub(crate) enum Credential {
    /// The same headers on every call.
    Fixed {
        headers: HeaderMap,
        /// Settings to look at when it is refused.
        settings: Vec<String>,
    },
    /// A token that is asked for and renewed.
    Token(Box<TokenSource>),
}

/// What a call was let in with, to tell an old token from a new one.
#[derive(Default)]
pub(crate) struct Used(Vec<(usize, Arc<Token>)>);

impl Credential {
    fn settings(&self) -> &[String] {
        match self {
            Self::Fixed { settings, .. } => settings,
            Self::Token(source) => source.settings(),
        }
    }
}

/// Adds what the chosen credentials demand to the headers of a call.
///
/// # Errors
/// When a token is needed and cannot be had.
pub(crate) async fn apply(connection: &Connection, chosen: &[usize], headers: &mut HeaderMap) -> Result<Used> {
    let mut used = Used::default();
    for &at in chosen {
        match connection.credential(at) {
            Credential::Fixed { headers: fixed, .. } => headers.extend(fixed.clone()),
            Credential::Token(source) => {
                let token = source.get(connection).await?;
                headers.insert(source.header().clone(), token.header.clone());
                used.0.push((at, token));
            }
        }
    }
    Ok(used)
}

/// Renews the tokens a refused call was made with, unless somebody did so meanwhile. False: there is nothing to renew.
///
/// # Errors
/// When the login itself fails.
pub(crate) async fn renew(connection: &Connection, used: &Used) -> Result<bool> {
    for (at, token) in &used.0 {
        if let Credential::Token(source) = connection.credential(*at) {
            source.renew(connection, token).await?;
        }
    }
    Ok(!used.0.is_empty())
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
