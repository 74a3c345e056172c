//! What projects and pipelines have in common: named entries, connections, parameters, targets.

use super::super::pipeline::{ConnectionDoc, ParamDoc, Target};
use super::super::tree::{Scalar, Tree, Value};
use crate::decode::{self, MapReader, Problems};
use crate::source_text::{Span, Text};
use crate::types::Type;

/// Entries of a mapping of names, in the order written.
pub(super) struct Named<T> {
    pub(super) read: Vec<T>,
    /// Names of entries that could not be read.
    pub(super) unreadable: Vec<Text>,
    names: Vec<Text>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { read: Vec::new(), unreadable: Vec::new(), names: Vec::new() }
    }
}

impl<T> Named<T> {
    /// All names, readable or not.
    pub(super) fn names(&self) -> impl Iterator<Item = &Text> {
        self.names.iter()
    }
}

/// Reads a mapping of names to entries of one kind. Nothing at all, as in `sinks:`, is none.
pub(super) fn named<'a, T>(
    tree: &'a Tree,
    problems: &mut Problems,
    mut read: impl FnMut(&'a Text, &'a Tree, &mut Problems) -> Option<T>,
) -> Option<Named<T>> {
    let mut found = Named::default();
    if matches!(tree.value, Value::Scalar(Scalar::Null)) {
        return Some(found);
    }
    let Some(map) = tree.as_map() else {
        decode::wrong_type(tree, "a mapping of names", problems);
        return None;
    };
    for entry in map.entries.iter().filter(|entry| !entry.key.value.starts_with("x-")) {
        decode::valid_name(&entry.key, problems);
        found.names.push(entry.key.clone());
        match decode::of_key(entry.key.as_str(), &entry.value, problems, |tree, problems| {
            read(&entry.key, tree, problems)
        }) {
            Some(value) => found.read.push(value),
            None => found.unreadable.push(entry.key.clone()),
        }
    }
    Some(found)
}

/// From the name to the end of the entry.
pub(super) fn whole(name: &Text, value: &Tree) -> Span {
    Span { end: value.span.end.max(name.span.end), ..name.span }
}

/// A whole number of things.
pub(super) fn count<'a>(reader: &mut MapReader<'a, '_>, key: &'a str, least: i64, most: i64) -> Option<u64> {
    reader.int(key, least..=most).map(i64::unsigned_abs)
}

pub(super) fn connections(tree: &Tree, problems: &mut Problems) -> Option<Vec<ConnectionDoc>> {
    named(tree, problems, |name, tree, problems| connection(name, tree, true, problems)).map(|all| all.read)
}

/// Connections of an environment: what is not written there stays as it is in the project.
pub(super) fn overrides(tree: &Tree, problems: &mut Problems) -> Option<Vec<ConnectionDoc>> {
    named(tree, problems, |name, tree, problems| connection(name, tree, false, problems)).map(|all| all.read)
}

fn connection(name: &Text, tree: &Tree, needs_connector: bool, problems: &mut Problems) -> Option<ConnectionDoc> {
    let mut reader = MapReader::of(tree, format!("the connection `{name}`"), problems)?.at(name.span);
    let connector = if needs_connector { reader.required_text("connector") } else { reader.optional_text("connector") };
    let settings = reader.rest();
    reader.finish();
    if needs_connector && connector.is_none() {
        return None;
    }
    Some(ConnectionDoc { name: name.clone(), connector, settings, span: whole(name, tree) })
}

/// `connection: NAME` or `connector: NAME`.
pub(super) fn target<'a>(reader: &mut MapReader<'a, '_>) -> Option<Target> {
    let connection = reader.optional_text("connection");
    let connector = reader.optional_text("connector");
    reader.conflict(
        "connection",
        "connector",
        "`connection` names one of `connections:`, `connector` writes one in place",
    );
    let help = "name a connection, or write one in place: `connector: csv`";
    reader.require_one_of(&["connection", "connector"], help);
    connection.map(Target::Connection).or(connector.map(Target::Connector))
}

pub(super) fn params(tree: &Tree, problems: &mut Problems) -> Option<Vec<ParamDoc>> {
    named(tree, problems, param).map(|all| all.read)
}

fn param(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<ParamDoc> {
    let name = name.clone();
    if tree.as_map().is_none() {
        return Some(ParamDoc { name, ty: type_of(tree), default: Some(tree.clone()), description: None });
    }
    let mut reader = MapReader::of(tree, format!("the parameter `{name}`"), problems)?.at(name.span);
    let ty = reader.optional("type", decode::column_type);
    let default = reader.tree("default").cloned();
    let description = reader.optional_text("description");
    reader.finish();
    if let (Some(ty), Some(default)) = (&ty, &default) {
        decode::of_key("default", default, problems, |default, problems| fits(ty, default, problems));
    }
    let ty = ty.unwrap_or_else(|| default.as_ref().map_or(Type::Text, type_of));
    Some(ParamDoc { name, ty, default, description })
}

/// The type a literal has.
fn type_of(tree: &Tree) -> Type {
    match &tree.value {
        Value::Scalar(Scalar::Null | Scalar::Text(_)) => Type::Text,
        Value::Scalar(Scalar::Bool(_)) => Type::Bool,
        Value::Scalar(Scalar::Int(_)) => Type::Int,
        Value::Scalar(Scalar::Float(_)) => Type::Float,
        Value::List(items) => Type::List(Box::new(items.first().map_or(Type::Text, type_of))),
        Value::Map(_) => Type::Json,
    }
}

/// Whether a default can be a value of its type; dates, decimals and the like are written as text.
fn fits(ty: &Type, default: &Tree, problems: &mut Problems) -> Option<()> {
    let expected = match (ty, &default.value) {
        (_, Value::Scalar(Scalar::Null)) | (Type::Json | Type::Null, _) => return Some(()),
        (Type::Bool, Value::Scalar(Scalar::Bool(_))) | (Type::Int, Value::Scalar(Scalar::Int(_))) => return Some(()),
        (Type::Float | Type::Decimal { .. }, Value::Scalar(Scalar::Int(_) | Scalar::Float(_))) => return Some(()),
        (Type::List(_), Value::List(_)) | (Type::Struct(_), Value::Map(_)) => return Some(()),
        (Type::Bool, _) => "`true` or `false`, as its type says",
        (Type::Int, _) => "a whole number, as its type says",
        (Type::Float, _) => "a number, as its type says",
        (Type::List(_), _) => "a list, as its type says",
        (Type::Struct(_), _) => "a mapping, as its type says",
        (_, Value::Scalar(Scalar::Text(_))) => return Some(()),
        _ => "text between quotes, as its type says",
    };
    if !default.as_text().is_some_and(|text| text.value.contains("{{")) {
        decode::wrong_type(default, expected, problems);
    }
    None
}
