//! What a document is, by the one key that says so, and whether this release can read its version.

use super::tree::{Scalar, Tree, Value};
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::{Diagnostic, nearest};
use crate::source_text::Span;

/// The version of the language this release reads.
const VERSION: i64 = 1;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// `project:`
    Project,
    /// `pipeline:`
    Pipeline,
    /// `connector:`
    Connector,
}

impl DocumentKind {
    const ALL: [Self; 3] = [Self::Project, Self::Pipeline, Self::Connector];

    /// The key that says so; its value is the document's name.
    pub fn key(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Pipeline => "pipeline",
            Self::Connector => "connector",
        }
    }
}

/// What a document is.
///
/// # Errors
/// It is no mapping, or has none of the keys that say what it is, or several.
pub fn document_kind(tree: &Tree) -> Result<DocumentKind, Diagnostic> {
    let start = Span { end: tree.span.start, ..tree.span };
    let Some(map) = tree.as_map() else {
        let message = format!("expected a document, a mapping of keys to values, found {}", tree.kind());
        return Err(Diagnostic::error(codes::UNKNOWN_DOCUMENT, tree.span, message));
    };
    let written: Vec<_> = DocumentKind::ALL.into_iter().filter(|kind| map.get(kind.key()).is_some()).collect();
    match written.as_slice() {
        [kind] => Ok(*kind),
        [] => {
            let keys = DocumentKind::ALL.map(DocumentKind::key);
            let misspelt =
                map.entries.iter().take(20).find_map(|entry| Some((entry, nearest(&entry.key.value, keys)?)));
            let message = "the document does not say what it is: expected a key `project`, `pipeline` or `connector`";
            Err(match misspelt {
                Some((entry, meant)) => Diagnostic::error(codes::UNKNOWN_DOCUMENT, entry.key.span, message)
                    .help(format!("did you mean `{meant}`?")),
                None => Diagnostic::error(codes::UNKNOWN_DOCUMENT, start, message)
                    .help("add e.g. `pipeline: NAME` below `version: 1`"),
            })
        }
        [first, second, ..] => {
            let place =
                |kind: &DocumentKind| map.entries.iter().find(|e| e.key.value == kind.key()).map(|e| e.key.span);
            let message =
                format!("the document has the keys `{}` and `{}`, expected one of them", first.key(), second.key());
            let problem = Diagnostic::error(codes::CONFLICTING_KEYS, place(second).unwrap_or(start), message);
            Err(problem
                .label(place(first).unwrap_or(start), "the other one")
                .help("put each document into a file of its own"))
        }
    }
}

/// A reader of a document of the kind expected, `version` and the kind's key checked and known to it.
///
/// `None`, with the reason among the problems, when the document is of another kind; a wrong version is reported and
/// the reading goes on.
pub fn open_document<'a, 'p>(
    tree: &'a Tree,
    expected: DocumentKind,
    problems: &'p mut Problems,
) -> Option<MapReader<'a, 'p>> {
    match document_kind(tree) {
        Err(problem) => {
            problems.push(problem);
            return None;
        }
        Ok(kind) if kind != expected => {
            let key = tree.as_map()?.entries.iter().find(|entry| entry.key.value == kind.key())?;
            let message = format!("expected a {}, found a {}", expected.key(), kind.key());
            problems.push(Diagnostic::error(codes::WRONG_DOCUMENT, key.key.span, message));
            return None;
        }
        Ok(_) => {}
    }
    let what = format!("a {}", expected.key());
    let name = tree.as_map()?.entries.iter().find(|entry| entry.key.value == expected.key())?;
    let mut reader = MapReader::of(tree, what, problems)?.at(name.key.span);
    reader.known(&[expected.key()]);
    reader.required("version", version);
    Some(reader)
}

fn version(tree: &Tree, problems: &mut Problems) -> Option<()> {
    match tree.value {
        Value::Scalar(Scalar::Int(VERSION)) => Some(()),
        Value::Scalar(Scalar::Int(other)) => {
            let message =
                format!("version {other} of the language is unknown to this release, expected `version: {VERSION}`");
            let problem = Diagnostic::error(codes::UNSUPPORTED_VERSION, tree.span, message);
            problems.push(problem.help(if other > VERSION { "update towpath" } else { "write `version: 1`" }));
            None
        }
        _ => {
            decode::wrong_type(tree, "the whole number 1", problems);
            None
        }
    }
}
