//! Whether all rows of a file have the same number of fields, at the speed of reading it.
//!
//! It sees lines as Polars does: a quote opens a quoted field only at the field's start, and everything up to the
//! closing quote belongs to it. What Polars would read wrongly without saying so is a [`Flaw`].

use super::options::Options;
use crate::open::io_error;
use polars::io::utils::get_reader_bytes;
use std::fs::File;
use std::path::Path;
use towpath_connector::{Error, Result};

/// Bytes checked at a time; more when a single row is longer.
const PIECE: usize = 1 << 20;

/// The first thing wrong with a file. Lines count from 1 and from where the check began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Another number of fields.
    Ragged { line: u64, fields: usize },
    /// An empty line among rows of several fields.
    Empty { line: u64 },
    /// A quote in the middle of a field, or text behind a closing one.
    Quote { line: u64 },
    /// The file ends within quotes.
    Open { line: u64 },
    /// Bytes that are not UTF-8.
    Encoding { line: u64 },
}

/// A check in progress.
pub(super) struct Check<'a> {
    options: &'a Options,
    columns: usize,
    line: u64,
}

impl<'a> Check<'a> {
    pub(super) fn new(options: &'a Options, columns: usize) -> Self {
        Self { options, columns, line: 1 }
    }

    /// Checks all whole rows of `bytes` and says how many bytes they are; at the end of the file all is taken.
    pub(super) fn feed(&mut self, bytes: &[u8], last: bool) -> std::result::Result<usize, Flaw> {
        let quotes = self.options.quote.is_some_and(|quote| memchr::memchr(quote, bytes).is_some());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let Some(end) = memchr::memchr(b'\n', rest).or(last.then_some(rest.len())) else {
                break;
            };
            let line = &rest[..end];
            let taken = if quotes && self.options.quote.is_some_and(|quote| memchr::memchr(quote, line).is_some()) {
                match self.quoted(rest, last)? {
                    Some(taken) => taken,
                    None => break,
                }
            } else {
                self.bare(line)?;
                (end + 1).min(rest.len())
            };
            at += taken;
        }
        Ok(at)
    }

    /// A row without quotes.
    #[inline]
    fn bare(&mut self, line: &[u8]) -> std::result::Result<(), Flaw> {
        let here = self.line;
        self.line += 1;
        if self.options.is_comment(line) {
            return Ok(());
        }
        let fields = 1 + count(line, self.options.delimiter);
        if fields == self.columns {
            return Ok(());
        }
        if line.is_empty() || line == b"\r" {
            return Err(Flaw::Empty { line: here });
        }
        Err(Flaw::Ragged { line: here, fields })
    }

    /// A row with quotes, which may go over several lines; `None` when its end is not there yet.
    fn quoted(&mut self, rest: &[u8], last: bool) -> std::result::Result<Option<usize>, Flaw> {
        let here = self.line;
        if self.options.is_comment(rest) {
            let end = memchr::memchr(b'\n', rest);
            self.line += 1;
            return Ok(Some(end.map_or(rest.len(), |end| end + 1)));
        }
        let (quote, delimiter) = (self.options.quote.unwrap_or(b'"'), self.options.delimiter);
        let (mut at, mut fields) = (0, 1);
        loop {
            if rest.get(at) == Some(&quote) {
                at += 1;
                loop {
                    let Some(next) = memchr::memchr(quote, &rest[at..]) else {
                        return if last { Err(Flaw::Open { line: here }) } else { Ok(None) };
                    };
                    at += next + 1;
                    if rest.get(at) != Some(&quote) {
                        break;
                    }
                    at += 1;
                }
                // What comes next decides whether this quote closes the field.
                if at == rest.len() && !last {
                    return Ok(None);
                }
            }
            let quoted_end = at;
            let tail = &rest[at..];
            let Some(end) = memchr::memchr2(delimiter, b'\n', tail).or(last.then_some(tail.len())) else {
                return Ok(None);
            };
            let bare = tail[..end].strip_suffix(b"\r").unwrap_or(&tail[..end]);
            let started = rest[..quoted_end].ends_with(&[quote]);
            if memchr::memchr(quote, bare).is_some() || (started && !bare.is_empty()) {
                return Err(Flaw::Quote { line: here });
            }
            at += end;
            match rest.get(at) {
                Some(byte) if *byte == delimiter => {
                    at += 1;
                    fields += 1;
                }
                other => {
                    at += usize::from(other.is_some());
                    break;
                }
            }
        }
        self.line += memchr::memchr_iter(b'\n', &rest[..at]).count() as u64;
        if fields == self.columns { Ok(Some(at)) } else { Err(Flaw::Ragged { line: here, fields }) }
    }
}

#[inline]
fn count(line: &[u8], delimiter: u8) -> usize {
    line.iter().map(|byte| usize::from(*byte == delimiter)).sum()
}

