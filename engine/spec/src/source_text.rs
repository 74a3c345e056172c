//! Where things stand: the files that were read, byte spans in them, and scalars that know their place.

use std::path::{Path, PathBuf};

use crate::inside::raw_range;

/// One of the files of a [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A range of bytes in one file. `start == end` is a place between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end` of a file.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start, end }
    }
}

/// How a scalar was written; needed to find a character of its value in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Without quotes on one line, or text that came from no file.
    #[default]
    Plain,
    /// `'…'`, where `''` stands for one quote.
    SingleQuoted,
    /// `"…"`, with escapes.
    DoubleQuoted,
    /// `|` or `>`: the value starts on the line after, less the indentation given here in bytes.
    Block {
        /// Bytes of indentation taken off each line.
        indent: usize,
    },
}

/// A piece of text a user wrote, with its place.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// What it says.
    pub value: String,
    /// Where it stands; for quoted scalars the quotes are included.
    pub span: Span,
    /// How it was written.
    pub style: Style,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl Eq for Text {}

impl Text {
    /// Text of a file, written plainly.
    pub fn new(value: impl Into<String>, span: Span) -> Self {
        Self { value: value.into(), span, style: Style::Plain }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.value)
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path as the user would name it.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
    line_starts: Vec<usize>,
}

/// All files that were read, by [`FileId`].
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<SourceFile>,
}

impl Files {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file's text under a path.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        self.files.push(SourceFile { path: path.into(), text, line_starts });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// A file by its id; `None` for an id of another collection.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All of them: path and text.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|file| (file.path.as_path(), file.text.as_str()))
    }

    /// A file's path; empty for an unknown id.
    pub fn path(&self, id: FileId) -> &Path {
        self.get(id).map_or(Path::new(""), |file| &file.path)
    }

    /// The bytes of a line (from 1), its line break left out; `None` when there is no such line.
    pub fn line(&self, id: FileId, line: usize) -> Option<(usize, usize)> {
        let file = self.get(id)?;
        let start = *file.line_starts.get(line.checked_sub(1)?)?;
        let end = file.line_starts.get(line).map_or(file.text.len(), |next| next - 1);
        let text = file.text.get(start..end)?;
        Some((start, start + text.trim_end_matches('\r').len()))
    }

    /// Line and column (both from 1, columns in characters) where a span starts.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(file) = self.get(span.file) else { return (1, 1) };
        let start = span.start.min(file.text.len());
        let line = file.line_starts.partition_point(|at| *at <= start).max(1) - 1;
        let column = file.text.get(file.line_starts[line]..start).map_or(0, |s| s.chars().count());
        (line + 1, column + 1)
    }

    /// `FILE:LINE:COLUMN` of a span.
    pub fn position(&self, span: Span) -> String {
        let (line, column) = self.line_column(span);
        format!("{}:{line}:{column}", self.path(span.file).display())
    }

    /// The place in the file of the bytes `start..end` of a scalar's **value**.
    ///
    /// Plain scalars map one to one; quotes, escapes and block indentation are followed. Where the value and the file
    /// cannot be matched, the span of the whole scalar is given.
    pub fn inside(&self, text: &Text, start: usize, end: usize) -> Span {
        let whole = text.span;
        let Some(raw) = self.get(whole.file).and_then(|file| file.text.get(whole.start..whole.end)) else {
            return whole;
        };
        match raw_range(raw, text, start, end) {
            Some((from, to)) => Span::new(whole.file, whole.start + from, whole.start + to),
            None => whole,
        }
    }
}
