//! Batches of records, read from front to back.

use super::columns::Columns;
use super::decode::Decoded;
use super::error::{XmlError, XmlErrorKind};
use super::selector::Selector;
use super::walk::{Fail, Walk};
use polars::prelude::DataFrame;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use std::io::BufRead;
use std::sync::Arc;

/// What a document may ask of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest value, tag or comment, in bytes.
    pub max_value: usize,
    /// How deep elements may be nested.
    pub max_depth: usize,
    /// Bytes of text after which a batch is given out though it has fewer rows than asked for.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_value: 256 << 20, max_depth: 10_000, batch_bytes: 32 << 20 }
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
    reader: Reader<Decoded<R>>,
    walk: Walk,
    event: Vec<u8>,
    limits: Limits,
    ended: bool,
}

impl<R: BufRead> Records<R> {
    /// The records of a document whose encoding is in its byte order mark or declaration, else UTF-8.
    pub fn new(selector: Arc<Selector>, reader: R, limits: Limits) -> Self {
        Self::with_charset(selector, reader, limits, None)
    }

    /// The same, with the encoding the transport gave (`charset` of a content type): it wins over the declaration.
    pub fn with_charset(selector: Arc<Selector>, reader: R, limits: Limits, charset: Option<String>) -> Self {
        let decoded = Decoded::new(reader, charset, limits.max_value as u64);
        Self {
            walk: Walk::new(&selector, limits.max_depth, limits.max_value),
            selector,
            reader: Reader::from_reader(decoded),
            event: Vec::new(),
            limits,
            ended: false,
        }
    }

    /// Up to `max_rows` further records; `None` at the end of the document. A batch is never empty.
    ///
    /// # Errors
    /// The document cannot be read any further.
    pub fn next_batch(&mut self, max_rows: usize) -> Result<Option<XmlBatch>, XmlError> {
        let mut columns = Columns::new(&self.selector.columns);
        while !self.ended && columns.rows() < max_rows && columns.bytes() < self.limits.batch_bytes {
            self.event(&mut columns)?;
        }
        if columns.rows() == 0 {
            return Ok(None);
        }
        let bytes_read = self.reader.buffer_position();
        let frame =
            columns.finish().map_err(|error| XmlError::new(XmlErrorKind::Limit, bytes_read, error.to_string()))?;
        Ok(Some(XmlBatch { frame, bytes_read }))
    }

    #[inline]
    fn event(&mut self, columns: &mut Columns) -> Result<(), XmlError> {
        self.event.clear();
        self.reader.get_mut().event();
        let before = self.reader.buffer_position();
        // Looked at where it is: an event is larger than what is done with most of them.
        let event = self.reader.read_event_into(&mut self.event);
        let (walk, selector) = (&mut self.walk, &*self.selector);
        let done = match &event {
            Ok(Event::Text(text)) if walk.is_capturing() => walk.text(&text.xml10_content()),
            Ok(Event::Text(text)) => outside(walk, text),
            Ok(Event::Start(tag)) => walk.start(selector, tag),
            Ok(Event::End(_)) => walk.end(selector, columns),
            Ok(Event::Empty(tag)) => match walk.start(selector, tag) {
                Ok(()) => walk.end(selector, columns),
                failed => failed,
            },
            Ok(Event::CData(text)) if walk.is_outside() => outside(walk, text),
            Ok(Event::CData(text)) => walk.text(&text.xml10_content()),
            Ok(Event::GeneralRef(reference)) => refer(walk, reference),
            Ok(Event::Eof) => {
                self.ended = true;
                end(walk)
            }
            Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_)) => Ok(()),
            Err(error) => {
                let error = error.clone();
                let at = self.reader.error_position().max(before);
                return Err(XmlError::from_parser(error, at));
            }
        };
        done.map_err(|(kind, message)| XmlError::new(kind, before, message))
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
