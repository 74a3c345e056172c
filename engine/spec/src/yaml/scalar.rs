//! What an unquoted scalar means: YAML 1.2's core rules, minus everything that would change what was written.
//!
//! Numbers that a 64-bit number cannot hold to the last digit, numbers with leading zeros (telephone numbers, codes)
//! and `.inf`/`.nan` stay the text they are. `yes`, `no`, `on`, `off` are text.

use crate::document::Scalar;
use crate::source_text::{Span, Style, Text};

/// Digits a 64-bit floating point number holds whatever they are.
const FLOAT_DIGITS: usize = 17;

/// Reads a plain scalar.
pub(super) fn resolve(written: &str, span: Span) -> Scalar {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        _ => {}
    }
    let text = || Scalar::Text(Text { value: written.to_owned(), span, style: Style::Plain });
    let unsigned = written.strip_prefix(['+', '-']).unwrap_or(written);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return text();
    }
    integer(written, unsigned)
        .map(Scalar::Int)
        .or_else(|| float(written, unsigned).map(Scalar::Float))
        .unwrap_or_else(text)
}

fn integer(written: &str, unsigned: &str) -> Option<i64> {
    if let Some(digits) = written.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-']));
    }
    if let Some(digits) = written.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with(['+', '-']));
    }
    let decimal = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if decimal && (unsigned == "0" || !unsigned.starts_with('0')) { written.parse().ok() } else { None }
}

fn float(written: &str, unsigned: &str) -> Option<f64> {
    let mantissa = unsigned.split(['e', 'E']).next()?;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let whole = mantissa.split('.').next()?;
    let plain = unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let is_integer = mantissa.len() == unsigned.len() && !unsigned.contains('.');
    if !plain || is_integer || digits == 0 || digits > FLOAT_DIGITS || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    written.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Scalar {
        resolve(written, Span::default())
    }

    #[test]
    fn core_scalars_have_their_type() {
        assert_eq!(read(""), Scalar::Null);
        assert_eq!(read("~"), Scalar::Null);
        assert_eq!(read("True"), Scalar::Bool(true));
        for (written, value) in [("0", 0), ("-0", 0), ("+5", 5), ("-17", -17), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(read(written), Scalar::Int(value), "{written}");
        }
        assert_eq!(read("9223372036854775807"), Scalar::Int(i64::MAX));
        assert_eq!(read("-9223372036854775808"), Scalar::Int(i64::MIN));
        for (written, value) in [("1.5", 1.5), ("-.5", -0.5), ("12e3", 12e3), ("0.5", 0.5), ("1.", 1.0), ("1e-3", 1e-3)]
        {
            assert_eq!(read(written), Scalar::Float(value), "{written}");
        }
    }

    #[test]
    fn what_would_change_stays_text() {
        for written in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "0755",
            "-007",
            "00.5",
            "01e2",
            "1_000",
            "0b1",
            "0x-1",
            ".inf",
            "-.inf",
            ".nan",
            "1e999",
            "123456789012345678901234567890",
            "9223372036854775808",
            "0.1234567890123456789",
            "1.2.3",
            "2020-01-01",
            "12:30",
            "+",
            "-",
            ".",
            "1e",
            "nULL",
            "0x",
            "PT1H",
        ] {
            assert_eq!(read(written), Scalar::Text(Text::new(written, Span::default())), "{written}");
        }
    }
}
