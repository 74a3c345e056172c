//! Operations made of others, and records that are looked up before or after they are written.

use super::operation::ResultDoc;
use super::policy::status;
use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};
use std::time::Duration;

/// `upsert:`: a record is looked up, then made or changed.
#[derive(Debug, Clone)]
pub struct UpsertDoc {
    /// How it is looked up first. Without it the operation `create` itself says that there is one.
    pub find: Option<FindDoc>,
    /// What makes it.
    pub create: StepDoc,
    /// What changes it; one that is there is left as it is when none.
    pub update: Option<StepDoc>,
    /// Statuses of `create` that say that there is one already: then `update` follows, and `found` is what the answer held.
    pub exists: Vec<u16>,
    /// Whether it is looked up again after it was made, for what `create` does not tell.
    pub find_again: bool,
    /// The whole entry.
    pub span: Span,
}

/// An operation as a step: `OPERATION`, or `{operation: …, with: {…}}`.
#[derive(Debug, Clone)]
pub struct StepDoc {
    /// The operation.
    pub operation: Text,
    /// Fields beside those it shares with the record; names: `config`, `record`, `found`.
    pub with: Vec<(Text, Tree)>,
}

/// `find:` and `find_again:`: how a record is looked up.
#[derive(Debug, Clone)]
pub struct FindDoc {
    /// The stream.
    pub stream: Text,
    /// Its parameters; names: `config`, `record`.
    pub with: Vec<(Text, Tree)>,
    /// Columns that must have these values exactly, for searches that find more; names: `config`, `record`.
    pub matching: Vec<(Text, Tree)>,
    /// What is made of several that fit.
    pub many: Many,
    /// The whole entry.
    pub span: Span,
}

/// What is made of several records where one was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Many {
    /// The record is turned down: nobody can tell which one is meant.
    #[default]
    Fail,
    /// The first one counts.
    First,
}

/// `verify:`: how to find out whether a record of unknown outcome was written.
#[derive(Debug, Clone)]
pub struct VerifyDoc {
    /// How it is looked up.
    pub find: FindDoc,
    /// Columns of time that may differ by so much.
    pub tolerance: Vec<(Text, Duration)>,
    /// What the record that was found holds, by the names of the operation's results; paths start at the record.
    pub results: Vec<ResultDoc>,
}

impl UpsertDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`upsert`", problems)?;
        let find = reader.optional("find", FindDoc::read);
        let create = reader.required("create", StepDoc::read);
        let update = reader.optional("update", StepDoc::read);
        let exists = reader.optional("exists", exists).unwrap_or_default();
        let find_again = reader.bool("find_again").unwrap_or_default();
        if !reader.has("find") && !reader.has("exists") {
            reader.missing("`find` or `exists`", "say how to know that a record is there already");
        }
        if find_again && !reader.has("find") {
            reader.missing("`find`", "`find_again` looks the record up in the way of `find`");
        }
        reader.finish();
        Some(Self { find, create: create?, update, exists, find_again, span: tree.span })
    }
}

/// `{http_codes: [202]}`
fn exists(tree: &Tree, problems: &mut Problems) -> Option<Vec<u16>> {
    let mut reader = MapReader::of(tree, "`exists`", problems)?;
    let codes = reader.required("http_codes", decode::one_or_many(status));
    reader.finish();
    codes
}

impl StepDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if let Some(operation) = tree.as_text() {
            return Some(Self { operation: operation.clone(), with: Vec::new() });
        }
        let mut reader = MapReader::of(tree, "an upsert step", problems)?;
        let operation = reader.required_text("operation");
        let with = reader.map("with", decode::any);
        reader.finish();
        Some(Self { operation: operation?, with })
    }
}

const MANY: [(&str, Many); 2] = [("fail", Many::Fail), ("first", Many::First)];

impl FindDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a search", problems)?;
        let find = Self::keys(&mut reader, tree.span);
        reader.finish();
        find
    }

    fn keys(reader: &mut MapReader<'_, '_>, span: Span) -> Option<Self> {
        let stream = reader.required_text("stream");
        let with = reader.map("with", decode::any);
        let matching = reader.map("match", decode::any);
        let many = reader.optional("many", decode::choice(&MANY)).unwrap_or_default();
        Some(Self { stream: stream?, with, matching, many, span })
    }
}

impl VerifyDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`verify`", problems)?;
        let find = FindDoc::keys(&mut reader, tree.span);
        let tolerance = reader.map("tolerance", decode::duration);
        let results = ResultDoc::read_all(&mut reader);
        reader.finish();
        Some(Self { find: find?, tolerance, results })
    }
}
