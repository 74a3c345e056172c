//! The type of a column from a sample of its texts.
//!
//! Careful on purpose: what would lose anything by being a number stays text (`007`, a number beyond 64 bits), and what
//! comes after the sample and does not fit is a reject of the run, never a null.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use towpath_spec::Type;

/// What all texts of a column so far could be.
#[derive(Debug, Clone)]
pub(crate) struct Guess {
    seen: bool,
    bool: bool,
    int: bool,
    float: bool,
    date: bool,
    wall: bool,
    instant: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self { seen: false, bool: true, int: true, float: true, date: true, wall: true, instant: true }
    }
}

impl Guess {
    /// One more text; null does not count.
    pub(crate) fn see(&mut self, text: &str) {
        self.seen = true;
        self.bool &= text == "true" || text == "false";
        self.int &= is_int(text);
        self.float &= is_float(text);
        if self.date || self.wall || self.instant {
            let first = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
            self.date &= first && is_date(text);
            self.wall &= first && is_wall_time(text);
            self.instant &= first && is_instant(text);
        }
    }

    /// What is true of the texts of both.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            seen: self.seen || other.seen,
            bool: self.bool && other.bool,
            int: self.int && other.int,
            float: self.float && other.float,
            date: self.date && other.date,
            wall: self.wall && other.wall,
            instant: self.instant && other.instant,
        }
    }

    /// The narrowest type all texts are of; text when there were none.
    pub(crate) fn ty(&self) -> Type {
        match self {
            Self { seen: false, .. } => Type::Text,
            Self { bool: true, .. } => Type::Bool,
            Self { int: true, .. } => Type::Int,
            Self { float: true, .. } => Type::Float,
            Self { date: true, .. } => Type::Date,
            Self { wall: true, .. } => Type::DateTime { zone: None },
            Self { instant: true, .. } => Type::utc(),
            _ => Type::Text,
        }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without a zero in front of others.
fn plain_digits(text: &str) -> bool {
    digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_int(text: &str) -> bool {
    plain_digits(text.strip_prefix('-').unwrap_or(text)) && text != "-0" && text.parse::<i64>().is_ok()
}

/// Whether a float holds this number as written, but for the digits every float rounds.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    if exponent.is_some_and(|exponent| !digits(exponent.trim_start_matches(['-', '+']))) {
        return false;
    }
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    plain_digits(whole)
        && whole.len() + fraction.map_or(0, str::len) <= 17
        && fraction.is_none_or(digits)
        && (whole.len() <= 15)
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_wall_time(text: &str) -> bool {
    text.len() >= 16
        && ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
}

fn is_instant(text: &str) -> bool {
    text.len() >= 17 && DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_never_loses_anything() {
        for (texts, expected) in [
            (&["1", "-20", "0"][..], "int"),
            (&["007"], "text"),
            (&["1", "9223372036854775808"], "text"),
            (&["1", "2.5", "-1e3"], "float"),
            (&["12345678901234567", "1.5"], "text"),
            (&["00.5"], "text"),
            (&["+1"], "text"),
            (&["NaN"], "text"),
            (&["1e999"], "text"),
            (&["true", "false"], "bool"),
            (&["True"], "text"),
            (&["true", "1"], "text"),
            (&["2024-02-29"], "date"),
            (&["2023-02-29"], "text"),
            (&["2024-02-29T10:00:00", "2024-02-29 10:00:00.5"], "datetime(none)"),
            (&["2024-02-29T10:00:00Z", "2024-02-29T10:00:00+01:00"], "datetime"),
            (&["2024-02-29", "2024-02-29T10:00:00"], "text"),
            (&[""], "text"),
            (&[], "text"),
        ] {
            let mut guess = Guess::default();
            texts.iter().for_each(|text| guess.see(text));
            assert_eq!(guess.ty().to_string(), expected, "{texts:?}");
        }
    }
}
