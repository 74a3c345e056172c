//! A YAML document as a tree in which every key and value knows its place.

use crate::source_text::{Span, Text};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// What a YAML node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping, in the order written; keys are unique.
    Map(Map),
}

/// A scalar by YAML 1.2's core rules; `yes`, `no`, `on`, `off` are text.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// Anything else; it may hold a template.
    Text(Text),
}

/// A mapping.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map {
    /// The entries in the order written.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Tree,
}

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.entries.iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }

    /// All keys in the order written.
    pub fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.iter().map(|entry| entry.key.value.as_str())
    }
}

impl Tree {
    /// The text, when this is a text scalar.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.value {
            Value::Scalar(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The mapping, when this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, when this is a sequence.
    pub fn as_list(&self) -> Option<&[Tree]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// What this is, for messages: `text`, `a list`, ….
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(Scalar::Null) => "nothing",
            Value::Scalar(Scalar::Bool(_)) => "true or false",
            Value::Scalar(Scalar::Int(_)) => "a whole number",
            Value::Scalar(Scalar::Float(_)) => "a number",
            Value::Scalar(Scalar::Text(_)) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The same value as JSON, templates as the text they are.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Scalar(Scalar::Null) => Json::Null,
            Value::Scalar(Scalar::Bool(b)) => Json::Bool(*b),
            Value::Scalar(Scalar::Int(i)) => Json::from(*i),
            Value::Scalar(Scalar::Float(x)) => Json::from(*x),
            Value::Scalar(Scalar::Text(text)) => Json::from(text.value.as_str()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(map) => {
                Json::Object(map.entries.iter().map(|e| (e.key.value.clone(), e.value.to_json())).collect())
            }
        }
    }
}
