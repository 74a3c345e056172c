//! The first rows of a file: names of the columns, what their values look like, whether the file is plain.

use super::options::Options;
use super::shape::{self, Flaw};
use crate::infer::Guess;
use crate::open::{self, Compression, io_error};
use crate::xml::decoding;
use encoding_rs::UTF_8;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use towpath_connector::{Error, Problem, Result};
use towpath_spec::Field;

/// Bytes of a file that are looked at, at most.
const MOST_BYTES: u64 = 4 << 20;

/// What the beginning of a file shows.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) path: PathBuf,
    /// Names of the columns, all different; none for an empty file.
    pub(crate) names: Vec<String>,
    /// Rows seen.
    pub(crate) rows: usize,
    /// Whether Polars can scan it: neither compressed, nor in another encoding, nor with odd lines at its ends.
    pub(crate) plain: bool,
    /// What ends a line: `\n`, or `\r` in a file that has nothing else.
    pub(crate) line_end: u8,
    guesses: Vec<Guess>,
    /// Names that were there more than once and what they became.
    renamed: Vec<(String, String)>,
}

impl Head {
    /// What a column's values look like.
    pub(crate) fn guess(&self, name: &str) -> Option<Guess> {
        let at = self.names.iter().position(|other| other == name)?;
        self.guesses.get(at).cloned()
    }
}

/// Looks at a file.
pub(super) fn read(path: &Path, options: &Options, rows: usize) -> Result<Head> {
    let compression = open::compression(path)?;
    let bytes = first_bytes(path, options)?;
    let line_end = if !bytes.contains(&b'\n') && bytes.contains(&b'\r') { b'\r' } else { b'\n' };
    let text = after_skipped(&bytes, line_end, options);
    let mut head = Head {
        path: path.to_owned(),
        names: Vec::new(),
        rows: 0,
        plain: compression == Compression::None && options.encoding == UTF_8 && !bytes.starts_with(b"\xff\xfe"),
        line_end,
        guesses: Vec::new(),
        renamed: Vec::new(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter)
        .quoting(options.quote.is_some())
        .quote(options.quote.unwrap_or(b'"'))
        .from_reader(text);
    let mut record = csv::ByteRecord::new();
    let mut next = || -> Option<Vec<String>> {
        loop {
            if !reader.read_byte_record(&mut record).ok()? {
                return None;
            }
            if record.get(0).is_none_or(|first| !options.is_comment(first)) {
                return Some(record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect());
            }
        }
    };
    let Some(first) = next() else {
        return Ok(head);
    };
    let mut row = None;
    if options.header {
        (head.names, head.renamed) = distinct(first);
    } else {
        head.names = (1..=first.len()).map(|at| format!("column_{at}")).collect();
        row = Some(first);
    }
    head.guesses = vec![Guess::default(); head.names.len()];
    while head.rows < rows {
        let Some(fields) = row.take().or_else(&mut next) else {
            break;
        };
        head.rows += 1;
        for (field, guess) in fields.iter().zip(&mut head.guesses) {
            if !field.is_empty() && !options.null_values.contains(field) {
                guess.see(field);
            }
        }
    }
    head.plain = head.plain && line_end == b'\n' && is_regular(path, text, options, head.names.len())?;
    Ok(head)
}

/// Whether neither the head nor the end of a file has lines Polars reads in another way than we do.
fn is_regular(path: &Path, text: &[u8], options: &Options, columns: usize) -> Result<bool> {
    let whole = memchr::memrchr(b'\n', text).map_or(0, |end| end + 1);
    let flaw = shape::Check::new(options, columns).feed(&text[..whole], false).err();
    let odd = flaw.is_some_and(|flaw| matches!(flaw, Flaw::Empty { .. } | Flaw::Quote { .. }));
    let end = open::tail(path, 4).map_err(|error| io_error(path, error))?;
    let blank_end = columns > 1 && (end.ends_with(b"\n\n") || end.ends_with(b"\n\r\n"));
    Ok(!odd && !blank_end)
}

/// The head of a file as UTF-8, without a byte order mark.
fn first_bytes(path: &Path, options: &Options) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader = open::open(path)?.take(MOST_BYTES);
    if options.encoding == UTF_8 {
        let mut reader = reader;
        reader.read_to_end(&mut bytes).map_err(|error| io_error(path, error))?;
    } else {
        // A character cut in two at the end of the head is no error of the file.
        let done = decoding(reader, options.encoding).read_to_end(&mut bytes);
        if let Err(error) = done
            && bytes.is_empty()
        {
            return Err(Error::data(format!("{}: {error}", path.display())).help("check `encoding:`"));
        }
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// What follows the lines to pass over.
pub(super) fn after_skipped<'a>(mut bytes: &'a [u8], line_end: u8, options: &Options) -> &'a [u8] {
    for _ in 0..options.skip_rows {
        let end = memchr::memchr(line_end, bytes).map_or(bytes.len(), |end| end + 1);
        bytes = &bytes[end..];
    }
    bytes
}

