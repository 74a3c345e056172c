//! JSON as it is read: whole numbers beyond 64 bits keep their digits.
//!
//! The parser makes floats of them, and digits are gone before anybody can ask for them. So they are put in quotes before
//! it sees them: as a decimal or text such a number is then exact, as an int it is refused, and in JSON it is text.

use std::borrow::Cow;
use std::io::{BufRead, Read};

/// With fewer digits a whole number surely fits.
const FITS: usize = 18;

/// Digits a float keeps apart. Programs that have floats write no more; one that writes more has decimals.
const OF_A_FLOAT: usize = 17;

/// Digits in a row that every number of more than [`OF_A_FLOAT`] has, before or behind its point.
const IN_A_ROW: usize = 9;

/// JSON with whole numbers beyond 64 bits, and fractions of more digits than a float has, in quotes.
pub fn exact_json(text: &[u8]) -> Cow<'_, [u8]> {
    if !has_long_number(text) {
        return Cow::Borrowed(text);
    }
    let mut scan = Scan::default();
    let mut out = Vec::with_capacity(text.len() + 16);
    scan.take(text, &mut out);
    scan.end(&mut out);
    Cow::Owned(out)
}

/// Whether there is a number of more digits than surely fit, or what looks like one. The digits in a row that it has cannot
/// hide between bytes that are no further apart than that.
fn has_long_number(text: &[u8]) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let mut at = IN_A_ROW - 1;
    while let Some(byte) = text.get(at) {
        if byte.is_ascii_digit() {
            let before = text[..at].iter().rev().take_while(is_part).count();
            let behind = text[at..].iter().take_while(is_part).count();
            if before + behind > OF_A_FLOAT {
                return true;
            }
            at += behind;
        }
        at += IN_A_ROW;
    }
    false
}

/// The same of JSON that is read piece by piece.
#[derive(Debug)]
pub struct ExactJson<R> {
    inner: R,
    scan: Scan,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: BufRead> ExactJson<R> {
    /// Reads through another reader.
    pub fn new(inner: R) -> Self {
        Self { inner, scan: Scan::default(), ready: Vec::new(), given: 0, ended: false }
    }
}

impl<R: BufRead> Read for ExactJson<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            self.ready.clear();
            self.given = 0;
            let piece = self.inner.fill_buf()?;
            let length = piece.len();
            self.scan.take(piece, &mut self.ready);
            self.inner.consume(length);
            if length == 0 {
                self.scan.end(&mut self.ready);
                self.ended = true;
            }
        }
        let mut rest = &self.ready[self.given..];
        let count = rest.read(into)?;
        self.given += count;
        Ok(count)
    }
}

/// Where in the text it is.
#[derive(Debug, Default)]
struct Scan {
    in_text: bool,
    escaped: bool,
    /// The number that has begun.
    number: Vec<u8>,
}

impl Scan {
    fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for byte in piece {
            if self.in_text {
                let ends = *byte == b'"' && !self.escaped;
                self.escaped = *byte == b'\\' && !self.escaped;
                self.in_text = !ends;
                out.push(*byte);
            } else if byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E') {
                self.number.push(*byte);
            } else {
                self.end(out);
                self.in_text = *byte == b'"';
                out.push(*byte);
            }
        }
    }

    /// Gives the number that has begun.
    fn end(&mut self, out: &mut Vec<u8>) {
        if is_beyond(&self.number) {
            out.push(b'"');
            out.append(&mut self.number);
            out.push(b'"');
        } else {
            out.append(&mut self.number);
        }
    }
}

/// Whether it is a number, as JSON writes them, of which the parser would lose digits. One with an exponent is a float.
fn is_beyond(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.len() <= OF_A_FLOAT {
        return false;
    }
    let mut parts = digits.split(|byte| *byte == b'.');
    let (whole, fraction) = (parts.next().unwrap_or_default(), parts.next());
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !all_digits(whole) || (whole[0] == b'0' && whole.len() > 1) || parts.next().is_some() {
        return false;
    }
    if let Some(fraction) = fraction {
        let counted = whole.iter().chain(fraction).skip_while(|byte| **byte == b'0').count();
        return all_digits(fraction) && counted > OF_A_FLOAT;
    }
    let text = std::str::from_utf8(number).unwrap_or_default();
    whole.len() > FITS && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let whole = String::from_utf8(exact_json(text.as_bytes()).into_owned()).expect("text");
        for size in [1, 3, 1_000] {
            let mut pieces = String::new();
            let reader = std::io::BufReader::with_capacity(size, text.as_bytes());
            ExactJson::new(reader).read_to_string(&mut pieces).expect("text");
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn only_what_would_lose_digits_is_quoted() {
        assert_eq!(
            of(r#"{"a": 123456789012345678901, "b": [-99999999999999999999999]}"#),
            r#"{"a": "123456789012345678901", "b": ["-99999999999999999999999"]}"#
        );
        for same in [
            r#"{"a":9223372036854775807,"b":-9223372036854775808,"c":18446744073709551615}"#,
            r#"{"a":0.30000000000000004,"b":1e400,"e":1.23456789012345678901e5,"f":0.00000000012345678901234567,"c":"123456789012345678901234","d\"":"\\"}"#,
            "[0, -0, 1.5, true, null]",
            "00000000000000000000000000001",
            "1.2.3456789012345678901",
            "[1234567890123456789.]",
            "",
        ] {
            assert_eq!(of(same), same);
        }
        assert_eq!(
            of("[12345678901234567.89, -0.123456789012345678]"),
            r#"["12345678901234567.89", "-0.123456789012345678"]"#
        );
        assert_eq!(of("123456789012345678901"), r#""123456789012345678901""#);
        assert_eq!(of(r#"{"\"1":12345678901234567890123}"#), r#"{"\"1":"12345678901234567890123"}"#);
    }
}
