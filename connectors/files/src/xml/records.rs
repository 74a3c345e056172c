//! Batches of records, read from front to back.

use super::columns::Columns;
use super::decode::Decoded;
use super::error::{XmlError, XmlErrorKind};
use super::selector::Selector;
use super::token::{Front, OpenNames, Parsed, Tag, front, parsed};
use super::walk::{Fail, Walk};
use super::window::{Window, too_long};
use polars::prelude::DataFrame;
use quick_xml::events::{BytesRef, BytesText, Event};
use std::io::BufRead;
use std::sync::Arc;

/// Bytes of a document looked at at a time: what fits into the cache of a core.
const WINDOW: usize = 256 << 10;

/// Rows room is made for when nothing is known yet.
const ROOM: usize = 1024;

/// What a document may ask of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest value, tag or comment, in bytes.
    pub max_value: usize,
    /// How deep elements may be nested.
    pub max_depth: usize,
    /// Bytes of text after which a batch is given out though it has fewer rows than asked for.
    pub batch_bytes: usize,
    /// Bytes of the document that are looked at at a time; more when a single value, tag or comment is longer.
    pub window: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_value: 256 << 20, max_depth: 10_000, batch_bytes: 32 << 20, window: WINDOW }
    }
}

/// Some records.
#[derive(Debug)]
pub struct XmlBatch {
    /// One row a record: columns of text, or lists of text, as the selector has them.
    pub frame: DataFrame,
    /// Bytes of the document read so far, after it was turned into UTF-8.
    pub bytes_read: u64,
}

/// The records of one document.
pub struct Records<R: BufRead> {
    selector: Arc<Selector>,
    window: Window<R>,
    open: OpenNames,
    walk: Walk,
    limits: Limits,
    /// Rows of the batch before.
    room: usize,
    ended: bool,
}

/// Where the tokens of a window stop.
enum Pause {
    /// The batch is complete.
    Full,
    /// The next token is not there as a whole; so much of it is.
    Cut(usize),
    /// The document ends.
    End,
}

impl<R: BufRead> Records<R> {
    /// The records of a document whose encoding is in its byte order mark or declaration, else UTF-8.
    pub fn new(selector: Arc<Selector>, reader: R, limits: Limits) -> Self {
        Self::with_charset(selector, reader, limits, None)
    }

    /// The same, with the encoding the transport gave (`charset` of a content type): it wins over the declaration.
    pub fn with_charset(selector: Arc<Selector>, reader: R, limits: Limits, charset: Option<String>) -> Self {
        Self {
            walk: Walk::new(&selector, limits.max_depth, limits.max_value),
            selector,
            window: Window::new(Decoded::new(reader, charset), limits.window, limits.max_value),
            open: OpenNames::default(),
            limits,
            room: ROOM,
            ended: false,
        }
    }

    /// Up to `max_rows` further records; `None` at the end of the document. A batch is never empty.
    ///
    /// # Errors
    /// The document cannot be read any further; nothing comes after that.
    pub fn next_batch(&mut self, max_rows: usize) -> Result<Option<XmlBatch>, XmlError> {
        let batch = self.batch(max_rows);
        self.ended |= batch.is_err();
        batch
    }

    fn batch(&mut self, max_rows: usize) -> Result<Option<XmlBatch>, XmlError> {
        let mut columns = Columns::new(&self.selector.columns, self.room.min(max_rows));
        while !self.ended {
            match self.tokens(&mut columns, max_rows)? {
                Pause::Full => break,
                Pause::Cut(seen) => self.window.extend(seen)?,
                Pause::End => self.ended = true,
            }
        }
        if columns.rows() == 0 {
            return Ok(None);
        }
        self.room = columns.rows();
        let bytes_read = self.window.offset();
        let frame =
            columns.finish().map_err(|error| XmlError::new(XmlErrorKind::Limit, bytes_read, error.to_string()))?;
        Ok(Some(XmlBatch { frame, bytes_read }))
    }

