//! Values that must never be printed.
//!
//! Two guards: [`Secret`] has no way to show itself but `reveal`, and every value that was ever a secret is known here,
//! so that [`redact`] can take it out of any text, whatever road it took into it (an echoed request, a vendor's error).

use std::fmt;
use std::sync::{LazyLock, RwLock};

/// What stands in the place of a secret.
pub const MASK: &str = "•••";

/// Shorter values are not searched for: they would blot out ordinary text.
const SHORTEST: usize = 4;

static KNOWN: LazyLock<RwLock<Vec<String>>> = LazyLock::new(|| RwLock::new(Vec::new()));

/// A value that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl Secret<String> {
    /// Takes a secret in and remembers it for [`redact`].
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        register_secret(&value);
        Self(value)
    }
}

impl<T> Secret<T> {
    /// The value itself, for the one place that must send it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Remembers a value that must not be shown, in the forms it can take in a URL or in JSON too.
pub fn register_secret(value: &str) {
    if value.len() < SHORTEST {
        return;
    }
    let mut forms = vec![value.to_owned()];
    let json = serde_json::Value::from(value).to_string();
    forms.push(json[1..json.len() - 1].to_owned());
    forms.push(percent(value, "%20"));
    forms.push(percent(value, "+"));
    let Ok(mut known) = KNOWN.write() else { return };
    for form in forms {
        if !known.contains(&form) {
            known.push(form);
        }
    }
    // Longest first, so that a secret that contains another one goes as a whole.
    known.sort_by_key(|form| std::cmp::Reverse(form.len()));
}

/// The text with every known secret masked.
pub fn redact(text: &str) -> String {
    let Ok(known) = KNOWN.read() else {
        return MASK.to_owned();
    };
    let mut out = text.to_owned();
    for secret in known.iter() {
        if out.contains(secret.as_str()) {
            out = out.replace(secret.as_str(), MASK);
        }
    }
    out
}

/// The JSON value with every known secret in its texts masked; a number is masked when all of it is one.
pub fn redact_json(value: &mut serde_json::Value) {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => *text = redact(text),
        Json::Number(number) => {
            let text = number.to_string();
            if KNOWN.read().is_ok_and(|known| known.contains(&text)) {
                *value = Json::from(MASK);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(redact_json),
        Json::Object(fields) => fields.values_mut().for_each(redact_json),
        Json::Null | Json::Bool(_) => {}
    }
}

fn percent(value: &str, space: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push_str(space),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
