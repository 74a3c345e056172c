//! One mapping, key by key.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Problems, values};
use crate::codes;
use crate::diagnostic::{Diagnostic, did_you_mean, nearest, shown};
use crate::document::{Entry, Map, Rate, Tree};
use crate::source_text::{Span, Text};
use crate::yaml::MAX_PROBLEMS;

/// Reads a mapping and remembers which keys were asked for. Call [`finish`](Self::finish) at the end.
#[must_use = "`finish` reports unknown and missing keys"]
pub struct MapReader<'a, 'p> {
    map: &'a Map,
    span: Span,
    what: String,
    asked: Vec<&'a str>,
    rest_taken: bool,
    missing: Vec<&'a str>,
    problems: &'p mut Problems,
    #[cfg(test)]
    trace: super::trace::Asked,
}

impl<'a, 'p> MapReader<'a, 'p> {
    /// A reader of a mapping. `span` is where missing keys are reported, best a name or key, not the whole mapping;
    /// `what` says what the mapping is, with its article: `a source`, `the step \`join\``.
    pub fn new(map: &'a Map, span: Span, what: impl Into<String>, problems: &'p mut Problems) -> Self {
        let what = what.into();
        Self {
            map,
            span,
            #[cfg(test)]
            trace: super::trace::Asked { what: what.clone(), ..Default::default() },
            what,
            asked: Vec::new(),
            rest_taken: false,
            missing: Vec::new(),
            problems,
        }
    }

    /// A reader of a value that has to be a mapping; `None` and a problem when it is not.
    pub fn of(tree: &'a Tree, what: impl Into<String>, problems: &'p mut Problems) -> Option<Self> {
        let Some(map) = tree.as_map() else {
            values::wrong_type(tree, "a mapping", problems);
            return None;
        };
        Some(Self::new(map, Span { end: tree.span.start, ..tree.span }, what, problems))
    }

    /// The same reader, reporting missing keys at this place.
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// A key's value as it was written.
    pub fn tree(&mut self, key: &'a str) -> Option<&'a Tree> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        #[cfg(test)]
        self.trace.keys.insert(key.to_owned());
        self.map.get(key)
    }

    /// Declares keys valid without reading them.
    pub fn known(&mut self, keys: &[&'a str]) {
        for key in keys {
            self.tree(key);
        }
    }

    /// Whether a key was written; does not count as asking for it.
    pub fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some()
    }

