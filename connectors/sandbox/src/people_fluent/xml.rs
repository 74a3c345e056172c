//! Writing XML: text, its disguises, and times.

use std::fmt::Write as _;

use super::selector::Selector;

/// How a text is written; readers must see the same text in all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// Entities for the five special characters alone.
    Plain,
    /// One CDATA section.
    Cdata,
    /// Numeric references for everything beyond ASCII, decimal and hexadecimal in turn.
    References,
}

impl Style {
    pub(super) fn of(roll: u64) -> Self {
        match roll % 5 {
            0 => Self::Cdata,
            1 => Self::References,
            _ => Self::Plain,
        }
    }
}

/// Writes `<name>text</name>` when the selector keeps it; `name` may have a prefix, which the selector ignores.
pub(super) fn element(out: &mut String, selector: &Selector, name: &str, text: &str) {
    let local = name.rsplit(':').next().unwrap_or(name);
    if selector.child(local).is_some() {
        out.push('<');
        out.push_str(name);
        out.push('>');
        escape(out, text);
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

pub(super) fn escape(out: &mut String, text: &str) {
    styled(out, text, Style::Plain);
}

pub(super) fn styled(out: &mut String, text: &str, style: Style) {
    if let Style::Cdata = style {
        out.push_str("<![CDATA[");
        out.push_str(text);
        out.push_str("]]>");
        return;
    }
    for (place, c) in text.chars().enumerate() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_ascii() || matches!(style, Style::Plain) => out.push(c),
            // Writing to a String cannot fail.
            c if place % 2 == 0 => drop(write!(out, "&#{};", c as u32)),
            c => drop(write!(out, "&#x{:X};", c as u32)),
        }
    }
}

/// `2015-03-11T00:36:44.877-05:00`; an offset of zero is written `Z`.
pub(super) fn timestamp(ms: i64, offset_minutes: i64) -> String {
    let mut text = String::with_capacity(29);
    write_timestamp(&mut text, ms, offset_minutes);
    text
}

/// By hand, as a history of gigabytes consists of these.
pub(super) fn write_timestamp(out: &mut String, ms: i64, offset_minutes: i64) {
    let local = ms + offset_minutes * 60_000;
    let (days, in_day) = (local.div_euclid(86_400_000), local.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    digits(out, year, 4);
    for (mark, value) in [('-', month), ('-', day)] {
        out.push(mark);
        digits(out, value, 2);
    }
    for (mark, value) in [('T', in_day / 3_600_000), (':', in_day / 60_000 % 60), (':', in_day / 1000 % 60)] {
        out.push(mark);
        digits(out, value, 2);
    }
    out.push('.');
    digits(out, in_day % 1000, 3);
    if offset_minutes == 0 {
        out.push('Z');
        return;
    }
    out.push(if offset_minutes < 0 { '-' } else { '+' });
    digits(out, offset_minutes.abs() / 60, 2);
    out.push(':');
    digits(out, offset_minutes.abs() % 60, 2);
}

fn digits(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        out.push((b'0' + (value / 10i64.pow(place) % 10) as u8) as char);
    }
}

/// Year, month, day of a day counted from 1970-01-01, in the proleptic Gregorian calendar; years are counted from
/// March, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn timestamps_agree_with_chrono() {
        for step in 0..5000i64 {
            let ms = step * 86_399_999 * 7 + 3;
            for offset in [0, -300, 60, 330] {
                let text = timestamp(ms, offset);
                let read = DateTime::parse_from_rfc3339(&text).expect("a time").timestamp_millis();
                assert_eq!(read, ms, "{text}");
            }
        }
        assert_eq!(timestamp(1_614_573_000_000, -300), "2021-02-28T23:30:00.000-05:00");
    }
}
