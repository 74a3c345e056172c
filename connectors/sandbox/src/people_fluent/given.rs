//! What comes with a call: parameters of query and form, files, a body; and the rules a function has for them.
//!
//! Rules are words: a name, `*` when it must be given, then what it must be: `=a|b` one of these, `:int`, `:bool`,
//! `:number`, `:date` (`yyyy-MM-dd`), `:time` (`yyyy-MM-ddTHH:mmZ`), `:file`. `+F` stands for `format*=json|xml`, `+A` for
//! `assignmentId`, `+B` for `onBehalfOf`. What no rule names is refused, so that a misspelled name is noticed.

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Multipart, Request},
    http::header,
};
use chrono::{NaiveDate, NaiveDateTime};

use super::{page::Refused, query::refused};
use crate::gate::MOST_BODY_BYTES;

/// A file of a form.
pub(super) struct Upload {
    pub part: String,
    pub name: String,
    pub bytes: Bytes,
}

#[derive(Default)]
pub(super) struct Given {
    pairs: Vec<(String, String)>,
    pub files: Vec<Upload>,
    pub body: Bytes,
    /// The media type of the body, without parameters.
    pub kind: String,
}

impl Given {
    pub(super) async fn of(request: Request) -> Result<Self, Refused> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let mut given = Self { pairs: pairs(query.as_bytes()), ..Self::default() };
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind == "multipart/form-data" {
            given.read_parts(request).await.map_err(|error| refused(&format!("The form cannot be read: {error}")))?;
        } else {
            let body = to_bytes(request.into_body(), MOST_BODY_BYTES).await;
            given.body = body.map_err(|_| refused("The body cannot be read."))?;
        }
        if kind == "application/x-www-form-urlencoded" {
            given.pairs.extend(pairs(&given.body));
        }
        given.kind = kind;
        Ok(given)
    }

    async fn read_parts(&mut self, request: Request) -> Result<(), String> {
        let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.to_string())?;
        while let Some(field) = form.next_field().await.map_err(|error| error.to_string())? {
            let part = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(name) => {
                    let bytes = field.bytes().await.map_err(|error| error.to_string())?;
                    self.files.push(Upload { part, name, bytes });
                }
                None => self.pairs.push((part, field.text().await.map_err(|error| error.to_string())?)),
            }
        }
        Ok(())
    }

    /// The value of a parameter; one without text counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter the rules require, or that has a meaning when it is empty.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// How many are wanted; all when it is not said.
    pub(super) fn max(&self) -> usize {
        self.get("max").and_then(|max| max.parse().ok()).unwrap_or(usize::MAX)
    }

    /// A minute in UTC as milliseconds since 1970.
    pub(super) fn time(&self, name: &str) -> Option<i64> {
        minute(self.get(name)?)
    }

    /// Whether a text has each word of `keywords`, in any capital letters.
    pub(super) fn finds(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.text("keywords").to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// Checks what was given against the rules.
    pub(super) fn check(&self, rules: &str) -> Result<(), Refused> {
        let rules = rules.replace("+F", "format*=json|xml").replace("+A", "assignmentId").replace("+B", "onBehalfOf");
        let rules: Vec<Rule<'_>> = rules.split_whitespace().map(Rule::of).collect();
        let names = self.pairs.iter().map(|(name, _)| name).chain(self.files.iter().map(|file| &file.part));
        for name in names {
            if !rules.iter().any(|rule| rule.name == name) {
                return Err(refused(&format!("Parameter {name} is unknown")));
            }
        }
        rules.iter().try_for_each(|rule| rule.check(self))
    }
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

/// `yyyy-MM-dd'T'HH:mm'Z'` and nothing else.
fn minute(text: &str) -> Option<i64> {
    let read = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").ok().filter(|_| text.len() == 17);
    read.map(|minute| minute.and_utc().timestamp_millis())
}

struct Rule<'a> {
    name: &'a str,
    required: bool,
    kind: &'a str,
    words: &'a str,
}

impl<'a> Rule<'a> {
    fn of(written: &'a str) -> Self {
        let (rest, words) = written.split_once('=').unwrap_or((written, ""));
        let (rest, kind) = rest.split_once(':').unwrap_or((rest, ""));
        let name = rest.trim_end_matches('*');
        Self { name, required: name != rest, kind, words }
    }

    fn check(&self, given: &Given) -> Result<(), Refused> {
        let name = self.name;
        if self.kind == "file" {
            let there = given.files.iter().any(|file| file.part == name);
            return if there || !self.required { Ok(()) } else { Err(refused(&format!("File {name} is required"))) };
        }
        let Some(value) = given.get(name) else {
            return if self.required { Err(refused(&format!("Parameter {name} is required"))) } else { Ok(()) };
        };
        let fits = match self.kind {
            "int" => value.parse::<u64>().is_ok(),
            "number" => value.parse::<f64>().is_ok(),
            "bool" => matches!(value, "true" | "false"),
            "date" => value.len() == 10 && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok(),
            "time" => minute(value).is_some(),
            _ => self.words.is_empty() || self.words.split('|').any(|word| word == value),
        };
        let wanted = if self.words.is_empty() { self.kind } else { self.words };
        if fits { Ok(()) } else { Err(refused(&format!("Parameter {name}: {value} is not {wanted}"))) }
    }
}