    /// Takes the tokens of the window.
    fn tokens(&mut self, columns: &mut Columns, max_rows: usize) -> Result<Pause, XmlError> {
        let view = self.window.view();
        let (selector, walk, limits) = (&*self.selector, &mut self.walk, &self.limits);
        let mut rest = view.text;
        let offset = |rest: &str| self.window.offset() + (view.text.len() - rest.len()) as u64;
        let pause = loop {
            if rest.is_empty() {
                break if view.last { Pause::End } else { Pause::Cut(0) };
            }
            let (token, mut length, name) = front(rest, view.last, &self.open);
            if length > limits.max_value {
                return Err(too_long(limits.max_value, offset(rest)));
            }
            let done = match token {
                Front::Text if walk.is_capturing() => {
                    walk.text(&BytesText::from_escaped(&rest[..length]).xml10_content())
                }
                Front::Text => outside(walk, &rest[..length]),
                Front::Start => {
                    let tag = Tag::new(&rest[1..length - 1], name);
                    self.open.open(tag.name());
                    walk.start(selector, tag)
                }
                Front::End => {
                    self.open.close();
                    walk.end(selector, columns)
                }
                Front::Empty => match walk.start(selector, Tag::new(&rest[1..length - 2], name)) {
                    Ok(()) => walk.end(selector, columns),
                    failed => failed,
                },
                Front::Cut => break Pause::Cut(rest.len()),
                Front::Other => {
                    let parsed = parsed(rest, view.last, &self.open);
                    length = match &parsed {
                        Parsed::End(length) | Parsed::Event(_, length) | Parsed::Wrong(.., length) => *length,
                        Parsed::Cut => break Pause::Cut(rest.len()),
                    };
                    if length > limits.max_value {
                        return Err(too_long(limits.max_value, offset(rest)));
                    }
                    match parsed {
                        Parsed::Wrong(error, at, _) => return Err(XmlError::from_parser(error, offset(rest) + at)),
                        Parsed::Event(event, _) => other(walk, &event),
                        _ => {
                            self.open.close();
                            walk.end(selector, columns)
                        }
                    }
                }
            };
            done.map_err(|(kind, message)| XmlError::new(kind, offset(rest), message))?;
            rest = &rest[length..];
            if columns.rows() >= max_rows || columns.bytes() >= limits.batch_bytes {
                break Pause::Full;
            }
        };
        let taken = view.text.len() - rest.len();
        self.window.take(taken);
        if let Pause::End = pause {
            let offset = self.window.offset();
            end(&self.walk).map_err(|(kind, message)| XmlError::new(kind, offset, message))?;
        }
        Ok(pause)
    }
}

/// A token that is neither text nor a tag.
fn other(walk: &mut Walk, event: &Event<'_>) -> Result<(), Fail> {
    match event {
        Event::CData(text) if walk.is_outside() => outside(walk, text),
        Event::CData(text) => walk.text(&text.xml10_content()),
        Event::GeneralRef(reference) => refer(walk, reference),
        _ => Ok(()),
    }
}

/// Only white space can stand outside the outermost element.
#[inline]
fn outside(walk: &Walk, text: &str) -> Result<(), Fail> {
    if walk.is_outside() && !text.trim_ascii().is_empty() {
        let start: String = text.trim_ascii().chars().take(40).collect();
        return Err((XmlErrorKind::Malformed, format!("text outside the outermost element: `{start}`")));
    }
    Ok(())
}

fn end(walk: &Walk) -> Result<(), Fail> {
    let message = match (walk.has_root(), walk.is_outside()) {
        (false, _) => "there is no element in it",
        (true, false) => "elements are still open",
        (true, true) => return Ok(()),
    };
    Err((XmlErrorKind::Truncated, message.to_owned()))
}

fn refer(walk: &mut Walk, reference: &BytesRef<'_>) -> Result<(), Fail> {
    let text = match &**reference {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        name if name.starts_with('#') => {
            let found = reference.resolve_char_ref();
            let character = found.map_err(|error| (XmlErrorKind::Malformed, error.to_string()))?.unwrap_or_default();
            return walk.text(character.encode_utf8(&mut [0; 4]));
        }
        name => {
            return Err((
                XmlErrorKind::Entity,
                format!("`&{name};`; only the five of XML itself and numbers are known"),
            ));
        }
    };
    walk.text(text)
}
