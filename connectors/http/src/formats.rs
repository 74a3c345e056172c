//! How answers are written, and what they are as JSON: what JSONPaths and columns are told of.

use crate::csv_text;
use crate::excerpt::with_excerpt;
use crate::json_path::Place;
use crate::plan::RecordsPlan;
use crate::policy::{Answered, Policy, looks_like_html, looks_like_markup};
use crate::xml_json::xml_to_json;
use encoding_rs::{Encoding, UTF_8};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use serde_json::{Value as Json, json};
use towpath_connector::{Effect, Error, Result};
use towpath_spec::definition::AnswerFormat;

/// The largest page that is taken in, in bytes.
const PAGE_LIMIT: usize = 256 << 20;

/// The largest file that is taken in, in bytes: it becomes one cell of a row.
const FILE_LIMIT: usize = 64 << 20;

impl Policy {
    /// The body of a good answer of an operation as JSON; `None` when it is empty. `kind` is its media type.
    ///
    /// # Errors
    /// It is written in another way.
    pub(crate) fn read(
        &self,
        format: AnswerFormat,
        answered: &Answered<'_>,
        kind: &str,
        body: &[u8],
    ) -> Result<Option<Json>> {
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        match format {
            AnswerFormat::Json => self.json(answered, kind, body),
            AnswerFormat::Xml => match xml(kind, body) {
                Ok(answer) => Ok(Some(answer)),
                Err(why) => {
                    let found =
                        if looks_like_html(body) { "HTML where XML was expected" } else { "something that is not XML" };
                    let error = wrong(answered, &format!("{found} ({why})"), body);
                    Err(if self.writes { error.effect(Effect::Unknown) } else { error })
                }
            },
            // The record was written: a letter that cannot be read is no reason not to know that.
            AnswerFormat::Text | AnswerFormat::Csv => Ok(Some(Json::from(decoded(kind, body).0))),
            AnswerFormat::None => Ok(Some(Json::Null)),
        }
    }
}

fn wrong(answered: &Answered<'_>, found: &str, body: &[u8]) -> Error {
    let host = answered.connection.host();
    Error::remote(format!("{}: {host} answered with {found}{}", answered.what, with_excerpt(body)))
        .help("a login page, a proxy or a web server often answers so; check `base_url`")
}

/// XML as JSON, when a body is XML.
pub(crate) fn xml(kind: &str, body: &[u8]) -> std::result::Result<Json, String> {
    if looks_like_html(body) || !looks_like_markup(body) {
        return Err("it does not start like XML".to_owned());
    }
    let declared = || {
        let head = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let (_, rest) = head.split_once("encoding=")?;
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split(quote).next().map(|name| format!("charset={name}"))
    };
    let kind = if kind.contains("charset=") { kind.to_owned() } else { declared().unwrap_or_default() };
    xml_to_json(&decoded(&kind, body).0)
}

/// A body as text in the character set its media type names, UTF-8 when it names none, and whether all of it is that.
pub(crate) fn decoded(kind: &str, body: &[u8]) -> (String, bool) {
    let label = kind.split("charset=").nth(1).and_then(|rest| rest.split(';').next());
    let label = label.map(|label| label.trim().trim_matches('"'));
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    let (text, _, errors) = encoding.decode(body);
    (text.into_owned(), !errors)
}

impl RecordsPlan {
    /// The largest answer that is taken in.
    pub(crate) fn limit(&self) -> usize {
        if matches!(self, Self::File) { FILE_LIMIT } else { PAGE_LIMIT }
    }

    /// What is wrong with the place of the records in an answer that was taken for a good one; `None` when they are there,
    /// or may be left out.
    pub(crate) fn misplaced(&self, answer: &Json) -> Option<String> {
        let Self::Json { path: Some(path), may_be_missing: false, .. } = self else { return None };
        let written = path.as_str();
        match path.place(answer) {
            Place::There => None,
            Place::Other(kind) => Some(format!("`{written}` leads to {kind}, and records were expected")),
            Place::Without(name) => Some(format!("`{written}` leads nowhere: there is no `{name}` in the answer")),
        }
    }

    /// Whether an answer without a body is one without records.
    pub(crate) fn may_be_empty(&self) -> bool {
        !matches!(self, Self::Json { .. } | Self::Xml(_))
    }

