//! The usual patterns of digits, read without the parser for all patterns.
//!
//! A pattern such as `%d/%m/%Y %H:%M` is nearly always met by text with all its zeros. Such text is read here, byte by
//! byte. What is written in another way (a sign, white space, a digit less) is left to the parser, so that both read
//! the same.

use chrono::format::{Item, Numeric};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Literal(u8),
    Space(u8),
}

/// A pattern of nothing but numbers of known width and single characters between them.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    parts: Vec<Part>,
    /// The first character between numbers that is no white space; text without it cannot meet the pattern in any way.
    between: Option<u8>,
    has_time: bool,
}

/// What became of a text.
pub(super) enum Found {
    At(NaiveDateTime),
    /// No way of writing it could meet the pattern.
    Nothing,
    /// It is written in another way than the usual one.
    Unusual,
}

impl Plain {
    /// The pattern, if it is one of the usual ones.
    pub(super) fn of(items: &[Item<'_>]) -> Option<Self> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            parts.push(match item {
                Item::Numeric(Numeric::Year, _) => Part::Year,
                Item::Numeric(Numeric::Month, _) => Part::Month,
                Item::Numeric(Numeric::Day, _) => Part::Day,
                Item::Numeric(Numeric::Hour, _) => Part::Hour,
                Item::Numeric(Numeric::Minute, _) => Part::Minute,
                Item::Numeric(Numeric::Second, _) => Part::Second,
                Item::Literal(_) | Item::OwnedLiteral(_) => {
                    parts.extend(written(item).bytes().map(Part::Literal));
                    continue;
                }
                Item::Space(_) | Item::OwnedSpace(_) => {
                    parts.extend(written(item).bytes().map(Part::Space));
                    continue;
                }
                _ => return None,
            });
        }
        let count = |part: Part| parts.iter().filter(|other| **other == part).count();
        let day = [Part::Year, Part::Month, Part::Day].map(count);
        let time = [Part::Hour, Part::Minute, Part::Second].map(count);
        if day != [1, 1, 1] || ![[0, 0, 0], [1, 1, 0], [1, 1, 1]].contains(&time) {
            return None;
        }
        let between = parts.iter().find_map(|part| match part {
            Part::Literal(byte) => Some(*byte),
            _ => None,
        });
        Some(Self { between, has_time: time != [0, 0, 0], parts })
    }

    /// Reads a text as a whole.
    pub(super) fn parse(&self, text: &str) -> Found {
        self.usual(text.as_bytes()).map_or_else(|| self.unusual(text), Found::At)
    }

    fn usual(&self, mut rest: &[u8]) -> Option<NaiveDateTime> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second) = (0, 0, 0);
        for part in &self.parts {
            let place = match part {
                Part::Literal(byte) | Part::Space(byte) => {
                    let (first, others) = rest.split_first()?;
                    if first != byte {
                        return None;
                    }
                    rest = others;
                    continue;
                }
                Part::Year => {
                    year = i32::try_from(digits(&mut rest, 4)?).ok()?;
                    continue;
                }
                Part::Month => &mut month,
                Part::Day => &mut day,
                Part::Hour => &mut hour,
                Part::Minute => &mut minute,
                Part::Second => &mut second,
            };
            *place = digits(&mut rest, 2)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        let time = if self.has_time { NaiveTime::from_hms_opt(hour, minute, second)? } else { NaiveTime::MIN };
        Some(date.and_time(time))
    }

    fn unusual(&self, text: &str) -> Found {
        match self.between {
            Some(byte) if !text.as_bytes().contains(&byte) => Found::Nothing,
            _ => Found::Unusual,
        }
    }
}

/// What stands between numbers.
fn written<'i>(item: &'i Item<'_>) -> &'i str {
    match item {
        Item::Literal(text) | Item::Space(text) => text,
        Item::OwnedLiteral(text) | Item::OwnedSpace(text) => text,
        _ => "",
    }
}

/// A number of so many digits.
#[inline]
fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (number, others) = rest.split_at_checked(count)?;
    let mut value = 0;
    for byte in number {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
    }
    *rest = others;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::*;

    /// As the parser for all patterns reads it.
    fn by_parser(pattern: &Pattern, text: &str) -> Option<NaiveDateTime> {
        let any = Pattern { plain: None, items: pattern.items.clone(), text: pattern.text.clone() };
        any.parse(text).map(|reading| reading.at)
    }

    #[test]
    fn both_ways_of_reading_agree() {
        let patterns = [
            "%Y-%m-%d",
            "%d/%m/%Y",
            "%d.%m.%Y %H:%M",
            "%Y%m%d",
            "%Y-%m-%dT%H:%M:%S",
            "%F",
            "%T %F",
            "%d %B %Y",
            "%H:%M",
        ];
        let numbers = [
            "0", "1", "02", "12", "13", "24", "29", "31", "59", "60", "99", "1999", "2024", "20240229", "+2024", "-5",
            " 7", "x", "",
        ];
        let mut texts: Vec<String> = Vec::new();
        for one in numbers {
            for two in numbers {
                for three in numbers {
                    for by in ["-", "/", ".", ""] {
                        texts.push(format!("{one}{by}{two}{by}{three}"));
                    }
                }
            }
        }
        for date in ["2024-02-29", "2023-02-29", "31.12.1999"] {
            for time in
                ["T00:00:00", " 23:59", "T23:59:60", "T24:00:00", "T12:60:00", "T1:2:3", " 12:00 ", "T12:00:00Z"]
            {
                texts.push(format!("{date}{time}"));
                texts.push(format!("{} {date}", &time[1..]));
            }
        }
        for usual in ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y %H:%M", "%F"] {
            assert!(Pattern::new(usual).expect("a pattern").plain.is_some(), "{usual}");
        }
        let mut read = 0;
        for pattern in patterns.map(|text| Pattern::new(text).expect("a pattern")) {
            for text in &texts {
                let found = pattern.parse(text).map(|reading| reading.at);
                assert_eq!(found, by_parser(&pattern, text), "`{text}` by {}", pattern.text);
                read += usize::from(found.is_some());
            }
        }
        assert!(read > 100, "only {read} texts were dates");
    }
}
