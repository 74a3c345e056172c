//! The fields of a request body, and the refusal that names one which is missing or of the wrong type.
//!
//! Types are those of the vendor's examples: a number where a text belongs is refused, and the other way round.

use serde_json::{Map, Value};

use super::ORGAN_ID;

/// Why an operation was refused: `{"Status":false,"ErrorMessage":…}` with HTTP 200.
#[derive(Debug)]
pub(super) struct Refusal(pub String);

/// What an operation answers.
pub(super) type Answer = Result<Value, Refusal>;

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(message.into()))
}

/// A JSON object that was sent.
pub(super) struct Fields<'a>(pub &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A text that must be there and not be empty.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        match self.optional_text(name)? {
            Some(text) => Ok(text),
            None => refuse(format!("{name} is required.")),
        }
    }

    /// None for a field that is absent, null or empty.
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(other) => refuse(format!("{name} must be a string, not {other}.")),
        }
    }

    /// A whole number that must be there.
    pub(super) fn number(&self, name: &str) -> Result<u64, Refusal> {
        match self.signed(name)? {
            Some(number) => {
                u64::try_from(number).or_else(|_| refuse(format!("{name} must not be negative, it is {number}.")))
            }
            None => refuse(format!("{name} is required.")),
        }
    }

    /// None for a field that is absent or null.
    pub(super) fn signed(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => refuse(format!("{name} must be a whole number, not {value}.")),
            },
        }
    }

    pub(super) fn boolean(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            Some(Value::Bool(value)) => Ok(*value),
            None | Some(Value::Null) => refuse(format!("{name} is required.")),
            Some(other) => refuse(format!("{name} must be true or false, not {other}.")),
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.0.get(name) {
            Some(Value::Array(items)) => Ok(items),
            None | Some(Value::Null) => refuse(format!("{name} is required.")),
            Some(_) => refuse(format!("{name} must be a list.")),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Numbers in one text, separated by commas.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<u64>, Refusal> {
        let text = self.text(name)?;
        text.split(',')
            .map(|id| {
                id.trim().parse().or_else(|_| refuse(format!("{name} must be ids separated by commas, not {text:?}.")))
            })
            .collect()
    }

    /// The organisation's number under the spelling this operation uses, when it is the right one.
    pub(super) fn organisation(&self, name: &str) -> Result<(), Refusal> {
        match self.number(name)? {
            ORGAN_ID => Ok(()),
            other => refuse(format!("{name} {other} is not an organisation of this account.")),
        }
    }
}
