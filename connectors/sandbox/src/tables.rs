//! Things of several kinds, each a JSON object, in the order in which they were made.
//!
//! For systems whose answers are what was sent to them with a number added: there is nothing to know of such a thing beyond
//! its members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The things of a system.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tables {
    things: BTreeMap<String, Vec<Value>>,
    last: u64,
}

impl Tables {
    /// The next number; no number is given twice.
    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Numbers begin behind this one.
    pub(crate) fn begin_at(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    pub(crate) fn add(&mut self, kind: &str, thing: Value) {
        self.things.entry(kind.to_owned()).or_default().push(thing);
    }

    pub(crate) fn all(&self, kind: &str) -> &[Value] {
        self.things.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The thing whose member prints as that text.
    pub(crate) fn find(&self, kind: &str, member: &str, text: &str) -> Option<&Value> {
        self.all(kind).iter().find(|thing| plain(&thing[member]) == text)
    }

    pub(crate) fn find_mut(&mut self, kind: &str, member: &str, text: &str) -> Option<&mut Value> {
        self.things.get_mut(kind)?.iter_mut().find(|thing| plain(&thing[member]) == text)
    }

    /// Removes all things for which something holds; says how many there were.
    pub(crate) fn remove(&mut self, kind: &str, goes: impl Fn(&Value) -> bool) -> usize {
        let Some(things) = self.things.get_mut(kind) else { return 0 };
        let before = things.len();
        things.retain(|thing| !goes(thing));
        before - things.len()
    }

    /// Everything, for the books.
    pub(crate) fn write_books(&self, books: &mut Value) {
        for (kind, things) in &self.things {
            books[kind.as_str()] = Value::from(things.clone());
        }
    }
}

/// A scalar as text; null is empty.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
