//! For people: message, place and a snippet of the file, like rustc's.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::in_order;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source_text::{FileId, Files, Span};

/// Characters of a line that are shown; longer ones are cut around what matters.
const WIDTH: usize = 140;
/// Characters shown before a marked place in a line that is cut.
const BEFORE: usize = 40;
/// A second place at most this many lines away shares the snippet.
const NEAR: usize = 6;

/// All diagnostics, each with its snippet and help, an empty line between two. Empty for none.
pub fn render_human(files: &Files, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for problem in in_order(diagnostics) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[group(files, problem)]));
        out.push('\n');
    }
    out
}

fn group<'a>(files: &'a Files, problem: &'a Diagnostic) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(problem.message.as_str()).id(problem.code);
    let (line, _) = files.line_column(problem.span);
    let mut near = vec![Mark { span: problem.span, label: None, kind: AnnotationKind::Primary }];
    let mut far = Vec::new();
    for label in &problem.labels {
        let mark = Mark { span: label.span, label: Some(&label.message), kind: AnnotationKind::Context };
        let (other, _) = files.line_column(label.span);
        let is_near = label.span.file == problem.span.file && line.abs_diff(other) <= NEAR;
        if is_near { near.push(mark) } else { far.push(vec![mark]) }
    }
    let mut group = title.elements(Vec::<Origin<'_>>::new());
    for marks in std::iter::once(near).chain(far) {
        match snippet(files, &marks) {
            Some((snippet, false)) => group = group.element(snippet.path(path(files, marks[0].span))),
            // Cutting moved the columns: the place is said apart from the snippet.
            Some((snippet, true)) => group = group.element(origin(files, marks[0].span)).element(snippet),
            None => group = group.element(origin(files, marks[0].span)),
        }
    }
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// A place to mark, with what to say there.
struct Mark<'a> {
    span: Span,
    label: Option<&'a String>,
    kind: AnnotationKind,
}

fn path(files: &Files, span: Span) -> String {
    files.path(span.file).display().to_string()
}

/// `FILE:LINE:COLUMN`.
fn origin<'a>(files: &Files, span: Span) -> Origin<'a> {
    let (line, column) = files.line_column(span);
    Origin::path(path(files, span)).line(line).char_column(column)
}

/// The lines of the marks and those between them; and whether a line was cut at its beginning.
fn snippet<'a>(files: &Files, marks: &[Mark<'a>]) -> Option<(Snippet<'a, Annotation<'a>>, bool)> {
    let file = marks.first()?.span.file;
    let lines: Vec<usize> = marks.iter().map(|mark| files.line_column(mark.span).0).collect();
    let (first, last) = (*lines.iter().min()?, *lines.iter().max()?);
    let mut source = String::new();
    let mut annotations = Vec::new();
    let mut moved = false;
    for line in first..=last {
        let range = files.line(file, line)?;
        let here = || marks.iter().zip(&lines).filter(|(_, on)| **on == line).map(|(mark, _)| mark);
        let shift = cut(files, file, range, here().map(|mark| mark.span.start).min(), &mut source)?;
        moved |= shift.file_start > range.0;
        for mark in here() {
            let start = shift.place(mark.span.start);
            let end = shift.place(mark.span.end.max(mark.span.start)).max(start);
            let label = mark.label.map(|label| label.as_str());
            annotations.push(mark.kind.span(start..end).label(label));
        }
    }
    Some((Snippet::source(source).line_start(first).annotations(annotations), moved))
}

/// How bytes of a file map to bytes of the snippet, for one line.
struct Shift {
    file_start: usize,
    file_end: usize,
    snippet_start: usize,
}

impl Shift {
    fn place(&self, at: usize) -> usize {
        at.clamp(self.file_start, self.file_end) - self.file_start + self.snippet_start
    }
}

/// Appends a line to the snippet, cut around a place when it is long.
fn cut(
    files: &Files,
    file: FileId,
    (start, end): (usize, usize),
    around: Option<usize>,
    source: &mut String,
) -> Option<Shift> {
    let line = files.get(file)?.text.get(start..end)?;
    let around = around.map_or(0, |at| at.clamp(start, end) - start);
    let short = line.len() <= WIDTH || line.chars().nth(WIDTH).is_none();
    let from = if short || around <= WIDTH - BEFORE {
        0
    } else {
        line[..around].char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at)
    };
    let shown = &line[from..];
    let length = if short { shown.len() } else { shown.char_indices().nth(WIDTH).map_or(shown.len(), |(at, _)| at) };
    if from > 0 {
        source.push('…');
    }
    let snippet_start = source.len();
    source.push_str(&shown[..length]);
    if length < shown.len() {
        source.push('…');
    }
    source.push('\n');
    Some(Shift { file_start: start + from, file_end: start + from + length, snippet_start })
}
