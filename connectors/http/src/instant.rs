//! Dates and times as vendors write them.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

/// Days since 1970-01-01.
pub(crate) fn date(text: &str, formats: &[String]) -> Option<i32> {
    let found = formats
        .iter()
        .find_map(|format| parse(text, format))
        .or_else(|| {
            text.get(..10)?.parse::<NaiveDate>().ok().filter(|_| text.len() == 10 || iso(text).is_some()).map(midnight)
        })
        .map(|(at, _)| at.date())?;
    let epoch = NaiveDate::default();
    i32::try_from(found.signed_duration_since(epoch).num_days()).ok()
}

/// Microseconds since 1970 of an instant; `zone` is that of times written without one.
pub(crate) fn instant(text: &str, formats: &[String], zone: Tz) -> Option<i64> {
    if let Some(micros) = fast(text) {
        return Some(micros);
    }
    let (at, offset) = iso(text).or_else(|| formats.iter().find_map(|format| parse(text, format)))?;
    match offset {
        Some(seconds) => Some(at.and_utc().timestamp_micros() - i64::from(seconds) * 1_000_000),
        None => match zone.from_local_datetime(&at) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                Some(instant.timestamp_micros())
            }
            MappedLocalTime::None => None,
        },
    }
}

/// Microseconds since 1970 of what a clock showed, whatever its zone.
pub(crate) fn wall_clock(text: &str, formats: &[String]) -> Option<i64> {
    let (at, _) = iso(text).or_else(|| formats.iter().find_map(|format| parse(text, format)))?;
    Some(at.and_utc().timestamp_micros())
}

type Found = (NaiveDateTime, Option<i32>);

fn midnight(date: NaiveDate) -> Found {
    (date.and_time(NaiveTime::MIN), None)
}

/// ISO 8601 with a date, and with or without time, seconds, fraction and offset.
fn iso(text: &str) -> Option<Found> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(midnight(date));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some((at.naive_local(), Some(at.offset().local_minus_utc())));
    }
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%dT%H:%M%z",
    ]
    .iter()
    .find_map(|format| parse(text, format))
    .or_else(|| parse(text.strip_suffix('Z')?, "%Y-%m-%dT%H:%M").map(|(at, _)| (at, Some(0))))
}

/// One format in strftime's letters; what it does not say of the time is 0.
fn parse(text: &str, format: &str) -> Option<Found> {
    if let Ok(at) = DateTime::parse_from_str(text, format) {
        return Some((at.naive_local(), Some(at.offset().local_minus_utc())));
    }
    if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
        return Some((at, None));
    }
    NaiveDate::parse_from_str(text, format).ok().map(midnight)
}

/// `2015-03-11T00:36:44.877-05:00`, the shape nearly every time has, without a general parser.
fn fast(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 20
        || bytes[4] != b'-'
        || bytes[7] != b'-'
        || bytes[10] != b'T'
        || bytes[13] != b':'
        || bytes[16] != b':'
    {
        return None;
    }
    let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..10])?);
    let (hour, minute, second) = (number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match &bytes[19..] {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = rest.split_at(digits);
            let kept = &digits[..digits.len().min(6)];
            let scale = 10_i64.pow(6 - u32::try_from(kept.len()).ok()?);
            (number(kept).filter(|_| !digits.is_empty())? * scale, rest)
        }
        rest => (0, rest),
    };
    let offset = match rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -60 } else { 60 }
        }
        _ => return None,
    };
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * 1_000_000 + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<i64> {
        instant(text, &[], Tz::UTC)
    }

    #[test]
    fn the_fast_way_and_the_general_way_agree() {
        for text in [
            "2015-03-11T00:36:44.877-05:00",
            "2015-03-11T00:36:44Z",
            "1969-12-31T23:59:59.999999Z",
            "2024-02-29T23:59:59.5+14:00",
            "0001-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            let general = DateTime::parse_from_rfc3339(text).expect(text).timestamp_micros();
            assert_eq!(fast(text), Some(general), "{text}");
        }
        for text in ["2023-02-29T00:00:00Z", "2015-03-11T24:00:00Z", "2015-03-11T00:36:44", "2015-03-11T00:36:44+5:00 "]
        {
            assert_eq!(fast(text), None, "{text}");
        }
    }

    #[test]
    fn spellings_of_the_five_systems_are_read() {
        let formats = ["%d-%m-%Y %H:%M".to_owned(), "%d/%m/%Y".to_owned()];
        let at = |text: &str| instant(text, &formats, Tz::UTC).map(|micros| micros / 1_000_000);
        assert_eq!(at("16-04-2026 10:30"), Some(1_776_335_400));
        assert_eq!(at("2026-04-16 10:30:00"), Some(1_776_335_400));
        assert_eq!(at("2026-04-16T10:30:00"), Some(1_776_335_400));
        assert_eq!(at("2026-04-16T10:30Z"), Some(1_776_335_400));
        assert_eq!(at("2026-04-16T11:30:00+0100"), Some(1_776_335_400));
        assert_eq!(at("16/04/2026"), Some(1_776_297_600));
        assert_eq!(at("2026-04-16"), Some(1_776_297_600));
        assert_eq!(at("yesterday"), None);
    }

    #[test]
    fn a_time_without_a_zone_is_of_the_given_one() {
        let london = instant("2026-07-01T12:00:00", &[], Tz::Europe__London);
        assert_eq!(london, utc("2026-07-01T11:00:00Z"));
        assert_eq!(instant("2026-03-29T01:30:00", &[], Tz::Europe__London), None, "the clocks skip it");
    }

    #[test]
    fn dates_are_days() {
        assert_eq!(date("1970-01-02", &[]), Some(1));
        assert_eq!(date("1970-01-02T10:00:00Z", &[]), Some(1));
        assert_eq!(date("02-01-1970", &["%d-%m-%Y".to_owned()]), Some(1));
        assert_eq!(date("1970-01-02 and more", &[]), None);
    }
}
