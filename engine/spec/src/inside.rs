//! Finds a piece of a scalar's value in the file: quotes, escapes, folding and indentation are followed.
//!
//! The raw text and the value are walked side by side and must agree at every step, so an answer is never a guess:
//! where they do not agree there is none.

use crate::source_text::{Style, Text};

/// Bytes of raw text and the bytes of value they stand for.
type Piece = (usize, usize);

/// Where the bytes `start..end` of the value stand in the raw text of the scalar.
pub(crate) fn raw_range(raw: &str, text: &Text, start: usize, end: usize) -> Option<(usize, usize)> {
    let end = end.max(start);
    if text.style == Style::Plain && raw == text.value {
        return (end <= raw.len()).then_some((start, end));
    }
    let mut walk = Walk::new(raw, text)?;
    walk.to(start)?;
    walk.over_nothing();
    let from = walk.raw_at;
    walk.to(end)?;
    Some((from, walk.raw_at.max(from)))
}

/// Walks raw text and value at once.
struct Walk<'t> {
    raw: &'t str,
    value: &'t str,
    style: Style,
    raw_at: usize,
    value_at: usize,
}

impl<'t> Walk<'t> {
    fn new(raw: &'t str, text: &'t Text) -> Option<Self> {
        let quotes = match text.style {
            Style::Plain | Style::Block { .. } => "",
            Style::SingleQuoted => "'",
            Style::DoubleQuoted => "\"",
        };
        raw.strip_prefix(quotes)?;
        Some(Self { raw, value: &text.value, style: text.style, raw_at: quotes.len(), value_at: 0 })
    }

    /// Goes on until `offset` bytes of value have passed; `None` when raw text and value part.
    fn to(&mut self, offset: usize) -> Option<()> {
        while self.value_at < offset {
            let (raw, value) = self.piece()?;
            self.raw_at += raw;
            self.value_at += value;
        }
        Some(())
    }

    /// Skips raw text that stands for nothing, such as an escaped line break.
    fn over_nothing(&mut self) {
        while let Some((raw @ 1.., 0)) = self.piece() {
            self.raw_at += raw;
        }
    }

    fn piece(&self) -> Option<Piece> {
        let raw = self.raw.get(self.raw_at..)?;
        let value = self.value.get(self.value_at..)?;
        match self.style {
            Style::Block { indent } => block_piece(raw, value, indent),
            Style::SingleQuoted if raw.starts_with("''") => value.starts_with('\'').then_some((2, 1)),
            Style::DoubleQuoted if raw.starts_with('\\') => escaped_piece(raw, value),
            _ => flow_piece(raw, value),
        }
    }
}

/// A character, or the folded line breaks of a scalar that runs over several lines.
fn flow_piece(raw: &str, value: &str) -> Option<Piece> {
    if let Some((bytes, breaks)) = line_breaks(raw) {
        let folded = if breaks == 1 { value.starts_with(' ') } else { value.starts_with(&"\n".repeat(breaks - 1)) };
        return folded.then_some((bytes, (breaks - 1).max(1)));
    }
    same_char(raw, value)
}

fn same_char(raw: &str, value: &str) -> Option<Piece> {
    let c = raw.chars().next()?;
    value.starts_with(c).then_some((c.len_utf8(), c.len_utf8()))
}

/// Bytes and line breaks of space that holds at least one line break.
fn line_breaks(raw: &str) -> Option<Piece> {
    let bytes = raw.len() - raw.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let breaks = raw[..bytes].matches('\n').count();
    (breaks > 0).then_some((bytes, breaks))
}

/// A character of a block scalar; a line break takes the next line's indentation along.
fn block_piece(raw: &str, value: &str, indent: usize) -> Option<Piece> {
    let ending = if raw.starts_with("\r\n") { 2 } else { usize::from(raw.starts_with('\n')) };
    if ending == 0 {
        let blank = raw.len() - raw.trim_start_matches([' ', '\t']).len();
        let blank_line = blank > 0 && raw[blank..].starts_with(['\r', '\n']) && value.starts_with('\n');
        return if blank_line { Some((blank, 0)) } else { same_char(raw, value) };
    }
    let next = &raw[ending..];
    let spaces = next.len() - next.trim_start_matches(' ').len();
    let written = usize::from(value.starts_with('\n') || value.starts_with(' '));
    Some((ending + spaces.min(indent), written))
}

/// An escape of a double-quoted scalar.
fn escaped_piece(raw: &str, value: &str) -> Option<Piece> {
    let escape = raw[1..].chars().next()?;
    if matches!(escape, '\r' | '\n') {
        let (bytes, breaks) = line_breaks(&raw[1..])?;
        return Some((1 + bytes, breaks - 1));
    }
    let digits = match escape {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => other.len_utf8() - 1,
    };
    let c = value.chars().next()?;
    let pair = escape == 'u' && c.len_utf8() == 4;
    let raw_bytes = if pair { 12 } else { 2 + digits };
    raw.get(..raw_bytes).map(|_| (raw_bytes, c.len_utf8()))
}