/// Checks a file as it lies on the disk, at least its first `most` bytes, and says how many bytes were checked.
///
/// # Errors
/// Says what is wrong with it, and where.
pub(super) fn check(path: &Path, options: &Options, columns: usize, most: u64) -> Result<u64> {
    let mut file = File::open(path).map_err(|error| io_error(path, error))?;
    if file.metadata().map_err(|error| io_error(path, error))?.len() == 0 {
        return Ok(0);
    }
    // Looked at where the system keeps it, as the scan does: to copy it would take longer than to check it.
    let whole = get_reader_bytes(&mut file)?;
    let mut rest = whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&whole);
    for _ in 0..options.skip_rows {
        rest = memchr::memchr(b'\n', rest).map_or(&[], |end| &rest[end + 1..]);
    }
    let mut check = Check::new(options, columns);
    let (mut wanted, mut done) = (PIECE, 0);
    while !rest.is_empty() && done < most {
        let piece = &rest[..wanted.min(rest.len())];
        let line = check.line;
        let taken = check.feed(piece, piece.len() == rest.len()).and_then(|taken| {
            let broken = std::str::from_utf8(&piece[..taken]).err();
            let lines = |valid: usize| memchr::memchr_iter(b'\n', &piece[..valid]).count() as u64;
            broken.map_or(Ok(taken), |error| Err(Flaw::Encoding { line: line + lines(error.valid_up_to()) }))
        });
        let taken = taken.map_err(|flaw| error(path, options, columns, &flaw))?;
        rest = &rest[taken..];
        done += taken as u64;
        // A row longer than the piece is looked at again with more behind it.
        wanted = if taken == 0 { 2 * wanted } else { PIECE };
    }
    Ok(done)
}

/// A flaw as an error.
pub(super) fn error(path: &Path, options: &Options, columns: usize, flaw: &Flaw) -> Error {
    let (line, what, help) = match flaw {
        Flaw::Ragged { line, fields } => (
            line,
            format!("{fields} fields, expected {columns}"),
            "mend the line, or set `on_ragged: reject` to put such rows aside",
        ),
        Flaw::Empty { line } => {
            (line, "an empty line among the rows".into(), "remove it, or set `on_ragged: reject` to read line by line")
        }
        Flaw::Quote { line } => (
            line,
            "a quote in the middle of a field".into(),
            "set `quote: none` if quotes mean nothing here, or `on_ragged: reject` to read line by line",
        ),
        Flaw::Open { line } => (
            line,
            "the quote that opens here is never closed".into(),
            "mend the line, or set `quote: none` if quotes mean nothing here",
        ),
        Flaw::Encoding { line } => (line, "bytes that are not UTF-8".into(), "set `encoding:`, e.g. `windows-1252`"),
    };
    let line = line + options.skip_rows as u64;
    Error::data(format!("{}, line {line}: {what}", path.display())).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_connector::Settings;

    fn first_flaw(text: &str) -> Option<Flaw> {
        let mut settings = Settings::default();
        settings.set("comment", "#");
        let options = Options::read(&settings).expect("the defaults are valid");
        let whole = Check::new(&options, 2).feed(text.as_bytes(), true).err();
        // However it is cut into pieces, the answer is the same.
        for piece in 1..8 {
            let (mut check, mut held, mut found) = (Check::new(&options, 2), Vec::new(), None);
            let mut pieces = text.as_bytes().chunks(piece).peekable();
            while let Some(bytes) = pieces.next() {
                held.extend_from_slice(bytes);
                match check.feed(&held, pieces.peek().is_none()) {
                    Ok(taken) => drop(held.drain(..taken)),
                    Err(flaw) => {
                        found = Some(flaw);
                        break;
                    }
                }
            }
            assert_eq!(found, whole, "in pieces of {piece}: {text:?}");
        }
        whole
    }

    #[test]
    fn flaws_are_found_with_their_line() {
        for (text, expected) in [
            ("a,b\n1,2\n", None),
            ("a,b\r\n1,\"x\r\ny\"\r\n,\"\"", None),
            ("a,b\n\"q\"\"q\",2\n\"\"\"\",\"\"\n", None),
            ("a,b\n#1,2,3\n#\"\n1,2", None),
            ("a,b\n1\n", Some(Flaw::Ragged { line: 2, fields: 1 })),
            ("a,b\n\"x\ny\",1\n1,2,3\n", Some(Flaw::Ragged { line: 4, fields: 3 })),
            ("a,b\n\"x\",1,2\n", Some(Flaw::Ragged { line: 2, fields: 3 })),
            ("a,b\n1,2\n\n3,4\n", Some(Flaw::Empty { line: 3 })),
            ("a,b\n5\" pipe,1\n", Some(Flaw::Quote { line: 2 })),
            ("a,b\n\"x\"y,1\n", Some(Flaw::Quote { line: 2 })),
            ("a,b\n\"x,1\n2,3\n", Some(Flaw::Open { line: 2 })),
        ] {
            assert_eq!(first_flaw(text), expected, "{text:?}");
        }
    }
}
