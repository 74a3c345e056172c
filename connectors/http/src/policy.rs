//! What an answer means: done, nothing there, turned down, or failed, and then whether to try again.

use crate::connection::Connection;
use crate::excerpt::{excerpt, with_excerpt};
use crate::json_path::JsonPath;
use crate::template::plain_text;
use reqwest::StatusCode;
use serde_json::Value as Json;
use std::time::Duration;
use towpath_connector::{Effect, Error, Fault, Retry, redact};
use towpath_spec::definition::ResponseAction;

/// The rules of one stream or operation.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) success: Success,
    pub(crate) absent: Option<Absent>,
    /// Paths to the vendor's words, tried in order.
    pub(crate) messages: Vec<JsonPath>,
    pub(crate) filters: Vec<Filter>,
    /// Whether the call changes something: then a refusal is an answer, and a lost answer leaves doubt.
    pub(crate) writes: bool,
}

/// How a good answer is told from a bad one of status 200.
#[derive(Debug, Clone)]
pub(crate) enum Success {
    Status,
    Equals { path: JsonPath, values: Vec<Json> },
    Present { path: JsonPath },
}

/// What means `no such record`.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    pub(crate) status: Vec<u16>,
    pub(crate) empty_body: bool,
    pub(crate) values: Vec<Json>,
}

/// What answers of some kind mean.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) codes: Vec<u16>,
    pub(crate) contains: Option<String>,
    pub(crate) action: ResponseAction,
    pub(crate) message: Option<String>,
}

/// What an answer's status means.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The body is to be read.
    Good,
    /// Good, and there is nothing to be read.
    Nothing,
    /// The record is turned down, in the vendor's words.
    Refused(String),
    Failed(Error),
}

/// The circumstances of an answer.
pub(crate) struct Answered<'a> {
    pub(crate) connection: &'a Connection,
    /// Stream or operation.
    pub(crate) what: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) pause: Option<Duration>,
}

impl Policy {
    /// Judges an answer by its status and, where filters look at it, its body. A good body is judged by
    /// [`content`](Self::content) afterwards.
    pub(crate) fn status(&self, answered: &Answered<'_>, body: &[u8]) -> Verdict {
        let code = answered.status.as_u16();
        if self.absent.as_ref().is_some_and(|absent| absent.status.contains(&code)) {
            return Verdict::Nothing;
        }
        if let Some(filter) = self.filters.iter().find(|filter| filter.fits(code, body)) {
            return self.filtered(filter, answered, body);
        }
        match code {
            204 if !self.writes => Verdict::Nothing,
            200..=299 => Verdict::Good,
            408 | 425 | 429 | 500 | 502..=504 | 507..=599 => Verdict::Failed(self.passing(answered, body)),
            // What is wrong with the record is said by the record's receiver; these speak of the call itself.
            400 | 402 | 406 | 409..=424 | 426..=499 if self.writes => Verdict::Refused(self.words(answered, body)),
            _ => Verdict::Failed(self.failed(answered, body)),
        }
    }

    fn filtered(&self, filter: &Filter, answered: &Answered<'_>, body: &[u8]) -> Verdict {
        let said = filter.message.clone();
        let with = |mut error: Error| {
            if let Some(message) = &said {
                error.message = redact(&format!("{}: {message} ({})", answered.what, answered.status));
            }
            error
        };
        match filter.action {
            ResponseAction::Success => Verdict::Good,
            ResponseAction::Ignore => Verdict::Nothing,
            ResponseAction::Retry => Verdict::Failed(with(self.passing(answered, body))),
            ResponseAction::RateLimited => Verdict::Failed(with(self.passing(answered, body)).effect(Effect::None)),
            ResponseAction::Refuse if self.writes => {
                Verdict::Refused(said.unwrap_or_else(|| self.words(answered, body)))
            }
            ResponseAction::Refuse | ResponseAction::Fail => Verdict::Failed(with(self.failed(answered, body))),
        }
    }

    fn passing(&self, answered: &Answered<'_>, body: &[u8]) -> Error {
        let retry = answered.pause.map_or(Retry::Yes, Retry::After);
        // A server that fails may have acted before it did; one that is too busy did not begin.
        let effect = if answered.status == StatusCode::TOO_MANY_REQUESTS || !self.writes {
            Effect::None
        } else {
            Effect::Unknown
        };
        Error::passing(self.sentence(answered, body)).retry(retry).effect(effect)
    }

    fn failed(&self, answered: &Answered<'_>, body: &[u8]) -> Error {
        let error = |fault| Error::new(fault, self.sentence(answered, body));
        let (what, name) = (answered.what, answered.connection.name());
        let code = answered.status.as_u16();
        match code {
            401 => error(Fault::User).help(format!(
                "the call is made without credentials; check `base_url` of connection `{name}`"
            )),
            403 => error(Fault::User).help(format!(
                "the account of connection `{name}` may not do this; ask the vendor for the right, or check the credentials"
            )),
            404 | 405 | 410 => error(Fault::User).help(format!(
                "check `base_url` of connection `{name}`; if the vendor's path or method is another one, set `overrides: {{{what}: {{path: …, method: …}}}}`"
            )),
            500..=599 if self.writes => error(Fault::Remote).effect(Effect::Unknown),
            300..=399 => error(Fault::User).help(format!("check `base_url` of connection `{name}`")),
            _ => error(Fault::Remote),
        }
    }

    /// `GetUserID: host answered 404 Not Found: first bytes`.
    fn sentence(&self, answered: &Answered<'_>, body: &[u8]) -> String {
        let words = self.vendor_words(body).map(|words| format!(": {words}"));
        format!(
            "{}: {} answered {}{}",
            answered.what,
            answered.connection.host(),
            answered.status,
            words.unwrap_or_else(|| with_excerpt(body))
        )
    }

