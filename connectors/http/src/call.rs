//! A call as a definition describes it, and one made ready to be sent.

use crate::body::{BodyTemplate, Payload};
use crate::connection::Connection;
use crate::template::{BadPath, Names, PathTemplate, Slot, Template, plain_text};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;
use std::path::Path;
use std::sync::OnceLock;
use towpath_connector::{Error, Result, redact};
use url::Url;

/// A call with templates.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: PathTemplate,
    pub(crate) base: Option<Template>,
    pub(crate) query: Vec<(String, Slot)>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: BodyTemplate,
    /// Query parameters whose values are not shown.
    pub(crate) hidden: Vec<String>,
    pub(crate) made: Made,
}

/// The URL of a call that always goes to the same one, and the base it was made from. A clone starts anew: it is made to be
/// changed.
#[derive(Debug, Default)]
pub(crate) struct Made(OnceLock<(Url, Url)>);

impl Clone for Made {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A call ready to be sent; the same one can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// Stream or operation, for messages.
    pub(crate) what: String,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
    hidden: Vec<String>,
}

/// Where a call goes and what it sends along in any case.
pub(crate) struct Surroundings<'a> {
    pub(crate) base: &'a Url,
    pub(crate) headers: &'a HeaderMap,
    /// The folder files to upload are in.
    pub(crate) folder: &'a Path,
}

/// Why a call cannot be made ready.
#[derive(Debug)]
pub(crate) enum Unready {
    /// A value makes no sense there; with another record or parameter it would.
    Value(String),
    Other(Error),
}

impl From<Error> for Unready {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Unready {
    pub(crate) fn into_error(self, what: &str) -> Error {
        match self {
            Self::Value(message) => Error::user(format!("{what}: {message}")),
            Self::Other(error) => error.at(what),
        }
    }
}

impl Call {
    /// `GET /path`, for descriptions.
    pub(crate) fn summary(&self) -> String {
        format!("{} {}", self.method, self.path.written())
    }

    /// Fills the templates in.
    pub(crate) fn prepare(
        &self,
        what: &str,
        around: &Surroundings<'_>,
        names: &Names<'_>,
    ) -> std::result::Result<Prepared, Unready> {
        let url = self.url(around, names)?;
        let mut headers = around.headers.clone();
        for (name, template) in &self.headers {
            if let Some(value) = template.text(names)? {
                headers.insert(name.clone(), header_value(name, &value)?);
            }
        }
        let body = self.body.fill(names, around.folder)?;
        Ok(Prepared {
            what: what.to_owned(),
            method: self.method.clone(),
            url,
            headers,
            body,
            hidden: self.hidden.clone(),
        })
    }

    /// [`prepare`](Self::prepare), with the files to upload that are elsewhere: what is wrong with one of them is found before
    /// anything is sent.
    pub(crate) async fn ready(
        &self,
        what: &str,
        connection: &Connection,
        names: &Names<'_>,
    ) -> std::result::Result<Prepared, Unready> {
        let mut prepared = self.prepare(what, &connection.surroundings(), names)?;
        prepared.body.load(connection.client(), connection.timeout()).await?;
        Ok(prepared)
    }

    /// Every template in it.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut found: Vec<&Template> = self.base.iter().collect();
        self.path.templates(&mut found);
        self.query.iter().for_each(|(_, slot)| slot.templates(&mut found));
        found.extend(self.headers.iter().map(|(_, template)| template));
        self.body.templates(&mut found);
        found
    }

    fn url(&self, around: &Surroundings<'_>, names: &Names<'_>) -> std::result::Result<Url, Unready> {
        let fixed = self.base.is_none() && self.query.is_empty() && self.path.is_fixed();
        if let (true, Some((base, url))) = (fixed, self.made.0.get())
            && base == around.base
        {
            return Ok(url.clone());
        }
        let url = self.join(around, names)?;
        if fixed {
            // Of two connections that meet here the first is remembered; the other makes its URLs anew.
            let _ = self.made.0.set((around.base.clone(), url.clone()));
        }
        Ok(url)
    }

