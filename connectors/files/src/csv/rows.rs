//! Reading line by line: any encoding, compressed, with rows of the wrong shape put aside.

use super::Known;
use super::head::{self, Head};
use super::options::Options;
use super::shape::{self, Flaw};
use crate::extract::{BATCH_BYTES, BATCH_ROWS, Batches};
use crate::open::{self, io_error};
use crate::xml::decoding;
use encoding_rs::UTF_8;
use polars::prelude::{Column, DataFrame, IntoSeries, StringChunkedBuilder};
use serde_json::Value as Json;
use std::io::BufRead;
use std::ops::Range;
use towpath_connector::{Chunk, Error, Record, RejectedRow, Result};

/// The longest row.
const LONGEST: usize = 256 << 20;

/// Reads all files.
pub(super) fn read(known: &Known, batches: &Batches) -> Result<()> {
    for head in &known.heads {
        if !File::open(known, head)?.read(batches)? {
            break;
        }
    }
    Ok(())
}

struct File<'a> {
    known: &'a Known,
    head: &'a Head,
    reader: Box<dyn BufRead + Send>,
    line: u64,
    /// For each column of the schema its place in the file.
    places: Vec<usize>,
}

/// A row as it stands in the file.
#[derive(Default)]
struct Row {
    line: u64,
    raw: Vec<u8>,
    fields: Vec<(Range<usize>, bool)>,
    /// Text behind a closing quote.
    odd: bool,
    /// Where the field begins that is not closed yet, and where to look on for its end.
    open: Option<(usize, usize)>,
}

impl<'a> File<'a> {
    fn open(known: &'a Known, head: &'a Head) -> Result<Self> {
        let mut reader = open::open(&head.path)?;
        if known.options.encoding != UTF_8 {
            reader = Box::new(decoding(reader, known.options.encoding));
        }
        let io = |error| io_error(&head.path, error);
        if reader.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        head::skip(&mut reader, known.options.skip_rows, head.line_end).map_err(io)?;
        let place = |name: &str| head.names.iter().position(|other| other == name);
        let places = known.schema.names().filter_map(place).collect();
        Ok(Self { known, head, reader, line: 0, places })
    }