    /// Why a record was turned down.
    fn words(&self, answered: &Answered<'_>, body: &[u8]) -> String {
        self.vendor_words(body).unwrap_or_else(|| format!("{}{}", answered.status, with_excerpt(body)))
    }

    fn vendor_words(&self, body: &[u8]) -> Option<String> {
        let answer: Json = serde_json::from_slice(body).ok()?;
        self.message(&answer)
    }

    /// The vendor's own words in an answer.
    fn message(&self, answer: &Json) -> Option<String> {
        self.messages
            .iter()
            .filter_map(|path| path.first(answer))
            .filter_map(|value| match value {
                Json::String(text) => Some(text.trim().to_owned()),
                Json::Null | Json::Bool(_) | Json::Object(_) => None,
                Json::Array(items) => Some(items.iter().filter_map(plain_text).collect::<Vec<_>>().join("; ")),
                Json::Number(number) => Some(number.to_string()),
            })
            .find(|text| !text.is_empty())
            .map(|text| excerpt(text.as_bytes()))
    }

    /// Reads the body of a good answer as JSON; `None` when it is empty.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn json(&self, answered: &Answered<'_>, content_type: &str, body: &[u8]) -> Result<Option<Json>, Error> {
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(without_bom(body)).map(Some).map_err(|error| {
            let error = if looks_like_markup(body) || content_type.contains("html") {
                let kind = if content_type.contains("xml") { "XML" } else { "HTML" };
                Error::remote(format!(
                    "{}: {} answered with {kind} where JSON was expected{}",
                    answered.what,
                    answered.connection.host(),
                    with_excerpt(body)
                ))
                .help("a login page, a proxy or a web server often answers so; check `base_url`")
            } else if error.is_eof() {
                Error::data(format!(
                    "{}: the JSON of {} ends in the middle ({} bytes)",
                    answered.what,
                    answered.connection.host(),
                    body.len()
                ))
                .retry(Retry::Yes)
            } else {
                Error::data(format!(
                    "{}: {} answered with something that is not JSON ({error}){}",
                    answered.what,
                    answered.connection.host(),
                    with_excerpt(body)
                ))
            };
            if self.writes { error.effect(Effect::Unknown) } else { error }
        })
    }

    /// Judges what a good status came with.
    pub(crate) fn content(&self, answered: &Answered<'_>, answer: &Json) -> Verdict {
        let mut told = true;
        let why = match &self.success {
            Success::Status => return Verdict::Good,
            Success::Equals { path, values } => match path.first(answer) {
                Some(found) if values.iter().any(|value| same(found, value)) => return Verdict::Good,
                Some(found) => format!("`{}` is {}", path.as_str(), excerpt(found.to_string().as_bytes())),
                None => {
                    told = false;
                    format!("there is no `{}` in the answer", path.as_str())
                }
            },
            Success::Present { path } => match path.first(answer) {
                Some(_) => return Verdict::Good,
                None => format!("there is no `{}` in the answer", path.as_str()),
            },
        };
        let said = self.message(answer);
        match said {
            Some(said) if self.writes => return Verdict::Refused(said),
            None if self.writes && told => return Verdict::Refused(why),
            None if self.writes => {
                // Neither success nor a reason: nobody can tell what became of the record.
                let message = format!("{}: {} answered, but {why}", answered.what, answered.connection.host());
                return Verdict::Failed(Error::remote(message).effect(Effect::Unknown));
            }
            _ => {}
        }
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        Verdict::Failed(Error::remote(format!(
            "{}: {} did not succeed, {why}{said}",
            answered.what,
            answered.connection.host(),
        )))
    }

    /// Whether a record's value means that there is no such record.
    pub(crate) fn is_absent(&self, value: &Json) -> bool {
        self.absent.as_ref().is_some_and(|absent| absent.values.iter().any(|marker| same(value, marker)))
    }

    /// Whether an empty body means that there is no such record.
    pub(crate) fn empty_is_absent(&self) -> bool {
        self.absent.as_ref().is_some_and(|absent| absent.empty_body)
    }

    /// Whether a whole answer means that there is no such record: a marker, or an empty `{}`, `[]` or `""` where an empty
    /// body means it.
    pub(crate) fn answer_is_absent(&self, answer: &Json) -> bool {
        let empty = match answer {
            Json::Object(members) => members.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::String(text) => text.is_empty(),
            _ => false,
        };
        (empty && self.empty_is_absent()) || self.is_absent(answer)
    }
}

impl Filter {
    fn fits(&self, code: u16, body: &[u8]) -> bool {
        (self.codes.is_empty() || self.codes.contains(&code))
            && self.contains.as_ref().is_none_or(|text| String::from_utf8_lossy(body).contains(text.as_str()))
    }
}

/// Equal values; vendors write `true` as text and numbers as text, so scalars are compared as they print, case aside.
fn same(found: &Json, wanted: &Json) -> bool {
    let scalar = |value: &Json| match value {
        Json::Array(_) | Json::Object(_) | Json::Null => None,
        Json::Number(number) => Some(number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())),
        other => plain_text(other).map(|text| text.trim().to_lowercase()),
    };
    found == wanted || matches!((scalar(found), scalar(wanted)), (Some(a), Some(b)) if a == b)
}

/// Whether a body is HTML or XML rather than data.
pub(crate) fn looks_like_markup(body: &[u8]) -> bool {
    without_bom(body).trim_ascii_start().starts_with(b"<")
}

/// Whether a body is a web page.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    let head = without_bom(body).trim_ascii_start();
    let head = head[..head.len().min(64)].to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}
