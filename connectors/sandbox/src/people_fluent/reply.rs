//! Answers: one thing or several, in JSON or XML as `format` says; files; feeds.
//!
//! JSON and XML show the same things: `@name` is an attribute in XML and a member in JSON, a list repeats its element.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value};

use super::{page::Refused, xml};
use crate::answer;

const XML: &str = "text/xml;charset=UTF-8";

pub(super) enum Reply {
    /// A thing and the name of its element.
    One(&'static str, Value),
    /// The names of the list and of one of it, and the things.
    Many(&'static str, &'static str, Vec<Value>),
    /// JSON, whatever is asked for.
    Json(Value),
    File {
        kind: &'static str,
        name: String,
        bytes: Vec<u8>,
    },
    Text(&'static str, String),
}

/// What a function answers.
pub(super) type Answer = Result<Reply, Refused>;

/// Done, in the word the vendor uses.
pub(super) fn done() -> Answer {
    status("ok")
}

/// How a request for approval ended, in one of the vendor's words.
pub(super) fn status(word: &str) -> Answer {
    Ok(Reply::One("result", serde_json::json!({"status": word})))
}

impl Reply {
    /// `format` is that of the call; XML where the function has none.
    pub(super) fn response(self, format: Option<&str>) -> Response {
        let json = format == Some("json");
        match self {
            Self::One(_, thing) if json => answer::json(StatusCode::OK, &shown(&thing)),
            Self::One(name, thing) => document(name, &thing),
            Self::Many(name, _, things) if json => {
                let list = things.iter().map(shown).collect();
                answer::json(StatusCode::OK, &Value::Object(Map::from_iter([(name.to_owned(), list)])))
            }
            Self::Many(name, one, things) => {
                let list = Value::Object(Map::from_iter([(one.to_owned(), Value::Array(things))]));
                document(name, &list)
            }
            Self::Json(value) => answer::json(StatusCode::OK, &value),
            Self::Text(kind, text) => answer::with(StatusCode::OK, kind, text),
            Self::File { kind, name, bytes } => {
                let mut response = answer::with(StatusCode::OK, kind, bytes);
                if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                    response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
                }
                response
            }
        }
    }
}

fn document(name: &str, thing: &Value) -> Response {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Null would leave the root out.
    match thing.is_null() {
        true => write(&mut out, name, &Value::from("")),
        false => write(&mut out, name, thing),
    }
    answer::with(StatusCode::OK, XML, out)
}

/// A thing as JSON shows it.
pub(super) fn shown(thing: &Value) -> Value {
    match thing {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !name.starts_with('_'));
            members.map(|(name, value)| (name.trim_start_matches('@').to_owned(), shown(value))).collect()
        }
        Value::Array(things) => things.iter().map(shown).collect(),
        other => other.clone(),
    }
}

/// Writes a thing as an element, or several as several.
pub(super) fn write(out: &mut String, name: &str, thing: &Value) {
    match thing {
        Value::Null => {}
        Value::Array(things) => things.iter().for_each(|thing| write(out, name, thing)),
        Value::Object(members) => {
            out.push('<');
            out.push_str(name);
            for (attribute, value) in members.iter().filter_map(|(name, value)| Some((name.strip_prefix('@')?, value)))
            {
                out.push_str(&format!(" {attribute}=\""));
                xml::escape(out, &plain(value));
                out.push('"');
            }
            out.push('>');
            if let Some(text) = members.get("#text") {
                xml::escape(out, &plain(text));
            }
            for (child, value) in members.iter().filter(|(name, _)| !name.starts_with(['@', '_', '#'])) {
                write(out, child, value);
            }
            out.push_str(&format!("</{name}>"));
        }
        scalar => {
            out.push_str(&format!("<{name}>"));
            xml::escape(out, &plain(scalar));
            out.push_str(&format!("</{name}>"));
        }
    }
}

pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