    /// All rows; false when nobody wants more.
    fn read(mut self, batches: &Batches) -> Result<bool> {
        let mut row = Row::default();
        if self.known.options.header {
            self.next(&mut row)?;
        }
        let mut more = true;
        while more {
            let mut builders: Vec<_> =
                self.known.schema.names().map(|name| StringChunkedBuilder::new(name.into(), 1024)).collect();
            let (mut rows, mut bytes, mut rejects) = (0, 0, Vec::new());
            while rows + rejects.len() < BATCH_ROWS && bytes < BATCH_BYTES {
                more = self.next(&mut row)?;
                if !more {
                    break;
                }
                bytes += row.raw.len();
                match self.take(&mut row, &mut builders)? {
                    None => rows += 1,
                    Some(reject) => rejects.push(reject),
                }
            }
            let columns = builders.into_iter().map(|builder| Column::from(builder.finish().into_series())).collect();
            let chunk = Chunk { frame: DataFrame::new(rows, columns)?, rejects, position: None };
            if (chunk.frame.height() > 0 || !chunk.rejects.is_empty()) && !batches.send(chunk) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a row into the columns, or says why not.
    fn take(&self, row: &mut Row, builders: &mut [StringChunkedBuilder]) -> Result<Option<RejectedRow>> {
        let options = &self.known.options;
        let columns = self.head.names.len();
        let text = std::str::from_utf8(&row.raw);
        let flaw = match &text {
            Err(_) => Some(Flaw::Encoding { line: row.line }),
            Ok(_) if row.odd => Some(Flaw::Quote { line: row.line }),
            Ok(_) if row.fields.len() != columns => Some(Flaw::Ragged { line: row.line, fields: row.fields.len() }),
            Ok(_) => None,
        };
        if let Some(flaw) = flaw {
            let error = shape::error(&self.head.path, options, columns, &flaw);
            return if options.reject_ragged { Ok(Some(self.reject(row, error.message))) } else { Err(error) };
        }
        let text = text.unwrap_or_default();
        for (builder, place) in builders.iter_mut().zip(&self.places) {
            let (range, quoted) = row.fields[*place].clone();
            let field = &text[range];
            let null = (field.is_empty() && !quoted) || options.null_values.iter().any(|value| value == field);
            match (null, quoted && options.quote.is_some_and(|quote| field.as_bytes().contains(&quote))) {
                (true, _) => builder.append_null(),
                (false, false) => builder.append_value(field),
                (false, true) => builder.append_value(unquoted(field, options)),
            }
        }
        Ok(None)
    }

    fn reject(&self, row: &Row, reason: String) -> RejectedRow {
        let mut record = Record::new();
        for (at, (range, _)) in row.fields.iter().enumerate() {
            let name = self.head.names.get(at).cloned().unwrap_or_else(|| format!("column_{}", at + 1));
            let text = String::from_utf8_lossy(&row.raw[range.clone()]);
            record.insert(name, Json::from(unquoted(&text, &self.known.options)));
        }
        RejectedRow { row: record, field: None, value: None, reason }
    }

    /// The next row that is neither empty nor a comment.
    fn next(&mut self, row: &mut Row) -> Result<bool> {
        loop {
            row.raw.clear();
            row.fields.clear();
            row.odd = false;
            row.open = None;
            row.line = self.line + 1;
            if !self.line(row)? {
                return Ok(false);
            }
            let options = &self.known.options;
            let line = line_of(&row.raw);
            if options.is_comment(line) || (line.is_empty() && self.head.names.len() > 1) {
                continue;
            }
            while !split(row, options) {
                if row.raw.len() > LONGEST {
                    let message =
                        format!("{}, line {}: the row is longer than 256 MB", self.head.path.display(), row.line);
                    return Err(Error::data(message).help("a quote is perhaps opened and never closed; see `quote:`"));
                }
                if !self.line(row)? {
                    let flaw = Flaw::Open { line: row.line };
                    return Err(shape::error(&self.head.path, options, self.head.names.len(), &flaw));
                }
            }
            return Ok(true);
        }
    }

    fn line(&mut self, row: &mut Row) -> Result<bool> {
        let read = self.reader.read_until(self.head.line_end, &mut row.raw);
        let count = read.map_err(|error| {
            let help = "check `encoding:`, and whether the file is whole";
            Error::data(format!("{}, line {}: {error}", self.head.path.display(), self.line + 1)).help(help)
        })?;
        self.line += u64::from(count > 0);
        Ok(count > 0)
    }
}

fn line_of(raw: &[u8]) -> &[u8] {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

fn unquoted(field: &str, options: &Options) -> String {
    let quote = char::from(options.quote.unwrap_or(b'"'));
    field.replace(&format!("{quote}{quote}"), &quote.to_string())
}

/// Splits a row into fields; false when it goes on in the next line, and then it can be asked again.
fn split(row: &mut Row, options: &Options) -> bool {
    let line = line_of(&row.raw);
    let (mut start, mut open) = row.open.take().map_or((0, None), |(start, scan)| (start, Some(scan)));
    loop {
        let quoted = options.quote.filter(|quote| line.get(start) == Some(quote));
        let from = if let Some(quote) = quoted {
            let Some(end) = closing(&row.raw, open.take().unwrap_or(start + 1), quote) else {
                row.open = Some((start, row.raw.len()));
                return false;
            };
            row.fields.push((start + 1..end, true));
            end + 1
        } else {
            start
        };
        let end = memchr::memchr(options.delimiter, &line[from..]).map_or(line.len(), |gap| from + gap);
        if quoted.is_none() {
            row.fields.push((start..end, false));
        } else {
            row.odd |= end > from;
        }
        if end == line.len() {
            return true;
        }
        start = end + 1;
    }
}

/// The quote that closes a field.
fn closing(raw: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        at += memchr::memchr(quote, &raw[at..])?;
        if raw.get(at + 1) != Some(&quote) {
            return Some(at);
        }
        at += 2;
    }
}
