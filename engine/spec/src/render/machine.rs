//! For programs: JSON, and the commands GitHub Actions turns into annotations.

use serde_json::json;

use super::in_order;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source_text::{Files, Span};

/// One JSON object a line: `code`, `severity`, `message`, `file`, `line`, `column`, `end_line`, `end_column`, `help`,
/// `labels`. Lines and columns count from 1, columns in characters; the end is behind the last character.
pub fn render_json(files: &Files, diagnostics: &[Diagnostic]) -> String {
    let lines = in_order(diagnostics).into_iter().map(|problem| {
        let (line, column) = files.line_column(problem.span);
        let (end_line, end_column) = end(files, problem.span);
        let labels: Vec<_> = problem
            .labels
            .iter()
            .map(|label| {
                let (line, column) = files.line_column(label.span);
                json!({"message": label.message, "file": path(files, label.span), "line": line, "column": column})
            })
            .collect();
        let object = json!({
            "code": problem.code,
            "severity": problem.severity,
            "message": problem.message,
            "file": path(files, problem.span),
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "help": problem.help,
            "labels": labels,
        });
        format!("{object}\n")
    });
    lines.collect()
}

/// One GitHub Actions workflow command a line.
pub fn render_github(files: &Files, diagnostics: &[Diagnostic]) -> String {
    let lines = in_order(diagnostics).into_iter().map(|problem| {
        let level = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (line, column) = files.line_column(problem.span);
        let (end_line, end_column) = end(files, problem.span);
        let message = match &problem.help {
            Some(help) => format!("{}\nhelp: {help}", problem.message),
            None => problem.message.clone(),
        };
        format!(
            "::{level} file={},line={line},col={column},endLine={end_line},endColumn={end_column},title={}::{}\n",
            property(&path(files, problem.span)),
            problem.code,
            data(&message),
        )
    });
    lines.collect()
}

fn path(files: &Files, span: Span) -> String {
    files.path(span.file).display().to_string()
}

fn end(files: &Files, span: Span) -> (usize, usize) {
    files.line_column(Span { start: span.end.max(span.start), ..span })
}

/// Escapes as GitHub's toolkit does for the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property, in which `:` and `,` have a meaning, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