    fn join(&self, around: &Surroundings<'_>, names: &Names<'_>) -> std::result::Result<Url, Unready> {
        let base = match &self.base {
            Some(template) => base_url(&template.text(names)?.unwrap_or_default())?,
            None => around.base.clone(),
        };
        let path = self.path.fill(names).map_err(|bad| match bad {
            BadPath::Segment(value) => Unready::Value(format!(
                "`{value}` cannot stand in the path `{}`: it would name another resource",
                self.path.written()
            )),
            BadPath::Other(error) => Unready::Other(error),
        })?;
        let mut url = below(&base, &path)?;
        let mut pairs = Vec::new();
        for (name, slot) in &self.query {
            match slot.value(names)? {
                Json::Array(items) => {
                    pairs.extend(items.iter().filter_map(|item| Some((name.clone(), plain_text(item)?))));
                }
                value => pairs.extend(plain_text(&value).map(|text| (name.clone(), text))),
            }
        }
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }
}

/// The URL of a path below a base.
fn below(base: &Url, path: &str) -> std::result::Result<Url, Unready> {
    let join = |above: &str| format!("{}/{}", above.trim_end_matches('/'), path.trim_start_matches('/'));
    let local = join(base.path());
    // The host was looked at when the base was read, and need not be again for each call. What could be taken for the
    // beginning of another host (`//`, `/\`) is no such path.
    let is_path = local.as_bytes().get(1).is_none_or(|byte| byte.is_ascii_alphanumeric() || b"_-.~%".contains(byte));
    if is_path
        && base.query().is_none()
        && base.fragment().is_none()
        && let Ok(url) = base.join(&local)
    {
        return Ok(url);
    }
    let joined = join(base.as_str());
    Url::parse(&joined)
        .map_err(|error| Unready::Other(Error::user(redact(&format!("`{joined}` is not a URL: {error}")))))
}

impl Prepared {
    /// The URL as it may be shown.
    pub(crate) fn shown(&self, url: &Url) -> String {
        let mut shown = url.clone();
        let _ = shown.set_password(None);
        if !self.hidden.is_empty() && url.query().is_some() {
            let pairs: Vec<(String, String)> = url
                .query_pairs()
                .map(|(name, value)| {
                    let value = if self.hidden.contains(&name.to_string()) { "***".into() } else { value };
                    (name.into_owned(), value.into_owned())
                })
                .collect();
            shown.query_pairs_mut().clear().extend_pairs(pairs);
        }
        redact(shown.as_str())
    }

    /// The same call to another URL: the next page as the vendor gave it.
    pub(crate) fn to(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }
}

/// A base URL as written in the settings.
///
/// # Errors
/// It is none, or not of HTTP.
pub(crate) fn base_url(written: &str) -> Result<Url> {
    let help = "write it in full, e.g. `https://www.example.com/api`";
    let url = Url::parse(written.trim())
        .map_err(|error| Error::user(format!("`base_url`: `{written}` is not a URL: {error}")).help(help))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Error::user(format!("`base_url`: `{written}` is not an http or https URL")).help(help));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            Error::user(format!("`base_url`: `{written}` has a query or a fragment, expected neither")).help(help)
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::user("`base_url` has credentials in it".to_owned())
            .help("give them as settings of the connection; in a URL they end up in logs"));
    }
    Ok(url)
}

/// A header's value.
///
/// # Errors
/// When it has characters a header cannot have.
pub(crate) fn header_value(name: &HeaderName, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|_| {
        Error::user(format!("the value of header `{name}` has characters that cannot be sent, such as a line break"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_base() {
        let found = |base: &str, path: &str| below(&Url::parse(base).unwrap(), path).unwrap().to_string();
        for (base, path, expected) in [
            ("https://host", "/a/b", "https://host/a/b"),
            ("https://host/", "a?x=1", "https://host/a?x=1"),
            ("https://user:word@host:8443/api/", "//a", "https://user:word@host:8443/api/a"),
            ("https://host/api", "", "https://host/api/"),
            ("https://host", "\\other.example/a", "https://host//other.example/a"),
            ("https://host", "\t/other.example/a", "https://host//other.example/a"),
            ("https://host//api", "a", "https://host//api/a"),
            ("https://host", "gr%C3%BC%C3%9Fe/ü", "https://host/gr%C3%BC%C3%9Fe/%C3%BC"),
        ] {
            assert_eq!(found(base, path), expected, "{base} {path}");
            let whole = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
            assert_eq!(found(base, path), Url::parse(&whole).unwrap().to_string(), "{base} {path}");
        }
    }
}
