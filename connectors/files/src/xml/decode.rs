//! Bytes of any declared encoding as UTF-8.
//!
//! UTF-8 passes through untouched (whoever reads it checks it); everything else goes through a streaming decoder. The
//! encoding is that of the byte order mark, else the one given by the transport, else the declared one, else UTF-8.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{BufRead, Read, Result};

/// How far into the document the declaration is looked for.
const HEAD: usize = 512;

/// How much is decoded at a time.
const PIECE: usize = 64 * 1024;

/// The bytes are not what the encoding says.
#[derive(Debug)]
pub(super) struct NotDecodable(String);

impl std::fmt::Display for NotDecodable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotDecodable {}

enum State {
    Unread,
    Plain,
    Decoding { decoder: Decoder, ended: bool },
}

/// A reader that gives UTF-8.
pub(super) struct Decoded<R> {
    inner: R,
    charset: Option<String>,
    state: State,
    /// Nothing stands between the parser and the reader any more.
    direct: bool,
    /// What was read ahead (plain) or is decoded and not yet taken.
    ahead: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(inner: R, charset: Option<String>) -> Self {
        Self { inner, charset, state: State::Unread, direct: false, ahead: Vec::new(), at: 0 }
    }

    fn open(&mut self) -> Result<()> {
        let mut head = Vec::with_capacity(HEAD);
        while head.len() < HEAD && !head.windows(2).any(|pair| pair == b"?>") {
            let bytes = self.inner.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let some = bytes.len().min(HEAD - head.len());
            head.extend_from_slice(&bytes[..some]);
            self.inner.consume(some);
        }
        let (encoding, mark) = self.encoding(&head)?;
        if encoding == UTF_8 {
            self.state = State::Plain;
            self.ahead = head;
            self.at = mark;
        } else {
            let mut decoder = encoding.new_decoder_without_bom_handling();
            decode(&mut decoder, &head[mark..], false, &mut self.ahead)?;
            self.state = State::Decoding { decoder, ended: false };
        }
        Ok(())
    }

    fn encoding(&self, head: &[u8]) -> Result<(&'static Encoding, usize)> {
        if let Some(found) = Encoding::for_bom(head) {
            return Ok(found);
        }
        if head.starts_with(b"<\0?\0") {
            return Ok((UTF_16LE, 0));
        }
        if head.starts_with(b"\0<\0?") {
            return Ok((UTF_16BE, 0));
        }
        let declared = self.charset.clone().or_else(|| declared(head));
        let Some(label) = declared else {
            return Ok((UTF_8, 0));
        };
        match Encoding::for_label(label.as_bytes()) {
            // The declaration could be read byte by byte, so it is not true.
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok((UTF_8, 0)),
            Some(encoding) => Ok((encoding, 0)),
            None => Err(std::io::Error::other(NotDecodable(format!("unknown encoding `{label}`")))),
        }
    }
}

/// The encoding in an XML declaration.
fn declared(head: &[u8]) -> Option<String> {
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let text = std::str::from_utf8(&head[..end]).ok()?;
    let text = text.trim_start().strip_prefix("<?xml")?;
    let rest = text[text.find("encoding")? + "encoding".len()..].trim_start();
    let rest = rest.strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let rest = &rest[1..];
    Some(rest[..rest.find(quote)?].to_owned())
}

/// Decodes all of `bytes` behind what is in `out`.
fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
    loop {
        let start = out.len();
        out.resize(start + PIECE, 0);
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut out[start..], last);
        out.truncate(start + written);
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return Ok(()),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                return Err(std::io::Error::other(NotDecodable(format!(
                    "bytes that are not {}",
                    decoder.encoding().name()
                ))));
            }
        }
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    #[inline]
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.direct {
            return self.inner.fill_buf();
        }
        self.fill_slowly()
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        if self.direct {
            self.inner.consume(amount);
        } else {
            self.at += amount;
        }
    }
}

impl<R: BufRead> Decoded<R> {
    /// What was read ahead or is to be decoded.
    #[cold]
    fn fill_slowly(&mut self) -> Result<&[u8]> {
        if let State::Unread = self.state {
            self.open()?;
        }
        if self.at == self.ahead.len() {
            if let State::Plain = self.state {
                self.direct = true;
                return self.inner.fill_buf();
            }
            self.ahead.clear();
            self.at = 0;
        }
        while self.ahead.is_empty() {
            let State::Decoding { decoder, ended } = &mut self.state else {
                break;
            };
            if *ended {
                break;
            }
            let bytes = self.inner.fill_buf()?;
            let some = bytes.len().min(PIECE);
            *ended = some == 0;
            decode(decoder, &bytes[..some], *ended, &mut self.ahead)?;
            self.inner.consume(some);
        }
        Ok(&self.ahead[self.at..])
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.direct {
            // A reader may put the bytes where they are wanted, past its own buffer.
            return self.inner.read(out);
        }
        let bytes = self.fill_buf()?;
        let some = bytes.len().min(out.len());
        out[..some].copy_from_slice(&bytes[..some]);
        self.consume(some);
        Ok(some)
    }
}

/// The text of a reader in a named encoding as UTF-8, without a byte order mark.
pub(crate) fn decoding<R: BufRead>(inner: R, encoding: &'static Encoding) -> impl BufRead {
    Decoded {
        state: State::Decoding { decoder: encoding.new_decoder_with_bom_removal(), ended: false },
        ..Decoded::new(inner, None)
    }
}
