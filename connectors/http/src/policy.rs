//! What an answer means: done, nothing there, turned down, or failed, and then whether to try again.

use crate::connection::Connection;
use crate::excerpt::{excerpt, with_excerpt, with_words};
use crate::formats::xml;
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
    LastLineContains(String),
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

/// What an answer says of itself: why it is not good, and the vendor's words if there are any.
#[derive(Debug, PartialEq)]
enum Judged {
    Good,
    Refused { why: String, message: Option<String> },
    Unclear { why: String, message: Option<String> },
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
            words.unwrap_or_else(|| with_words(body))
        )
    }

    /// Why a record was turned down.
    fn words(&self, answered: &Answered<'_>, body: &[u8]) -> String {
        self.vendor_words(body).unwrap_or_else(|| format!("{}{}", answered.status, with_words(body)))
    }

    fn vendor_words(&self, body: &[u8]) -> Option<String> {
        let answer = serde_json::from_slice(without_bom(body)).ok().or_else(|| xml("", body).ok());
        // A text is all there is of an answer: the path `$` finds it.
        let answer = answer.or_else(|| (!looks_like_markup(body)).then(|| String::from_utf8_lossy(body).into()));
        self.message(&answer?)
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
        serde_json::from_slice(&towpath_mapping::exact_json(without_bom(body))).map(Some).map_err(|error| {
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
        let said = |said: Option<String>, open: &str, close: &str| {
            said.map(|said| format!("{open}{said}{close}")).unwrap_or_default()
        };
        let (what, host) = (answered.what, answered.connection.host());
        match self.judged(answer) {
            Judged::Good => Verdict::Good,
            Judged::Refused { why, message } if self.writes => Verdict::Refused(message.unwrap_or(why)),
            // Neither success nor refusal: nobody can tell what became of the record.
            Judged::Unclear { why, message } if self.writes => {
                let message = format!("{what}: {host} answered, but {why}{}", said(message, " (", ")"));
                Verdict::Failed(Error::remote(message).effect(Effect::Unknown))
            }
            Judged::Refused { why, message } | Judged::Unclear { why, message } => {
                let message = format!("{what}: {host} did not succeed, {why}{}", said(message, ": ", ""));
                Verdict::Failed(Error::remote(message))
            }
        }
    }

    /// The error a good answer without records tells of, in the vendor's words.
    pub(crate) fn complaint(&self, answered: &Answered<'_>, answer: &Json) -> Option<Error> {
        let (what, host) = (answered.what, answered.connection.host());
        let words = self.message(answer)?;
        Some(
            Error::remote(format!("{what}: {host} answered {} without records: {words}", answered.status))
                .help("if that is no error, have `error_message` of the definition not find it"),
        )
    }

    /// The error of a good answer in which there is no place for records.
    pub(crate) fn without_records(&self, answered: &Answered<'_>, answer: &Json, why: &str) -> Error {
        self.complaint(answered, answer).unwrap_or_else(|| {
            let (what, host, status) = (answered.what, answered.connection.host(), answered.status);
            let written = answer.to_string();
            Error::data(format!("{what}: {host} answered {status}, but {why}{}", with_excerpt(written.as_bytes())))
                .help(
                    "is `records` right? Where the system leaves its list out when there are no records, say \
                     `missing: none` beside `records`",
                )
        })
    }

    /// What an answer says of itself.
    fn judged(&self, answer: &Json) -> Judged {
        let is =
            |path: &JsonPath, found: &Json| format!("`{}` is {}", path.as_str(), excerpt(found.to_string().as_bytes()));
        let is_not_there = |path: &JsonPath| format!("there is no `{}` in the answer", path.as_str());
        let (why, refused) = match &self.success {
            Success::Status => return Judged::Good,
            Success::Equals { path, values } => {
                let yes_or_no = values.iter().any(|value| truth(value) == Some(true));
                match path.first(answer) {
                    Some(found) if values.iter().any(|value| same(found, value)) => return Judged::Good,
                    Some(found) if yes_or_no && truth(found) == Some(true) => return Judged::Good,
                    // Where success is yes or no, only a no is a refusal, whatever else the answer says.
                    Some(found) => (is(path, found), Some(!yes_or_no || truth(found) == Some(false))),
                    None => (is_not_there(path), yes_or_no.then_some(false)),
                }
            }
            Success::LastLineContains(wanted) => {
                let last = answer.as_str().and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
                let Some(last) = last else {
                    return Judged::Unclear { why: "there is no text in the answer".to_owned(), message: None };
                };
                if last.contains(wanted.as_str()) {
                    return Judged::Good;
                }
                (format!("its last line is `{}`", excerpt(last.as_bytes())), Some(true))
            }
            Success::Present { path } => match path.first(answer) {
                Some(_) => return Judged::Good,
                None => (is_not_there(path), Some(true)),
            },
        };
        let message = self.message(answer);
        // Where the answer does not say so by itself, a reason in it does.
        if refused.unwrap_or(message.is_some()) {
            Judged::Refused { why, message }
        } else {
            Judged::Unclear { why, message }
        }
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

/// Yes or no as JSON has it, and as vendors write it: `true`, `"True"`, `1`, `"1"`.
fn truth(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(truth) => Some(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Equal values; vendors write `true` as text and numbers as text, so scalars are compared as they print, case aside.
pub(crate) fn same(found: &Json, wanted: &Json) -> bool {
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

pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use towpath_spec::Text;

    fn path(written: &str) -> JsonPath {
        JsonPath::parse(&Text { value: written.to_owned(), ..Text::default() }).unwrap()
    }

    fn judged(wanted: &Json, answer: &Json) -> &'static str {
        let policy = Policy {
            success: Success::Equals { path: path("$.Status"), values: vec![wanted.clone()] },
            absent: None,
            messages: vec![path("$.Result")],
            filters: Vec::new(),
            writes: true,
        };
        match policy.judged(answer) {
            Judged::Good => "good",
            Judged::Refused { .. } => "refused",
            Judged::Unclear { .. } => "unclear",
        }
    }

    #[test]
    fn only_a_no_is_a_refusal_where_success_is_yes_or_no() {
        for (status, expected) in [
            (json!(true), "good"),
            (json!("True"), "good"),
            (json!(1), "good"),
            (json!("1"), "good"),
            (json!(false), "refused"),
            (json!("false"), "refused"),
            (json!(0), "refused"),
            (json!("OK"), "unclear"),
            (json!(null), "unclear"),
            (json!(2), "unclear"),
        ] {
            let answer = json!({"Status": status, "Result": "Training Uploaded Successfully"});
            assert_eq!(judged(&json!(true), &answer), expected, "{answer}");
        }
        assert_eq!(judged(&json!(true), &json!({"Result": "Training Uploaded Successfully"})), "unclear");
    }

    #[test]
    fn any_other_word_is_a_refusal_where_success_is_a_word() {
        assert_eq!(judged(&json!("ok"), &json!({"Status": "OK"})), "good");
        assert_eq!(judged(&json!("ok"), &json!({"Status": "no such course"})), "refused");
        assert_eq!(judged(&json!("ok"), &json!({"Result": "no such course"})), "refused");
        assert_eq!(judged(&json!("ok"), &json!({})), "unclear");
    }
}