/// Passes over lines of a reader.
pub(super) fn skip(reader: &mut impl BufRead, lines: usize, line_end: u8) -> std::io::Result<()> {
    for _ in 0..lines {
        reader.skip_until(line_end)?;
    }
    Ok(())
}

/// Names with those that are empty or there already made different: `name_2`, `column_3`.
fn distinct(header: Vec<String>) -> (Vec<String>, Vec<(String, String)>) {
    let (mut names, mut renamed): (Vec<String>, Vec<_>) = (Vec::new(), Vec::new());
    for (at, name) in header.iter().enumerate() {
        let taken = |new: &String| names.contains(new) || header.contains(new);
        let new = if name.is_empty() {
            let numbered = |extra: usize| "_".repeat(extra) + &format!("column_{}", at + 1);
            (0..).map(numbered).find(|new| !taken(new))
        } else if names.contains(name) {
            (2..).map(|number| format!("{name}_{number}")).find(|new| !taken(new))
        } else {
            None
        };
        if let Some(new) = &new {
            renamed.push((name.clone(), new.clone()));
        }
        names.push(new.unwrap_or_else(|| name.clone()));
    }
    (names, renamed)
}

/// Files with the same names, in whatever order; empty files are left out.
pub(super) fn agree(
    heads: Vec<Head>,
    declared: &[Field],
    warnings: &mut Vec<Problem>,
) -> std::result::Result<Vec<Head>, Problem> {
    let (full, empty): (Vec<Head>, Vec<Head>) = heads.into_iter().partition(|head| !head.names.is_empty());
    for head in &empty {
        let message = format!("{} is empty, it has not even a header", head.path.display());
        let problem = Problem::with("path", message);
        if full.is_empty() && declared.is_empty() {
            return Err(problem.help("declare its `columns:` if an empty file is to count as no rows"));
        }
        warnings.push(problem);
    }
    for head in &full {
        for (old, new) in &head.renamed {
            let what =
                if old.is_empty() { "a column without a name".into() } else { format!("a second column `{old}`") };
            warnings.push(Problem::with("path", format!("{}: {what} is called `{new}`", head.path.display())));
        }
    }
    let Some(first) = full.first() else {
        return Ok(full);
    };
    for other in &full[1..] {
        let lacks = first.names.iter().find(|name| !other.names.contains(name));
        let adds = other.names.iter().find(|name| !first.names.contains(name));
        let (path, first) = (other.path.display(), first.path.display());
        let message = match (lacks, adds) {
            (None, None) => continue,
            (Some(name), _) => format!("{path} has no column `{name}`, but {first} has"),
            (None, Some(name)) => format!("{path} has a column `{name}`, but {first} has not"),
        };
        return Err(Problem::with("path", message)
            .help("read files of different columns as sources of their own and put them together with `union`"));
    }
    Ok(full)
}
