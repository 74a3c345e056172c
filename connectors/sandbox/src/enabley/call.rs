//! A request as an operation of Enabley sees it, and what it answers.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// What an operation answers when all is well.
#[derive(Debug)]
pub(super) enum Good {
    /// Status 200 with a value.
    Value(Value),
    /// Status 200 and no body; the vendor shows none for writes.
    Done,
    /// Status 201 and no body.
    Created,
}

/// What an operation answers.
pub(super) type Answer = Result<Good, Problem>;

/// A refusal: the status, and the vendor's `ErrorResponse`.
#[derive(Debug)]
pub(super) struct Problem {
    pub status: StatusCode,
    /// One of the documented words.
    pub error: &'static str,
    pub description: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    /// Status 400: what was sent cannot be right.
    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// Status 400: nothing of that name. The vendor documents no 404 for it, but the word.
    pub(super) fn missing(what: &str, identifier: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "item_not_exists", format!("{what} '{identifier}' does not exist"))
    }

    /// Status 400: something else bears that name.
    pub(super) fn exists(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "item_exists", description)
    }

    pub(super) fn body(&self) -> Value {
        json!({"error": self.error, "error_description": self.description})
    }
}

/// A request that was let in.
pub(super) struct Call<'a> {
    /// The variable parts of the path, decoded.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

impl<'a> Call<'a> {
    /// The value of a query parameter; none when absent or empty.
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        self.all_asked(name).find(|value| !value.is_empty())
    }

    /// Every value of a query parameter that may be repeated.
    pub(super) fn all_asked<'b>(&'b self, name: &str) -> impl Iterator<Item = &'b str> {
        let name = name.to_owned();
        self.query.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter that says yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.asked(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::invalid(format!("{name} must be true or false, not '{other}'"))),
        }
    }

    /// A whole number of the query, not below zero.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Problem> {
        let parse = |text: &str| {
            text.parse().map_err(|_| Problem::invalid(format!("{name} must be a whole number, not '{text}'")))
        };
        self.asked(name).map(parse).transpose()
    }

    /// The body, which has to be JSON and to say so.
    pub(super) fn json(&self) -> Result<Value, Problem> {
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Problem::invalid(format!(
                "Content type '{media_type}' is not supported, send application/json"
            )));
        }
        serde_json::from_slice(self.body).map_err(|error| Problem::invalid(format!("The body is no JSON: {error}")))
    }

    /// The body, which has to be an object.
    pub(super) fn fields(&self) -> Result<Fields, Problem> {
        match self.json()? {
            Value::Object(object) => Ok(Fields(object)),
            _ => Err(Problem::invalid("The body must be a JSON object")),
        }
    }

    /// The body, which has to be a bare list of texts.
    pub(super) fn texts(&self) -> Result<Vec<String>, Problem> {
        let wrong = || Problem::invalid("The body must be a JSON array of strings");
        let Value::Array(items) = self.json()? else { return Err(wrong()) };
        items.into_iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }
}

/// The fields of an object that was sent.
pub(super) struct Fields(pub Map<String, Value>);

impl Fields {
    /// A text that must be there.
    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        self.optional_text(name)?.ok_or_else(|| Problem::invalid(format!("{name} is required")))
    }

    /// None for a field that is absent, null or empty.
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => Err(Problem::invalid(format!("{name} must be a string, not {other}"))),
        }
    }

    pub(super) fn optional_bool(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(Problem::invalid(format!("{name} must be true or false, not {other}"))),
        }
    }

    pub(super) fn optional_object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(Problem::invalid(format!("{name} must be an object, not {other}"))),
        }
    }

    /// One of some words, if it is there.
    pub(super) fn optional_word(&self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>, Problem> {
        self.optional_text(name)?.map(|text| word(name, text, words)).transpose()
    }

    /// A list of some words, if it is there.
    pub(super) fn optional_words(&self, name: &str, words: &[&'static str]) -> Result<Option<Vec<String>>, Problem> {
        let items = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(Problem::invalid(format!("{name} must be a list, not {other}"))),
        };
        let known = items.iter().map(|item| word(name, item.as_str().unwrap_or_default(), words).map(str::to_owned));
        known.collect::<Result<_, _>>().map(Some)
    }
}

/// The word of that text among those there are.
pub(super) fn word(name: &str, text: &str, words: &[&'static str]) -> Result<&'static str, Problem> {
    words
        .iter()
        .copied()
        .find(|word| *word == text)
        .ok_or_else(|| Problem::invalid(format!("{name} must be one of {}, not '{text}'", words.join(", "))))
}