    /// A page of a stream as JSON; `None` when there is nothing in it.
    ///
    /// # Errors
    /// It is written in another way.
    pub(crate) fn read(
        &self,
        policy: &Policy,
        answered: &Answered<'_>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<Json>> {
        // Character sets are named in either case, file names are not.
        let written = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = written.to_ascii_lowercase();
        match self {
            Self::Json { .. } => policy.json(answered, &kind, body),
            Self::Xml(_) => Err(Error::bug(format!("{}: XML is read as it comes", answered.what))),
            _ if body.is_empty() => Ok(None),
            // A login page is shown and never attached: what is attached is a file, HTML as well.
            Self::File if is_attached(headers) => Ok(Some(file(written, headers, body))),
            _ if looks_like_html(body) || (kind.contains("html") && !matches!(self, Self::Text { .. })) => {
                Err(wrong(answered, "HTML where a file was expected", body))
            }
            Self::File | Self::Csv { .. } if kind.contains("json") => match (complaint(policy, answered, body), self) {
                (Some(error), _) => Err(error),
                // A file may be JSON.
                (None, Self::File) => Ok(Some(file(written, headers, body))),
                (None, _) => Err(wrong(answered, "JSON where CSV was expected", body)),
            },
            Self::File => Ok(Some(file(written, headers, body))),
            Self::Csv { delimiter, skip_lines, headers } => {
                let records = csv_text::records(&text(answered, &kind, body)?, *delimiter, *skip_lines, headers);
                let records = records.map_err(|why| {
                    Error::data(format!("{}: the CSV of {}: {why}", answered.what, answered.connection.host()))
                })?;
                Ok(Some(Json::Array(records)))
            }
            Self::Text { .. } => {
                let text = text(answered, &kind, body)?;
                Ok((!text.trim().is_empty()).then(|| Json::from(text)))
            }
        }
    }
}

fn text(answered: &Answered<'_>, kind: &str, body: &[u8]) -> Result<String> {
    match decoded(kind, body) {
        (text, true) => Ok(text),
        (_, false) => Err(Error::data(format!(
            "{}: the text of {} is not in the character set it should be in ({})",
            answered.what,
            answered.connection.host(),
            if kind.contains("charset=") { kind } else { "UTF-8, as the answer names none" }
        ))),
    }
}

/// The error JSON tells of where a file was expected.
fn complaint(policy: &Policy, answered: &Answered<'_>, body: &[u8]) -> Option<Error> {
    policy.complaint(answered, &serde_json::from_slice(body).ok()?)
}

/// A file as a record.
fn file(kind: &str, headers: &HeaderMap, body: &[u8]) -> Json {
    json!({
        "content": data_encoding::BASE64.encode(body),
        "content_type": kind.split(';').next().map(str::trim).filter(|kind| !kind.is_empty()),
        "file_name": file_name(headers),
        "size": body.len(),
    })
}

/// Whether an answer is to be kept as a file rather than shown.
fn is_attached(headers: &HeaderMap) -> bool {
    let disposition = headers.get(CONTENT_DISPOSITION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    disposition.trim_start().to_ascii_lowercase().starts_with("attachment")
}

/// The name a file is sent under, without any folders.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let written = String::from_utf8_lossy(headers.get(CONTENT_DISPOSITION)?.as_bytes()).into_owned();
    let params: Vec<(String, String)> = parameters(&written);
    let find = |wanted: &str| params.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let extended = find("filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let (_, encoded) = rest.split_once('\'')?;
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(encoded).collect();
        Some(Encoding::for_label(charset.as_bytes())?.decode(&bytes).0.into_owned())
    });
    let name = extended.or_else(|| find("filename"))?;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!matches!(last, "" | "." | "..")).then(|| last.to_owned())
}

/// `name=value` pairs behind the first `;`; a value in quotes may have any character.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut params = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim().to_ascii_lowercase();
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut characters = quoted.char_indices();
                let mut end = quoted.len();
                while let Some((at, c)) = characters.next() {
                    match c {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => value.extend(characters.next().map(|(_, c)| c)),
                        c => value.push(c),
                    }
                }
                (value, &quoted[end..])
            }
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        params.push((name, value));
        rest = next.trim_start().trim_start_matches(';');
    }
    params
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(disposition: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
        file_name(&headers)
    }

    #[test]
    fn the_name_of_a_file_is_the_one_it_is_sent_under() {
        assert_eq!(named("attachment; filename=a.pdf").as_deref(), Some("a.pdf"));
        assert_eq!(named("attachment; filename=\"a; \\\"b\\\".pdf\"; size=3").as_deref(), Some("a; \"b\".pdf"));
        let both = "attachment; filename=\"plain.pdf\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.pdf";
        assert_eq!(named(both).as_deref(), Some("grüße.pdf"));
        assert_eq!(named("inline; filename=\"../../etc/passwd\"").as_deref(), Some("passwd"));
        assert_eq!(named("inline; filename=\"..\""), None);
        assert_eq!(named("inline"), None);
    }

    #[test]
    fn a_file_that_is_attached_is_no_page() {
        let with = |disposition: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_DISPOSITION, disposition.parse().unwrap());
            is_attached(&headers)
        };
        assert!(with("attachment; filename=a.html") && with("Attachment"));
        assert!(!with("inline; filename=\"attachment.html\"") && !is_attached(&HeaderMap::new()));
    }

    #[test]
    fn texts_are_in_the_character_set_they_say() {
        assert_eq!(decoded("text/csv; charset=iso-8859-1", b"gr\xfc\xdfe"), ("grüße".to_owned(), true));
        assert_eq!(decoded("text/csv", "\u{feff}grüße".as_bytes()), ("grüße".to_owned(), true));
        assert!(!decoded("text/csv", b"gr\xfc\xdfe").1);
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>gr\xfc\xdfe</a>";
        assert_eq!(xml("text/xml", latin).unwrap(), json!({"a": "grüße"}));
        assert!(xml("text/xml", b"<html><body/></html>").is_err());
    }
}
