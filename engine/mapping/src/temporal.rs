//! Days, instants, wall clocks and durations: parsing, printing and zones, one implementation for rows and columns.

mod plain;

use std::fmt::Write;

use chrono::format::{Item, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Days since 1970 of a date.
pub(crate) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// The date of a number of days; `None` beyond the calendar's range (about ±262,000 years).
pub(crate) fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

/// The wall-clock time of microseconds since 1970.
pub(crate) fn naive(micros: i64) -> Option<NaiveDateTime> {
    DateTime::<Utc>::from_timestamp_micros(micros).map(|at| at.naive_utc())
}

/// Microseconds since 1970 of a wall-clock time; digits below a microsecond are cut off.
pub(crate) fn micros(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_micros()
}

/// A zone by its IANA name.
pub(crate) fn zone(name: &str) -> Result<Tz, String> {
    name.parse::<Tz>().map_err(|_| format!("`{name}` is no time zone"))
}

/// Names of all zones, for help with misspelt ones.
pub(crate) fn zone_names() -> impl Iterator<Item = &'static str> + Clone {
    chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name())
}

/// The instant at which the clocks of a zone show `at`. Where they show it twice the earlier instant is taken; where
/// they skip it there is none.
pub(crate) fn from_wall_clock(at: NaiveDateTime, tz: Tz) -> Result<i64, String> {
    match tz.from_local_datetime(&at) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => Ok(instant.timestamp_micros()),
        MappedLocalTime::None => Err(format!("{at} does not exist in {tz}: the clocks skip it")),
    }
}

/// What the clocks of a zone show at an instant, and their offset from UTC in seconds.
pub(crate) fn wall_clock(instant: i64, tz: Tz) -> Option<(NaiveDateTime, i32)> {
    let utc = naive(instant)?;
    let offset = tz.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    Some((utc.checked_add_offset(chrono::FixedOffset::east_opt(offset)?)?, offset))
}

/// What the clocks of the value's zone show; for values without a zone, the value.
pub(crate) fn shown(micros: i64, zone_name: Option<&str>) -> Option<(NaiveDateTime, Option<i32>)> {
    match zone_name {
        None => naive(micros).map(|at| (at, None)),
        Some("UTC") => naive(micros).map(|at| (at, Some(0))),
        Some(name) => wall_clock(micros, zone(name).ok()?).map(|(at, offset)| (at, Some(offset))),
    }
}

/// `2024-01-31`.
pub(crate) fn write_date(days: i32, out: &mut String) {
    match date(days) {
        Some(date) => {
            if (0..=9999).contains(&date.year()) {
                write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day()).unwrap_or_default();
            } else {
                write!(out, "{date}").unwrap_or_default();
            }
        }
        None => write!(out, "{days} days after 1970-01-01").unwrap_or_default(),
    }
}

/// ISO 8601, with the offset where there is a zone: `2024-01-31T09:30:00+00:00`, digits of a second only if not zero.
pub(crate) fn write_datetime(micros: i64, zone_name: Option<&str>, out: &mut String) {
    let Some((at, offset)) = shown(micros, zone_name) else {
        return write!(out, "{micros} microseconds after 1970-01-01").unwrap_or_default();
    };
    write_date(days(at.date()), out);
    write!(out, "T{}", at.time().format("%H:%M:%S")).unwrap_or_default();
    let fraction = at.and_utc().timestamp_subsec_micros();
    if fraction % 1000 != 0 {
        write!(out, ".{fraction:06}").unwrap_or_default();
    } else if fraction != 0 {
        write!(out, ".{:03}", fraction / 1000).unwrap_or_default();
    }
    if let Some(seconds) = offset {
        let (sign, seconds) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
        write!(out, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60).unwrap_or_default();
        if seconds % 60 != 0 {
            write!(out, ":{:02}", seconds % 60).unwrap_or_default();
        }
    }
}

/// ISO 8601: `P1DT2H`, `PT0S`, `-PT0.5S`.
pub(crate) fn write_duration(micros: i64, out: &mut String) {
    if micros < 0 {
        out.push('-');
    }
    let all = micros.unsigned_abs();
    let (days, rest) = (all / MICROS_PER_DAY.unsigned_abs(), all % MICROS_PER_DAY.unsigned_abs());
    out.push('P');
    if days > 0 {
        write!(out, "{days}D").unwrap_or_default();
    }
    if rest == 0 {
        return out.push_str(if days > 0 { "" } else { "T0S" });
    }
    out.push('T');
    let (hours, minutes, seconds) = (rest / 3_600_000_000, rest / 60_000_000 % 60, rest % 60_000_000);
    if hours > 0 {
        write!(out, "{hours}H").unwrap_or_default();
    }
    if minutes > 0 {
        write!(out, "{minutes}M").unwrap_or_default();
    }
    if seconds > 0 {
        write!(out, "{}", seconds / 1_000_000).unwrap_or_default();
        let fraction = format!("{:06}", seconds % 1_000_000);
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            write!(out, ".{fraction}").unwrap_or_default();
        }
        out.push('S');
    }
}

/// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no ISO 8601 duration such as P1DT2H30M");
    let (sign, rest) = text.strip_prefix('-').map_or((1i128, text), |rest| (-1, rest));
    let mut rest = rest.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or_else(wrong)?;
    let mut total = 0i128;
    let mut in_time = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|time| !in_time && !time.is_empty()) {
            in_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, others) = rest.split_at(end);
        let after = others.char_indices().nth(1).map_or(others.len(), |(at, _)| at);
        let (unit, others) = others.split_at(after);
        let scale: i128 = match (in_time, unit) {
            (false, "W") => 7 * i128::from(MICROS_PER_DAY),
            (false, "D") => i128::from(MICROS_PER_DAY),
            (false, "Y" | "M") => {
                return Err(format!("`{text}`: years and months have no fixed length"));
            }
            (true, "H") => 3_600_000_000,
            (true, "M") => 60_000_000,
            (true, "S") => 1_000_000,
            _ => return Err(wrong()),
        };
        total += duration_part(number, scale).ok_or_else(wrong)?;
        rest = others;
    }
    i64::try_from(sign * total).map_err(|_| format!("`{text}` is too long a duration"))
}

fn duration_part(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || whole.len() > 18 || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some(digits * scale / 10i128.pow(u32::try_from(fraction.len()).ok()?))
}

/// What a date and time text says: a wall-clock time and, if it has one, its offset from UTC in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub at: NaiveDateTime,
    pub offset: Option<i32>,
}

impl Reading {
    /// The instant, a time without offset being of zone `tz`.
    pub fn instant(self, tz: Tz) -> Result<i64, String> {
        match self.offset {
            Some(seconds) => Ok(micros(self.at) - i64::from(seconds) * 1_000_000),
            None if tz == Tz::UTC => Ok(micros(self.at)),
            None => from_wall_clock(self.at, tz),
        }
    }
}

/// Reads ISO 8601: a date, or date, `T` or a space, and hours and minutes, then if present seconds, up to nine digits
/// behind the point (cut to microseconds) and `Z` or an offset.
pub(crate) fn parse_iso(text: &str) -> Option<Reading> {
    let bytes = text.as_bytes();
    let day = iso_date(bytes)?;
    if bytes.len() == 10 {
        return Some(Reading { at: day.and_time(NaiveTime::MIN), offset: None });
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (hour, minute) = (two(bytes, 11)?, two(bytes, 14)?);
    if bytes.get(13) != Some(&b':') {
        return None;
    }
    let mut at = 16;
    let mut second = 0;
    let mut micro = 0;
    if bytes.get(16) == Some(&b':') {
        second = two(bytes, 17)?;
        at = 19;
        if matches!(bytes.get(19), Some(b'.' | b',')) {
            let digits = bytes[20..].iter().take_while(|b| b.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            let digit = |at| if at < digits { u32::from(bytes[20 + at] - b'0') } else { 0 };
            micro = (0..6).fold(0, |micro, at| micro * 10 + digit(at));
            at = 20 + digits;
        }
    }
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micro)?;
    Some(Reading { at: day.and_time(time), offset: iso_offset(&bytes[at..])? })
}

fn iso_date(bytes: &[u8]) -> Option<NaiveDate> {
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = two(bytes, 0)? * 100 + two(bytes, 2)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(bytes, 5)?, two(bytes, 8)?)
}

fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let (tens, ones) = (bytes.get(at)?, bytes.get(at + 1)?);
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[expect(clippy::option_option, reason = "outer: whether it is an offset at all; inner: whether there is one")]
fn iso_offset(rest: &[u8]) -> Option<Option<i32>> {
    let sign = match rest {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        3 => (two(rest, 1)?, 0),
        5 => (two(rest, 1)?, two(rest, 3)?),
        6 if rest[3] == b':' => (two(rest, 1)?, two(rest, 4)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| i32::try_from(hours * 3600 + minutes * 60).ok().map(|s| sign * s))
}

/// A strftime pattern, prepared once.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As written.
    pub text: String,
    items: Vec<Item<'static>>,
    plain: Option<plain::Plain>,
}

impl Pattern {
    /// Prepares a pattern.
    pub fn new(text: &str) -> Result<Self, String> {
        let items: Vec<Item<'static>> = StrftimeItems::new(text).map(Item::to_owned).collect();
        if items.iter().any(|item| matches!(item, Item::Error)) {
            return Err(format!("`{text}` is no date pattern"));
        }
        Ok(Self { text: text.to_owned(), plain: plain::Plain::of(&items), items })
    }

    /// Whether the pattern says a day at all.
    pub fn has_fields(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Numeric(..) | Item::Fixed(..)))
    }

    /// Reads a text; a pattern without a time means midnight. The whole text must match.
    pub fn parse(&self, text: &str) -> Option<Reading> {
        match self.plain.as_ref().map(|plain| plain.parse(text)) {
            Some(plain::Found::At(at)) => return Some(Reading { at, offset: None }),
            Some(plain::Found::Nothing) => return None,
            _ => {}
        }
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, text, self.items.iter()).ok()?;
        let offset = parsed.offset();
        if parsed.timestamp().is_some() {
            let at = parsed.to_naive_datetime_with_offset(offset.unwrap_or(0)).ok()?;
            return Some(Reading { at, offset: Some(offset.unwrap_or(0)) });
        }
        let day = parsed.to_naive_date().ok()?;
        let has_time = parsed.hour_mod_12().is_some() || parsed.hour_div_12().is_some() || parsed.minute().is_some();
        let time = if has_time { parsed.to_naive_time().ok()? } else { NaiveTime::MIN };
        Some(Reading { at: day.and_time(time), offset })
    }

    /// Prints a time by the pattern.
    pub fn format(&self, at: NaiveDateTime, tz: Option<Tz>) -> Option<String> {
        let mut out = String::new();
        match tz {
            Some(tz) => write!(out, "{}", tz.from_utc_datetime(&at).format_with_items(self.items.iter())),
            None => write!(out, "{}", at.format_with_items(self.items.iter())),
        }
        .ok()?;
        Some(out)
    }
}
