//! Quantities as users write them: durations, sizes, rates.

use std::time::Duration;

use crate::document::Rate;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// Reads a duration: ISO 8601 (`PT1H`, `P1DT12H`, `P2W`) or a number with a unit (`500ms`, `90s`, `15m`, `2h`, `1d`).
///
/// # Errors
/// A sentence saying what is expected. Years and months are refused: their length depends on where they start.
pub fn parse_duration(written: &str) -> Result<Duration, String> {
    let seconds = match written.strip_prefix('P') {
        Some(iso) => iso_seconds(iso),
        None => short_seconds(written),
    };
    if written.starts_with('P') && written.split('T').next().is_some_and(|date| date.contains(['Y', 'M'])) {
        return Err("years and months differ in length: write days, e.g. `P30D`".to_owned());
    }
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a duration such as `PT1H`, `P1D`, `90s` or `15m`".to_owned())
}

fn iso_seconds(iso: &str) -> Option<f64> {
    let (date, time) = match iso.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (iso, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = parts(date, &[("W", 7.0 * DAY), ("D", DAY)])?;
    Some(date + parts(time, &[("H", HOUR), ("M", MINUTE), ("S", 1.0)])?)
}

/// Sums `12H30M`: each unit at most once and in this order.
fn parts(mut rest: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut sum = 0.0;
    for (unit, seconds) in units {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        if digits > 0 && rest[digits..].starts_with(unit) {
            sum += number(&rest[..digits])? * seconds;
            rest = &rest[digits + unit.len()..];
        }
    }
    rest.is_empty().then_some(sum)
}

fn short_seconds(written: &str) -> Option<f64> {
    let (amount, unit) = split_unit(written);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "sec" => 1.0,
        "m" | "min" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    Some(number(amount)? * seconds)
}

/// Reads a size in bytes: `2GiB`, `512 MB`, `1048576`. `kB`, `MB`, `GB`, `TB` are powers of 1000, `KiB`, … of 1024.
///
/// # Errors
/// A sentence saying what is expected.
pub fn parse_bytes(written: &str) -> Result<u64, String> {
    let (amount, unit) = split_unit(written);
    let factor: f64 = match unit {
        "" | "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => f64::NAN,
    };
    match number(amount).map(|amount| amount * factor) {
        Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(bytes as u64),
        _ => Err("expected a size such as `512MiB`, `2GiB` or `2GB`".to_owned()),
    }
}

/// Reads a rate: `10/s`, `600/min`, `5/2s`, `1000/h`, `10000/d`.
///
/// # Errors
/// A sentence saying what is expected.
pub fn parse_rate(written: &str) -> Result<Rate, String> {
    let rate = || {
        let (requests, per) = written.split_once('/')?;
        let requests = number(requests.trim())?;
        let per = per.trim();
        let one = format!("1{per}");
        let per_seconds = short_seconds(if per.starts_with(|c: char| c.is_ascii_digit()) { per } else { &one })?;
        (requests > 0.0 && per_seconds > 0.0).then_some(Rate { requests, per_seconds })
    };
    rate().ok_or_else(|| "expected a rate such as `10/s`, `600/min` or `5/2s`".to_owned())
}

fn split_unit(written: &str) -> (&str, &str) {
    let end = written.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(written.len());
    (&written[..end], written[end..].trim_start())
}

/// A number without sign and exponent.
fn number(written: &str) -> Option<f64> {
    let plain = written.starts_with(|c: char| c.is_ascii_digit()) && written.len() <= 20;
    plain.then(|| written.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (written, seconds) in [
            ("PT1H", 3600.0),
            ("P1DT12H", 129_600.0),
            ("P2W", 1_209_600.0),
            ("PT1M30.5S", 90.5),
            ("500ms", 0.5),
            ("90s", 90.0),
            ("15m", 900.0),
            ("15min", 900.0),
            ("2 h", 7200.0),
            ("1d", 86_400.0),
        ] {
            assert_eq!(parse_duration(written), Ok(Duration::from_secs_f64(seconds)), "{written}");
        }
        for written in ["", "P", "PT", "1", "1x", "-1s", "PT1H1H", "PT1D", "1e3s", "P1S", "99999999999999999999999999d"]
        {
            assert!(parse_duration(written).is_err(), "{written}");
        }
        assert!(parse_duration("P1M").is_err_and(|why| why.contains("P30D")));
        assert!(parse_duration("PT1M").is_ok());
    }

    #[test]
    fn sizes() {
        for (written, bytes) in [("2GiB", 2 << 30), ("512 MB", 512_000_000), ("1.5KiB", 1536), ("7", 7), ("7B", 7)] {
            assert_eq!(parse_bytes(written), Ok(bytes), "{written}");
        }
        for written in ["", "GiB", "2G", "-1MB", "0", "1e9", "9999999TiB"] {
            assert!(parse_bytes(written).is_err(), "{written}");
        }
    }

    #[test]
    fn rates() {
        for (written, requests, per_seconds) in [
            ("10/s", 10.0, 1.0),
            ("600/min", 600.0, 60.0),
            ("5/2s", 5.0, 2.0),
            ("0.5/s", 0.5, 1.0),
            ("100 / h", 100.0, 3600.0),
            ("3/500ms", 3.0, 0.5),
        ] {
            assert_eq!(parse_rate(written), Ok(Rate { requests, per_seconds }), "{written}");
        }
        for written in ["10", "10/", "/s", "0/s", "10/0s", "10/week", "-1/s", "10/s/s"] {
            assert!(parse_rate(written).is_err(), "{written}");
        }
    }
}
