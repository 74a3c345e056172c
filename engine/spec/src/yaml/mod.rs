//! YAML text in, a [`Tree`] in which every key and value knows its place out.
//!
//! Built straight on the event parser under serde-saphyr, not on its serde layer: events carry the exact span and
//! style of every scalar and the true end of collections, need no recursion, and can be counted while they pass, so
//! that hostile text is refused before it costs time or memory. Scalars are resolved here by YAML 1.2's core rules.
//!
//! It never fills in templates: that happens later, inside scalars only, so a variable can never inject structure.

mod build;
mod bytes;
mod scalar;
mod syntax;

pub use bytes::read_text;

use serde_saphyr::granit_parser::{Event, Parser, options};

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::{Map, Tree, Value};
use crate::source_text::{FileId, Files, Span};

/// Bytes a document may have.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Collections that may stand inside each other.
pub const MAX_DEPTH: usize = 64;
/// Keys and values a document may have, those that aliases repeat included.
pub const MAX_NODES: usize = 100_000;
/// Problems reported for one file; who has more of them is helped best by these.
pub const MAX_PROBLEMS: usize = 100;

/// Reads one YAML document. An empty file is an empty mapping.
///
/// # Errors
/// Everything wrong with the text as YAML: syntax, duplicate keys, keys that are no text, templates without quotes,
/// several documents, and documents too large or too deep.
pub fn parse_yaml(files: &Files, file: FileId) -> Result<Tree, Vec<Diagnostic>> {
    let Some(source) = files.get(file) else {
        let nowhere = Span::new(file, 0, 0);
        return Err(vec![Diagnostic::error(codes::YAML_SYNTAX, nowhere, "the file was never read")]);
    };
    let text = source.text.as_str();
    bytes::check(text, file).map_err(|problem| vec![problem])?;
    let mut builder = build::Builder::new(text, file);
    let limits = options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    for event in Parser::new_from_str_with_options(text, limits) {
        let step = match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => Err(syntax::diagnostic(&error, text, file)),
        };
        if let Err(fatal) = step {
            builder.stop(fatal);
            break;
        }
    }
    let empty = || Tree { value: Value::Map(Map::default()), span: Span::new(file, 0, 0) };
    builder.finish().map(|root| root.unwrap_or_else(empty))
}
