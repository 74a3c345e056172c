//! The document as a whole.

use super::auth::{AuthDoc, AuthKind};
use super::column::ColumnRules;
use super::operation::OperationDoc;
use super::policy::ErrorHandlerDoc;
use super::setting::SettingDoc;
use super::stream::StreamDoc;
use super::test::{TestAction, TestDoc};
use super::{CheckDoc, DefaultsDoc, Definition};
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Tree;
use crate::source_text::{FileId, Text};

/// Reads a definition from its tree. There is one, as far as it can be read, whenever the tree is a mapping; it is only
/// good for use when no problem is an error.
pub fn decode_definition(file: FileId, tree: &Tree, problems: &mut Problems) -> Option<Definition> {
    let mut reader = MapReader::of(tree, "a connector", problems)?;
    if let Some(version) = reader.required("version", decode::int(1..=i64::MAX))
        && version != 1
    {
        let message = format!("version {version} is not known, expected 1");
        reader.problem(Diagnostic::error(codes::UNSUPPORTED_VERSION, tree.span, message));
    }
    let mut definition = Definition {
        file,
        name: reader.required("connector", decode::name).unwrap_or_default(),
        description: reader.optional_text("description"),
        source: reader.optional_text("source"),
        config: SettingDoc::read_all(&mut reader, "config", "a setting"),
        ..Definition::default()
    };
    let auth = reader.map("auth", AuthDoc::read);
    definition.auth = auth.into_iter().map(|(name, auth)| AuthDoc { name, ..auth }).collect();
    definition.defaults = reader.optional("defaults", DefaultsDoc::read).unwrap_or_default();
    definition.check = reader.optional("check", CheckDoc::read);
    definition.streams = named(reader.tree("streams"), &mut reader, StreamDoc::read);
    definition.operations = named(reader.tree("operations"), &mut reader, OperationDoc::read);
    definition.tests = reader.list("tests", TestDoc::read);
    reader.finish();
    check_names(&definition, problems);
    Some(definition)
}

/// A mapping whose values want to know their name.
fn named<T>(
    tree: Option<&Tree>,
    reader: &mut MapReader<'_, '_>,
    read: impl Fn(&Text, &Tree, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let Some(tree) = tree else { return Vec::new() };
    let mut problems = Vec::new();
    let mut items = Vec::new();
    match tree.as_map() {
        Some(map) => {
            items.extend(map.entries.iter().filter_map(|entry| read(&entry.key, &entry.value, &mut problems)));
        }
        None => decode::wrong_type(tree, "a mapping", &mut problems),
    }
    for problem in problems {
        reader.problem(problem);
    }
    items
}

impl CheckDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if let Some(stream) = tree.as_text() {
            return Some(Self { stream: stream.clone(), with: Vec::new() });
        }
        let mut reader = MapReader::of(tree, "`check`", problems)?;
        let stream = reader.required_text("stream");
        let with = reader.map("with", decode::any);
        reader.finish();
        Some(Self { stream: stream?, with })
    }
}

impl DefaultsDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`defaults`", problems)?;
        let defaults = Self {
            auth: reader.optional("auth", decode::one_or_many(decode::text)).unwrap_or_default(),
            headers: reader.map("headers", decode::text),
            rate: reader.rate("rate"),
            concurrency: reader.int("concurrency", 1..=1024).and_then(|n| u64::try_from(n).ok()),
            timeout: reader.int("timeout", 1..=86_400).and_then(|n| u64::try_from(n).ok()),
            error_message: reader.optional("error_message", decode::one_or_many(decode::text)).unwrap_or_default(),
            error_handler: reader.optional("error_handler", ErrorHandlerDoc::read).unwrap_or_default(),
            columns: reader.optional("columns", ColumnRules::read).unwrap_or_default(),
        };
        reader.finish();
        Some(defaults)
    }
}

/// Names that must be those of something else in the document.
fn check_names(definition: &Definition, problems: &mut Problems) {
    let profiles = definition.auth.iter().map(|auth| auth.name.as_str());
    let streams = definition.streams.iter().map(|stream| stream.name.as_str());
    let mut used: Vec<&Text> = definition.defaults.auth.iter().collect();
    used.extend(definition.streams.iter().filter_map(|stream| stream.auth.as_ref()).flatten());
    used.extend(definition.operations.iter().filter_map(|operation| operation.auth.as_ref()).flatten());
    used.extend(definition.auth.iter().flat_map(|auth| match &auth.kind {
        AuthKind::Choice { of } => of.as_slice(),
        _ => &[],
    }));
    for name in used {
        must_be_one_of(name, "auth profile", profiles.clone(), problems);
    }
    if let Some(check) = &definition.check {
        must_be_one_of(&check.stream, "stream", streams.clone(), problems);
        if let Some(stream) = definition.streams.iter().find(|stream| stream.name == check.stream) {
            let params = stream.params.iter().map(|param| param.name.as_str());
            check.with.iter().for_each(|(name, _)| must_be_one_of(name, "parameter", params.clone(), problems));
        }
    }
    for stream in &definition.streams {
        let taken = stream.partition_router.iter().flat_map(|router| &router.take).map(|(name, _)| name.as_str());
        let columns = taken.chain(stream.schema.iter().map(|column| column.name.as_str()));
        for key in &stream.key {
            must_be_one_of(key, "column", columns.clone(), problems);
        }
        if let Some(incremental) = &stream.incremental {
            let params = stream.params.iter().map(|param| param.name.as_str());
            let times = [Some(&incremental.start), incremental.end.as_ref()];
            times.into_iter().flatten().for_each(|name| must_be_one_of(name, "parameter", params.clone(), problems));
        }
    }
    let operations = definition.operations.iter().map(|operation| operation.name.as_str());
    let settings = definition.config.iter().map(|setting| setting.name.as_str());
    for test in &definition.tests {
        match &test.action {
            TestAction::Read { stream, .. } => must_be_one_of(stream, "stream", streams.clone(), problems),
            TestAction::Send { operation, .. } => must_be_one_of(operation, "operation", operations.clone(), problems),
        }
        test.config.iter().for_each(|(name, _)| must_be_one_of(name, "setting", settings.clone(), problems));
    }
    for operation in &definition.operations {
        if let Some(stream) = definition.streams.iter().find(|stream| stream.name == operation.name) {
            let message = format!("`{}` is a stream and an operation, expected one of the two", operation.name);
            problems.push(
                Diagnostic::error(codes::DUPLICATE_NAME, operation.name.span, message)
                    .label(stream.name.span, "the stream"),
            );
        }
    }
}

fn must_be_one_of<'a>(name: &Text, what: &str, known: impl Iterator<Item = &'a str> + Clone, problems: &mut Problems) {
    if known.clone().any(|one| one == name.value) {
        return;
    }
    let message = format!("there is no {what} `{}` here", name.value);
    problems
        .push(Diagnostic::error(codes::INVALID_VALUE, name.span, message).maybe_help(did_you_mean(&name.value, known)));
}
