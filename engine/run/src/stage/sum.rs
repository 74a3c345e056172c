//! What tells whether a file is as it was written: a sum of its bytes, kept where it is named.
//!
//! Against disks that forget and bits that turn, not against people: whoever may write here may write both.

use data_encoding::HEXLOWER;
use std::io::{Read, Write};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Writes on, and sums up what it wrote.
pub(super) struct Summed<W> {
    out: W,
    sum: Xxh3,
}

impl<W> Summed<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, sum: Xxh3::new() }
    }

    /// The sum of everything so far.
    pub(super) fn sum(&self) -> String {
        shown(self.sum.digest128())
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The sum of all that can be read.
pub(super) fn of(mut from: impl Read) -> std::io::Result<String> {
    let mut sum = Xxh3::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(shown(sum.digest128())),
            read => sum.update(&piece[..read]),
        }
    }
}

/// A text with its sum in a line behind it.
pub(super) fn sealed(mut text: Vec<u8>) -> Vec<u8> {
    let sum = shown(xxh3_128(&text));
    text.push(b'\n');
    text.extend_from_slice(sum.as_bytes());
    text
}

/// The text of what was [`sealed`]; none when it is not as it was.
pub(super) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let (text, sum) = (&bytes[..at], &bytes[at + 1..]);
    (sum == shown(xxh3_128(text)).as_bytes()).then_some(text)
}

fn shown(sum: u128) -> String {
    HEXLOWER.encode(&sum.to_be_bytes())
}
