//! What can be wrong with a document.

use super::decode::NotDecodable;
use quick_xml::errors::{Error as ParseError, SyntaxError};
use std::fmt;
use std::sync::Arc;
use towpath_connector::Error;

/// What sort of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XmlErrorKind {
    /// It ends in the middle, or is empty.
    Truncated,
    /// It is not well-formed.
    Malformed,
    /// It uses an entity that XML itself does not define.
    Entity,
    /// Its bytes are not of its encoding, or the encoding is unknown.
    Encoding,
    /// Its outermost element is not the one the records were to be found in.
    Root,
    /// A value from around a record came after the record.
    Late,
    /// A single value or the nesting is beyond the limits.
    Limit,
    /// It could not be read.
    Io,
}

/// Something wrong with a document.
#[derive(Debug, Clone)]
pub struct XmlError {
    /// What sort of thing.
    pub kind: XmlErrorKind,
    /// Where: bytes from the start of the document, after it was turned into UTF-8.
    pub byte_offset: u64,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// The error of the reader, when the kind is [`XmlErrorKind::Io`].
    pub io: Option<Arc<std::io::Error>>,
}

impl XmlError {
    pub(super) fn new(kind: XmlErrorKind, byte_offset: u64, message: impl Into<String>) -> Self {
        Self { kind, byte_offset, message: message.into(), io: None }
    }

    pub(super) fn from_parser(error: ParseError, byte_offset: u64) -> Self {
        let kind = match &error {
            ParseError::Syntax(SyntaxError::InvalidBangMarkup) => XmlErrorKind::Malformed,
            ParseError::Syntax(_) => XmlErrorKind::Truncated,
            _ => XmlErrorKind::Malformed,
        };
        let message = match error {
            ParseError::Syntax(inner) => inner.to_string(),
            ParseError::IllFormed(inner) => inner.to_string(),
            other => other.to_string(),
        };
        Self::new(kind, byte_offset, message)
    }

    pub(super) fn from_io(io: &Arc<std::io::Error>, byte_offset: u64) -> Self {
        let inner = io.get_ref();
        if let Some(stop) = inner.and_then(|inner| inner.downcast_ref::<NotDecodable>()) {
            return Self::new(XmlErrorKind::Encoding, byte_offset, stop.to_string());
        }
        let kind = match io.kind() {
            std::io::ErrorKind::UnexpectedEof => XmlErrorKind::Truncated,
            _ => XmlErrorKind::Io,
        };
        Self { io: Some(Arc::clone(io)), ..Self::new(kind, byte_offset, io.to_string()) }
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            XmlErrorKind::Truncated => "the document ends in the middle",
            XmlErrorKind::Malformed => "not well-formed XML",
            XmlErrorKind::Entity => "an entity that is not expanded",
            XmlErrorKind::Encoding => "wrong encoding",
            XmlErrorKind::Root => "not the expected document",
            XmlErrorKind::Late => "a value came too late",
            XmlErrorKind::Limit => "beyond the limits",
            XmlErrorKind::Io => "cannot be read",
        };
        write!(f, "{what}: {} (at byte {})", self.message, self.byte_offset)
    }
}

impl std::error::Error for XmlError {}

impl From<XmlError> for Error {
    /// As for a file: what is in it will not change by reading it again.
    fn from(error: XmlError) -> Self {
        match &error.io {
            Some(io) if error.kind == XmlErrorKind::Io => Self::from(std::io::Error::new(io.kind(), error.to_string())),
            _ => Self::data(error.to_string()),
        }
    }
}
