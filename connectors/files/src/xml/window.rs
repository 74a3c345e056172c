//! The part of a document that is looked at: a piece of text that moves forward, token by token.
//!
//! A parser is much faster over text that lies in memory than over a reader it must ask for every piece, so the
//! document is read in large windows. A token that does not fit into what is left of a window is moved to the front
//! and read again with what comes behind it; the window grows only for a token longer than three quarters of it, by
//! half, so it is never much larger than twice the longest token. Bytes are checked to be UTF-8 here and nowhere else.

use super::decode::Decoded;
use super::error::{XmlError, XmlErrorKind};
use std::io::{BufRead, ErrorKind, Read};
use std::sync::Arc;

/// Why there is nothing behind the bytes that are here.
enum Stop {
    End,
    Failed(Arc<std::io::Error>),
}

/// A window onto a document.
pub(super) struct Window<R> {
    reader: Decoded<R>,
    /// As long as the window; `start..end` is read and not yet taken.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the document before `start`.
    offset: u64,
    /// The longest token.
    limit: usize,
    stop: Option<Stop>,
}

/// What is in a window.
pub(super) struct View<'w> {
    /// Text that was not yet taken.
    pub(super) text: &'w str,
    /// Nothing comes behind it.
    pub(super) last: bool,
}

impl<R: BufRead> Window<R> {
    pub(super) fn new(reader: Decoded<R>, size: usize, limit: usize) -> Self {
        Self { reader, bytes: vec![0; size.max(1)], start: 0, end: 0, offset: 0, limit, stop: None }
    }

    /// Bytes of the document taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The text that is here: without a character whose bytes are not all here, and up to the first that is none.
    pub(super) fn view(&self) -> View<'_> {
        let bytes = &self.bytes[self.start..self.end];
        let last = matches!(self.stop, Some(Stop::End));
        match std::str::from_utf8(bytes) {
            Ok(text) => View { text, last },
            Err(error) => {
                let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                View { text, last: false }
            }
        }
    }

    /// Moves forward by whole tokens.
    #[inline]
    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads on, because the token at the front is not here as a whole; `seen` is how much of the text is.
    ///
    /// # Errors
    /// The token is too long, it has bytes that are not UTF-8, or the rest cannot be read.
    pub(super) fn extend(&mut self, seen: usize) -> Result<(), XmlError> {
        if seen > self.limit {
            return Err(too_long(self.limit, self.offset));
        }
        let broken = std::str::from_utf8(&self.bytes[self.start + seen..self.end]).err();
        match (&self.stop, broken) {
            (_, Some(error)) if error.error_len().is_some() => return Err(not_utf8(self.offset)),
            (Some(Stop::Failed(error)), _) => return Err(XmlError::from_io(error, self.offset)),
            // A character is cut off by the end of the document.
            (Some(Stop::End), _) => return Err(not_utf8(self.offset)),
            (None, _) => {}
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let size = self.bytes.len();
        if self.end >= size - size / 4 {
            let more = size / 2 + 1;
            self.bytes.reserve_exact(more);
            self.bytes.resize(size + more, 0);
        }
        self.fill();
        Ok(())
    }

    /// What cannot be read is said when it is needed: what comes before it may be wrong already.
    fn fill(&mut self) {
        while self.end < self.bytes.len() && self.stop.is_none() {
            match self.reader.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.stop = Some(Stop::End),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.stop = Some(Stop::Failed(Arc::new(error))),
            }
        }
    }
}

/// A token is longer than allowed.
pub(super) fn too_long(limit: usize, offset: u64) -> XmlError {
    let message = format!("one tag or piece of text is longer than {limit} bytes");
    XmlError::new(XmlErrorKind::Limit, offset, message)
}

fn not_utf8(offset: u64) -> XmlError {
    let message = "bytes that are not UTF-8, which is the encoding of a document that declares no other";
    XmlError::new(XmlErrorKind::Encoding, offset, message)
}