    /// A key that may be written.
    pub fn optional<T>(&mut self, key: &'a str, read: impl FnOnce(&'a Tree, &mut Problems) -> Option<T>) -> Option<T> {
        let tree = self.tree(key)?;
        values::of_key(key, tree, self.problems, read)
    }

    /// A key that must be written.
    pub fn required<T>(&mut self, key: &'a str, read: impl FnOnce(&'a Tree, &mut Problems) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.missing.push(key);
        }
        #[cfg(test)]
        self.trace.required.insert(key.to_owned());
        self.optional(key, read)
    }

    /// Text that must be written.
    pub fn required_text(&mut self, key: &'a str) -> Option<Text> {
        self.required(key, values::text)
    }

    /// Text that may be written.
    pub fn optional_text(&mut self, key: &'a str) -> Option<Text> {
        self.optional(key, values::text)
    }

    /// True or false.
    pub fn bool(&mut self, key: &'a str) -> Option<bool> {
        self.optional(key, values::bool)
    }

    /// A whole number within limits.
    pub fn int(&mut self, key: &'a str, limits: RangeInclusive<i64>) -> Option<i64> {
        self.optional(key, values::int(limits))
    }

    /// A number.
    pub fn number(&mut self, key: &'a str) -> Option<f64> {
        self.optional(key, values::number)
    }

    /// A duration.
    pub fn duration(&mut self, key: &'a str) -> Option<Duration> {
        self.optional(key, values::duration)
    }

    /// A size in bytes.
    pub fn bytes(&mut self, key: &'a str) -> Option<u64> {
        self.optional(key, values::bytes)
    }

    /// A rate.
    pub fn rate(&mut self, key: &'a str) -> Option<Rate> {
        self.optional(key, values::rate)
    }

    /// A list; empty when not written.
    pub fn list<T>(&mut self, key: &'a str, item: impl FnMut(&'a Tree, &mut Problems) -> Option<T>) -> Vec<T> {
        self.optional(key, values::list(item)).unwrap_or_default()
    }

    /// A mapping of names to values of one kind; empty when not written.
    pub fn map<T>(&mut self, key: &'a str, value: impl FnMut(&'a Tree, &mut Problems) -> Option<T>) -> Vec<(Text, T)> {
        self.optional(key, values::map(value)).unwrap_or_default()
    }

    /// How many problems were found so far, here and by whoever uses the same collection.
    pub fn problem_count(&self) -> usize {
        self.problems.len()
    }

    /// Reports a problem.
    pub fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports that of two written keys only one may be.
    pub fn conflict(&mut self, first: &str, second: &str, help: &str) {
        let place = |key: &str| self.map.entries.iter().find(|entry| entry.key.value == key).map(|e| e.key.span);
        if let (Some(first_at), Some(second_at)) = (place(first), place(second)) {
            let message = format!("{} has `{first}` and `{second}`, expected one of the two", self.what);
            let problem = Diagnostic::error(codes::CONFLICTING_KEYS, second_at, message);
            self.problem(problem.label(first_at, "the other one").help(help));
        }
    }

    /// Reports when none of several keys was written. Ask for them first.
    pub fn require_one_of(&mut self, keys: &[&'a str], help: &str) {
        #[cfg(test)]
        self.trace.one_of.extend(keys.iter().map(|key| (*key).to_owned()));
        if keys.iter().any(|key| self.has(key)) {
            return;
        }
        let unasked = self.map.entries.iter().filter(|entry| !self.asked.contains(&entry.key.value.as_str()));
        let misspelt =
            unasked.map(|entry| entry.key.value.as_str()).find(|key| nearest(key, keys.iter().copied()).is_some());
        if let Some(misspelt) = misspelt {
            // Said as an unknown key by `finish`.
            self.missing.extend(nearest(misspelt, keys.iter().copied()));
            return;
        }
        let names: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        self.missing(&names.join(" or "), help);
    }

    /// Reports that something is missing, where it is not simply one key.
    pub fn missing(&mut self, keys: &str, help: &str) {
        let message = format!("{} needs {keys}", self.what);
        self.problem(Diagnostic::error(codes::MISSING_KEY, self.span, message).help(help));
    }

    /// All entries nobody asked for so far, `x-*` keys left out. They count as known from now on.
    pub fn rest(&mut self) -> Map {
        let map = self.map;
        let unasked = map.entries.iter().filter(|entry| !self.asked.contains(&entry.key.value.as_str()));
        let entries: Vec<_> = unasked.filter(|entry| !is_private(&entry.key)).cloned().collect();
        self.rest_taken = true;
        Map { entries }
    }

    /// Reports unknown and missing keys.
    pub fn finish(mut self) {
        #[cfg(test)]
        super::trace::keep(super::trace::Asked { rest: self.rest_taken, ..std::mem::take(&mut self.trace) });
        let map = self.map;
        // Where the rest is taken, an unknown key is one that was meant to be a missing one.
        let unknown = |entry: &&'a Entry| {
            let key = entry.key.value.as_str();
            let meant = || nearest(key, self.missing.iter().copied()).is_some();
            !self.asked.contains(&key) && (!self.rest_taken || meant())
        };
        let unknown = map.entries.iter().filter(|entry| !is_private(&entry.key)).filter(unknown);
        let unknown: Vec<_> = unknown.take(MAX_PROBLEMS).collect();
        for entry in unknown {
            let key = entry.key.value.as_str();
            // A key that is still to be written is likelier meant than one that is there already.
            let absent = self.asked.iter().copied().filter(|asked| map.get(asked).is_none());
            let meant = nearest(key, absent);
            self.missing.retain(|missing| Some(*missing) != meant);
            let help = meant.map(|name| format!("did you mean `{name}`?"));
            let help = help.or_else(|| did_you_mean(key, self.asked.iter().copied()));
            let message = format!("unknown key `{}` in {}", shown(key), self.what);
            self.problems.push(Diagnostic::error(codes::UNKNOWN_KEY, entry.key.span, message).maybe_help(help));
        }
        for key in &self.missing {
            let message = format!("{} needs the key `{key}`", self.what);
            let help = format!("add `{key}: …`");
            self.problems.push(Diagnostic::error(codes::MISSING_KEY, self.span, message).help(help));
        }
    }
}

fn is_private(key: &Text) -> bool {
    key.value.starts_with("x-")
}
