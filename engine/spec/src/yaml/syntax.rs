//! The parser's errors as diagnostics that say what to change.

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use super::MAX_DEPTH;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source_text::{FileId, Span};

/// The problem at the place the parser stopped at.
pub(super) fn diagnostic(error: &ScanError, text: &str, file: FileId) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    if let Some(template) = template_before(text, at, file) {
        return unquoted_template(text, template);
    }
    let width = text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let span = Span::new(file, at, at + width);
    let (code, message, help) = explained(error.kind());
    Diagnostic::error(code, span, message).maybe_help(help.map(str::to_owned))
}

/// `key: {{ x }}`: YAML takes the braces for a mapping.
pub(super) fn unquoted_template(text: &str, span: Span) -> Diagnostic {
    let written = text.get(span.start..span.end).unwrap_or_default();
    let quoted =
        if written.contains('"') { format!("'{}'", written.replace('\'', "''")) } else { format!("\"{written}\"") };
    let help = if written.chars().count() <= 80 && written.contains("}}") {
        format!("quote the template: {quoted}")
    } else {
        "quote the template: \"{{ … }}\"".to_owned()
    };
    Diagnostic::error(
        codes::UNQUOTED_TEMPLATE,
        span,
        "a value that starts with `{{` must be quoted, YAML takes it for a mapping",
    )
    .help(help)
}

/// What the user takes for the value that starts at `start`: the rest of the line without space and comment, or, inside
/// `{ … }` and `[ … ]`, the template alone.
pub(super) fn value_at(text: &str, start: usize, file: FileId) -> Span {
    let (before, after) = text.split_at(start);
    let line = after.lines().next().unwrap_or_default();
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    let before = before.rsplit('\n').next().unwrap_or_default();
    let in_flow = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
    let end = if in_flow { line.find("}}").map_or(line.len(), |at| at + 2) } else { line.len() };
    Span::new(file, start, start + end)
}

/// A value on the line of `at` that starts with `{{` without a quote before it.
fn template_before(text: &str, at: usize, file: FileId) -> Option<Span> {
    let line_start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(line_start..)?.lines().next()?;
    let opens =
        [": {{", "- {{", "[{{", ", {{"].iter().filter_map(|open| Some(line.find(open)? + open.len() - 2)).min()?;
    let quotes = |quote: char| line[..opens].matches(quote).count() % 2 == 1;
    if quotes('"') || quotes('\'') { None } else { Some(value_at(text, line_start + opens, file)) }
}

/// Code, message and help of each kind of error a hand-written file can have.
fn explained(kind: &ErrorKind) -> (&'static str, String, Option<&'static str>) {
    use ErrorKind as K;
    let syntax = |message: &str, help: &'static str| (codes::YAML_SYNTAX, message.to_owned(), Some(help));
    match kind {
        K::RecursionLimitExceeded => (
            codes::TOO_DEEP,
            format!("more than {MAX_DEPTH} lists and mappings stand inside each other"),
            Some("no document needs this depth; is the file what you meant to read?"),
        ),
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
            syntax("found a tab in the indentation, expected spaces", "replace the tab by spaces")
        }
        K::MappingValueNotAllowed => syntax(
            "found `:` where no key can stand",
            "is this line indented further than the one above, or does a text with `: ` in it need quotes?",
        ),
        K::InvalidColonPlacement => {
            syntax("found `:` where no key can stand", "is a `]` or `}` missing above, or does the text need quotes?")
        }
        K::ExpectedBlockMappingKey => syntax(
            "expected a key, as in `key: value`",
            "check the indentation: the keys of one mapping start in the same column",
        ),
        K::ExpectedBlockSequenceEntry => syntax(
            "expected `- ` and a list item",
            "check the indentation: the items of one list start in the same column",
        ),
        K::InvalidIndentation | K::BlockSequenceEntryNotAllowed | K::InvalidFlowScalarIndent => syntax(
            "the indentation does not match any line above",
            "line the key or `-` up with the others of its group",
        ),
        K::ExpectedFlowMappingSeparator => {
            syntax("expected `,` or `}` in `{ … }`", "close the mapping or add the comma")
        }
        K::ExpectedFlowSequenceSeparator => syntax("expected `,` or `]` in `[ … ]`", "close the list or add the comma"),
        K::UnclosedQuotedScalar => syntax("this quote is never closed", "add the closing quote"),
        K::UnclosedFlowCollection { open } => {
            (codes::YAML_SYNTAX, format!("this `{open}` is never closed"), Some("add the closing bracket"))
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            syntax("found text after the closing quote", "put the whole value between the quotes")
        }
        K::UnknownQuotedScalarEscape => syntax(
            "unknown escape after `\\` in double quotes",
            "write `\\\\` for a backslash, or use single quotes, in which `\\` means itself",
        ),
        K::SimpleKeyExpected => {
            syntax("expected `:` after the key", "write `key: value`; is this line indented like its neighbours?")
        }
        K::UnexpectedCharacter { character } => (
            codes::YAML_SYNTAX,
            format!("a value cannot start with `{character}`"),
            Some("put the value between quotes"),
        ),
        K::UnknownAnchor => syntax(
            "`*` names an anchor that is not defined above",
            "define it with `&name`, or quote a text that starts with `*`",
        ),
        K::DirectiveDisallowed => {
            syntax("`%` starts a directive, which documents do not have", "quote a text that starts with `%`")
        }
        other => (codes::YAML_SYNTAX, other.to_string(), None),
    }
}
