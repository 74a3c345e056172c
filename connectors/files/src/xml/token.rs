//! The tokens of a document, found in text that lies in memory.
//!
//! What documents are made of nearly all of the time (text, tags and their ends) is recognised here, by the rules of
//! the parser and with as little work as they allow; everything else, and everything that is wrong, is left to the
//! parser itself, for one token.

use quick_xml::Reader;
use quick_xml::errors::{Error as ParseError, IllFormedError};
use quick_xml::events::{BytesStart, Event};

/// What is between `<` and `>` of a tag, without the `/` of one that is empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'t> {
    content: &'t str,
    name: Name,
}

/// Where the name in a tag begins without its prefix, and where it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    local: usize,
    end: usize,
}

impl<'t> Tag<'t> {
    #[inline]
    pub(super) fn new(content: &'t str, name: Name) -> Self {
        Self { content, name }
    }

    /// The name as written.
    #[inline]
    pub(super) fn name(&self) -> &'t str {
        &self.content[..self.name.end]
    }

    /// The name without its prefix.
    #[inline]
    pub(super) fn local_name(&self) -> &'t str {
        &self.content[self.name.local..self.name.end]
    }

    /// As the parser has it.
    pub(super) fn parsed(&self) -> BytesStart<'t> {
        BytesStart::from_content(self.content, self.name.end)
    }
}

/// What stands at the front of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    Text,
    Start,
    Empty,
    /// The end of the innermost element.
    End,
    /// Something the parser must look at.
    Other,
    /// Text whose end is not here.
    Cut,
}

/// What the parser found at the front of a text.
pub(super) enum Parsed<'t> {
    /// The end of the innermost element, and the token's length.
    End(usize),
    /// What is neither text nor a tag, and its length.
    Event(Event<'t>, usize),
    /// A token whose end is not in the text.
    Cut,
    /// Nothing that can be: what, after how many bytes, and how long the token is.
    Wrong(ParseError, u64, usize),
}

/// The names of the elements that are open.
#[derive(Debug, Default)]
pub(super) struct OpenNames {
    all: String,
    starts: Vec<usize>,
}

impl OpenNames {
    #[inline]
    pub(super) fn open(&mut self, name: &str) {
        self.starts.push(self.all.len());
        self.all.push_str(name);
    }

    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.all.truncate(start);
        }
    }

    #[inline]
    fn innermost(&self) -> Option<&str> {
        self.starts.last().map(|start| &self.all[*start..])
    }
}

/// The token at the front of a text that is not empty, its length, and the name when it is a tag; `last` when nothing
/// comes behind the text.
///
/// A few words and no more: this is asked for every token.
#[inline]
pub(super) fn front(text: &str, last: bool, open: &OpenNames) -> (Front, usize, Name) {
    let bytes = text.as_bytes();
    let none = Name { local: 0, end: 0 };
    match (bytes[0], bytes.get(1)) {
        (b'<', Some(b'/')) => {
            if let Some(name) = open.innermost()
                && let Some(rest) = bytes[2..].strip_prefix(name.as_bytes())
                && rest.first() == Some(&b'>')
            {
                return (Front::End, name.len() + 3, none);
            }
            (Front::Other, 0, none)
        }
        (b'<', Some(b'!' | b'?') | None) | (b'&', _) => (Front::Other, 0, none),
        (b'<', Some(_)) => match tag(&bytes[1..]) {
            Some((end, true, name)) => (Front::Empty, end + 2, name),
            Some((end, false, name)) => (Front::Start, end + 2, name),
            None => (Front::Other, 0, none),
        },
        _ => match memchr::memchr2(b'<', b'&', bytes) {
            Some(end) => (Front::Text, end, none),
            None if last => (Front::Text, text.len(), none),
            None => (Front::Cut, 0, none),
        },
    }
}

/// A tag from behind its `<`: its length up to the `>`, whether it is empty, and its name.
#[inline]
fn tag(bytes: &[u8]) -> Option<(usize, bool, Name)> {
    let (mut local, mut at) = (0, 0);
    loop {
        match *bytes.get(at)? {
            // Most tags are nothing but a name.
            b'>' => {
                let empty = at > 0 && bytes[at - 1] == b'/';
                return Some((at, empty, Name { local, end: at - usize::from(empty) }));
            }
            b' ' | b'\t' | b'\r' | b'\n' => break,
            b'"' | b'\'' => return odd_tag(bytes),
            b':' if local == 0 => local = at + 1,
            _ => {}
        }
        at += 1;
    }
    let end = tag_end(bytes, at)?;
    Some((end, bytes[end - 1] == b'/', Name { local, end: at }))
}

/// The same for one with quotes in its name, which can be no name; but that is not for this module to say.
#[cold]
fn odd_tag(bytes: &[u8]) -> Option<(usize, bool, Name)> {
    let end = tag_end(bytes, 0)?;
    let empty = bytes[end - 1] == b'/';
    let content = &bytes[..end - usize::from(empty)];
    let name = content.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    let name = &content[..name.unwrap_or(content.len())];
    let local = name.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1);
    Some((end, empty, Name { local, end: name.len() }))
}

/// Where the `>` of a tag is: not in an attribute.
#[inline]
fn tag_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        if bytes[at] == b'>' {
            return Some(at);
        }
        at += memchr::memchr(bytes[at], &bytes[at + 1..])? + 2;
    }
}

/// The token at the front as the parser sees it.
#[cold]
pub(super) fn parsed<'t>(text: &'t str, last: bool, open: &OpenNames) -> Parsed<'t> {
    let mut reader = Reader::from_str(text);
    // One token alone: what it closes is known here.
    reader.config_mut().allow_unmatched_ends = true;
    let event = reader.read_event();
    let length = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
    match event {
        // The parser takes what it could not find the end of as a whole; the shortest token has three bytes.
        Err(_) if !last && (length == text.len() || text.len() < 3) => Parsed::Cut,
        Err(error) => Parsed::Wrong(error, reader.error_position(), length),
        Ok(Event::End(tag)) => match (tag.name().as_ref(), open.innermost()) {
            (found, Some(expected)) if found == expected => Parsed::End(length),
            (found, expected) => Parsed::Wrong(ParseError::IllFormed(unmatched(found, expected)), 0, length),
        },
        Ok(event) => Parsed::Event(event, length),
    }
}

fn unmatched(found: &str, expected: Option<&str>) -> IllFormedError {
    let found = found.to_owned();
    match expected {
        Some(expected) => IllFormedError::MismatchedEndTag { expected: expected.to_owned(), found },
        None => IllFormedError::UnmatchedEndTag(found),
    }
}
