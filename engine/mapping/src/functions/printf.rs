//! Python's `%` formatting, as far as `format` offers it: the pieces of a pattern, and numbers printed by them.

use crate::cast::rescale;
use crate::ops;
use crate::value::Value;

/// What a place in a pattern prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `%s`: the text of any value.
    Text,
    /// `%d`, `%i`: a whole number.
    Int,
    /// `%x`, `%X`, `%o`: a whole number in that base, letters capital or not.
    Base(u32, bool),
    /// `%f`: a number with digits behind the point.
    Fixed,
}

/// One place for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub what: What,
    left: bool,
    zeros: bool,
    /// What stands before numbers that are not negative.
    sign: &'static str,
    width: usize,
    precision: Option<usize>,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Value(Place),
}

/// Reads a pattern.
///
/// # Errors
/// What is wrong, and the bytes where.
pub(super) fn pieces(pattern: &str) -> Result<Vec<Piece>, (String, std::ops::Range<usize>)> {
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(found) = pattern[at..].find('%') {
        let start = at + found;
        if start > at {
            pieces.push(Piece::Literal(pattern[at..start].to_owned()));
        }
        let rest = &pattern[start + 1..];
        let length = rest.find(|c: char| !matches!(c, '-' | '+' | ' ' | '0'..='9' | '.')).unwrap_or(rest.len());
        let letter = rest[length..].chars().next();
        let end = start + 1 + length + letter.map_or(0, char::len_utf8);
        let written = &pattern[start..end];
        let wrong = |what: &str| Err((format!("`{written}` {what}"), start..end));
        pieces.push(match letter {
            Some('%') if length == 0 => Piece::Literal("%".into()),
            None => return wrong("lacks its letter; a percent sign is written `%%`"),
            Some('(') => return wrong("takes its value by name, which is not offered: give values in order"),
            Some(letter) => match what(letter) {
                Some(what) => match place(what, &rest[..length]) {
                    Some(place) => Piece::Value(place),
                    None => {
                        return wrong(
                            "is no format: flags `-`, `+`, `0` or a space, a width, `.` and digits, at most 1000",
                        );
                    }
                },
                None => return wrong("is not offered: `%s`, `%d`, `%f`, `%x`, `%X` and `%o` are"),
            },
        });
        at = end;
    }
    if at < pattern.len() {
        pieces.push(Piece::Literal(pattern[at..].to_owned()));
    }
    Ok(pieces)
}

fn what(letter: char) -> Option<What> {
    Some(match letter {
        's' => What::Text,
        'd' | 'i' => What::Int,
        'x' => What::Base(16, false),
        'X' => What::Base(16, true),
        'o' => What::Base(8, false),
        'f' | 'F' => What::Fixed,
        _ => return None,
    })
}

/// Flags, width and precision.
fn place(what: What, written: &str) -> Option<Place> {
    let end = written.find(|c| !matches!(c, '-' | '+' | ' ' | '0')).unwrap_or(written.len());
    let (flags, sizes) = written.split_at(end);
    let (width, precision) = sizes.split_once('.').map_or((sizes, None), |(width, precision)| (width, Some(precision)));
    let size = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse().ok().filter(|n| *n <= 1000) };
    let has = |flag| flags.contains(flag);
    Some(Place {
        what,
        left: has('-'),
        zeros: has('0'),
        sign: if has('+') {
            "+"
        } else if has(' ') {
            " "
        } else {
            ""
        },
        width: size(width)?,
        precision: precision.map(size).map_or(Some(None), |size| size.map(Some))?,
    })
}

impl Place {
    /// Prints a value.
    ///
    /// # Errors
    /// A value of another type than the place prints, which only json can hold.
    pub fn print(&self, value: &Value, out: &mut String) -> Result<(), String> {
        let value = value.clone().peel();
        let unfit = |expected: &str| Err(format!("expected {expected}, found {}", value.type_of()));
        let (negative, digits) = match (self.what, &value) {
            (What::Text, value) => {
                let text = value.to_text();
                let shown = self.precision.map_or(&*text, |most| super::bound::characters(&text, 0, most));
                self.fill("", shown, false, out);
                return Ok(());
            }
            (What::Int, Value::Int(i)) => (*i < 0, i.unsigned_abs().to_string()),
            (What::Base(8, _), Value::Int(i)) => (*i < 0, format!("{:o}", i.unsigned_abs())),
            (What::Base(_, true), Value::Int(i)) => (*i < 0, format!("{:X}", i.unsigned_abs())),
            (What::Base(..), Value::Int(i)) => (*i < 0, format!("{:x}", i.unsigned_abs())),
            (What::Fixed, number) => match self.fixed(number)? {
                Some(printed) => printed,
                None => return unfit("a number"),
            },
            _ => return unfit("an int"),
        };
        // The precision of whole numbers is how many digits they have at least.
        let least = if self.what == What::Fixed { 0 } else { self.precision.unwrap_or(0) };
        let digits = format!("{digits:0>least$}");
        self.fill(if negative { "-" } else { self.sign }, &digits, self.zeros, out);
        Ok(())
    }

    /// Whether it is negative, and its digits, rounded half to even; `None`: it is no number.
    fn fixed(&self, number: &Value) -> Result<Option<(bool, String)>, String> {
        let digits = self.precision.unwrap_or(6);
        if let (Value::Decimal { .. } | Value::Int(_), Ok(scale @ 0..=38)) = (number, u8::try_from(digits)) {
            // A decimal that is too long for that many zeros behind it is printed by its own, and filled up.
            let own = if let Value::Decimal { scale, .. } = number { *scale } else { 0 };
            let text = rescale(number, scale.min(own), true)?.to_text();
            let missing = usize::from(scale - scale.min(own));
            let point = if missing > 0 && own == 0 { "." } else { "" };
            let (negative, text) = text.strip_prefix('-').map_or((false, &*text), |text| (true, text));
            return Ok(Some((negative, format!("{text}{point}{}", "0".repeat(missing)))));
        }
        Ok(ops::to_float(number).map(|x| match x {
            x if x.is_nan() => (false, "nan".into()),
            x if x.is_infinite() => (x < 0.0, "inf".into()),
            x => (x.is_sign_negative(), format!("{:.digits$}", x.abs())),
        }))
    }

    fn fill(&self, sign: &str, text: &str, zeros: bool, out: &mut String) {
        let missing = self.width.saturating_sub(sign.chars().count() + text.chars().count());
        let (before, after) = if self.left { (0, missing) } else { (missing, 0) };
        let inside = if zeros { before } else { 0 };
        out.extend(std::iter::repeat_n(' ', before - inside));
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', inside));
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', after));
    }
}
