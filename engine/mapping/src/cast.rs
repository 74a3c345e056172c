//! Strict conversion between types: `cast:`, typed reading of text and JSON, and widening.
//!
//! A value either means the same in the new type or does not fit, with a sentence saying why. The one exception is a
//! datetime made a date, which gives its day.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;
use towpath_spec::Type;

use crate::compiled::Compiled;
use crate::expr::{Call, Kind, Node};
use crate::functions::{Bound, Function, Kernel, Nulls, Rest};
use crate::ops::DECIMAL_LIMIT;
use crate::temporal;
use crate::value::Value;

/// Reads JSON as a type.
pub(crate) fn json_to(json: &Json, ty: &Type) -> Result<Value, String> {
    match json {
        Json::Null => Ok(Value::Null),
        json if *ty == Type::Json => Ok(Value::Json(json.clone())),
        Json::Array(_) | Json::Object(_) => convert(&Value::Json(json.clone()), ty),
        // Nearly all are of their type already, and are copied once.
        scalar => match Value::from_plain_json(scalar.clone()) {
            fits if fits.type_of() == *ty => Ok(fits),
            // What was written there may have been another whole number: floats that far out stand for several.
            Value::Float(x) if *ty == Type::Int && x.abs() >= 9_007_199_254_740_992.0 => {
                Err(format!("{} was written as a float, whose last digits cannot be known", Value::Float(x)))
            }
            other => convert(&other, ty),
        },
    }
}

/// The same value in another type.
///
/// # Errors
/// Why it does not fit.
pub fn convert(value: &Value, to: &Type) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let (Value::Json(json), true) = (value, *to != Type::Json) {
        return match (json, to) {
            (Json::Array(items), Type::List(inner)) => {
                items.iter().map(|item| json_to(item, inner)).collect::<Result<_, _>>().map(Value::List)
            }
            (Json::Object(fields), Type::Struct(wanted)) => wanted
                .iter()
                .map(|field| {
                    Ok((field.name.clone(), json_to(fields.get(&field.name).unwrap_or(&Json::Null), &field.ty)?))
                })
                .collect::<Result<_, String>>()
                .map(Value::Struct),
            (Json::Array(_) | Json::Object(_), Type::Text) => Ok(Value::from(json.to_string())),
            (Json::Array(_), _) => Err(format!("found a list, expected {to}")),
            (Json::Object(_), _) => Err(format!("found an object, expected {to}")),
            _ => convert(&value.clone().peel(), to),
        };
    }
    let unfit = || format!("found {}, expected {to}", value.type_of());
    match to {
        Type::Null => Err(unfit()),
        Type::Json => Ok(Value::Json(value.to_json())),
        Type::Text => Ok(match value {
            Value::Text(_) => value.clone(),
            other => Value::from(other.to_text()),
        }),
        Type::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Int(i @ 0..=1) => Ok(Value::Bool(*i == 1)),
            Value::Int(i) => Err(format!("`{i}` is neither true nor false")),
            Value::Text(text) => parse_bool(text).map(Value::Bool),
            _ => Err(unfit()),
        },
        Type::Int => match value {
            Value::Int(_) => Ok(value.clone()),
            Value::Bool(b) => Ok(Value::Int((*b).into())),
            Value::Float(x) if x.fract() != 0.0 => Err(format!("{value} is no whole number")),
            Value::Float(x) => float_to_int(*x).map(Value::Int),
            Value::Decimal { .. } => match rescale(value, 0, false)? {
                Value::Decimal { unscaled, .. } => {
                    i64::try_from(unscaled).map(Value::Int).map_err(|_| format!("{value} is beyond 64 bits"))
                }
                _ => Err(unfit()),
            },
            Value::Text(text) => parse_int(text).map(Value::Int),
            _ => Err(unfit()),
        },
        Type::Float => match value {
            Value::Text(text) => parse_float(text).map(Value::Float),
            other => crate::ops::to_float(other).map(Value::Float).ok_or_else(unfit),
        },
        Type::Decimal { precision, scale } => to_decimal(value, *precision, *scale, false),
        Type::Date => to_date(value).map(Value::Date),
        Type::DateTime { zone } => to_datetime(value, zone.as_deref()),
        Type::Duration => match value {
            Value::Duration(_) => Ok(value.clone()),
            Value::Text(text) => temporal::parse_duration(text.trim()).map(Value::Duration),
            _ => Err(unfit()),
        },
        Type::Binary => match value {
            Value::Binary(_) => Ok(value.clone()),
            Value::Text(text) => data_encoding::BASE64
                .decode(text.trim().as_bytes())
                .map(|bytes| Value::Binary(bytes.into()))
                .map_err(|_| "the text is no base64".to_owned()),
            _ => Err(unfit()),
        },
        Type::List(inner) => match value {
            Value::List(items) => {
                items.iter().map(|item| convert(item, inner)).collect::<Result<_, _>>().map(Value::List)
            }
            Value::Text(text) => nested(text, to).unwrap_or_else(|| Err(unfit())),
            _ => Err(unfit()),
        },
        Type::Struct(wanted) => match value {
            Value::Struct(fields) => wanted
                .iter()
                .map(|f| Ok((f.name.clone(), convert(fields.get(&f.name).unwrap_or(&Value::Null), &f.ty)?)))
                .collect::<Result<_, String>>()
                .map(Value::Struct),
            Value::Text(text) => nested(text, to).unwrap_or_else(|| Err(unfit())),
            _ => Err(unfit()),
        },
    }
}

/// A list or struct in JSON text.
fn nested(text: &str, to: &Type) -> Option<Result<Value, String>> {
    let json: Json = serde_json::from_str(text).ok()?;
    matches!(json, Json::Array(_) | Json::Object(_)).then(|| json_to(&json, to))
}

/// How a text is shown in a message.
pub(crate) fn quoted(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return "empty text".into();
    }
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("`{short}…`").into() } else { format!("`{short}`").into() }
}

/// `true`, `false` and their usual spellings in any case.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err(format!("{} is neither true nor false", quoted(text))),
    }
}

/// The text without white space around it. Most has none, which the bytes at its ends say.
#[inline]
pub(crate) fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    let plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if plain(bytes.first()) && plain(bytes.last()) { text } else { text.trim() }
}

/// A number of digits and nothing else, so few that it surely fits.
#[inline]
fn digits(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let few = (1..=18).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
    few.then(|| bytes.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// A whole number; zeros behind a point are taken.
pub(crate) fn parse_int(text: &str) -> Result<i64, String> {
    let trimmed = trimmed(text);
    if let Some(number) = digits(trimmed) {
        return Ok(number);
    }
    let whole = match trimmed.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return Err(format!("{} is no whole number", quoted(text))),
        None => trimmed,
    };
    whole.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
            format!("{} is beyond 64 bits", quoted(text))
        }
        _ => format!("{} is no whole number", quoted(text)),
    })
}

/// The whole number of digits with an optional point and exponent, cutting off what is behind the point, exactly.
pub(crate) fn cut_to_int(text: &str) -> Result<i64, String> {
    // Nearly all are nothing but digits.
    if let Some(number) = digits(trimmed(text)) {
        return Ok(number);
    }
    let wrong = || format!("{} is no whole number", quoted(text));
    let beyond = || format!("{} is beyond 64 bits", quoted(text));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let trimmed = text.trim();
    let (sign, number) = match trimmed.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (down, exponent) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || exponent.is_empty() || !is_digits(&digits) || !is_digits(exponent) {
        return Err(wrong());
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    // An exponent of more digits than this moves the point further than any text is long.
    let moved = exponent.parse().unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    let leading = i64::try_from(whole.len()).map_err(|_| beyond())?
        - i64::try_from(digits.len() - significant.len()).map_err(|_| beyond())?;
    let kept = if down { leading - moved } else { leading + moved };
    match usize::try_from(kept) {
        Err(_) | Ok(0) => Ok(0),
        Ok(kept @ 1..=19) => {
            let kept_digits = &significant[..kept.min(significant.len())];
            format!("{sign}{kept_digits:0<kept$}").parse().map_err(|_| beyond())
        }
        Ok(_) => Err(beyond()),
    }
}

/// A floating point number.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    let x: f64 = trimmed(text).parse().map_err(|_| format!("{} is no number", quoted(text)))?;
    // The words for infinity have no digits; a number that is too large would become infinity without a word.
    if x.is_infinite() && text.bytes().any(|b| b.is_ascii_digit()) {
        return Err(format!("{} is beyond what a float can hold", quoted(text)));
    }
    Ok(x)
}

/// A float without its fraction.
pub(crate) fn float_to_int(x: f64) -> Result<i64, String> {
    // 2^63 is the first float beyond i64; -2^63 is still in it.
    if x.is_nan() || !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        return Err(format!("{} is beyond 64 bits", Value::Float(x)));
    }
    Ok(x as i64)
}

/// Digits with an optional point and exponent, exactly.
pub(crate) fn parse_decimal(text: &str) -> Result<Value, String> {
    let wrong = || format!("{} is no decimal number", quoted(text));
    let trimmed = text.trim();
    let (mantissa, exponent) = match trimmed.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (trimmed, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let too_long = || format!("{} has more than 38 digits", quoted(text));
    let mut unscaled: i128 = match all.trim_start_matches('0') {
        "" => 0,
        digits if digits.len() > 38 => return Err(too_long()),
        digits => digits.parse().map_err(|_| too_long())?,
    };
    let mut scale = i32::try_from(fraction.len()).map_err(|_| too_long())?.saturating_sub(exponent);
    while scale > 38 && unscaled % 10 == 0 && unscaled != 0 {
        unscaled /= 10;
        scale -= 1;
    }
    if unscaled == 0 {
        scale = scale.clamp(0, 38);
    }
    if scale < 0 {
        let up = 10i128.checked_pow(scale.unsigned_abs()).ok_or_else(too_long)?;
        unscaled = unscaled.checked_mul(up).filter(|u| *u < DECIMAL_LIMIT).ok_or_else(too_long)?;
        scale = 0;
    }
    Ok(Value::Decimal {
        unscaled: sign * unscaled,
        scale: u8::try_from(scale).ok().filter(|s| *s <= 38).ok_or_else(too_long)?,
    })
}

/// A decimal on another scale; digits that fall off must be zero unless rounding (half to even) is asked for.
pub(crate) fn rescale(value: &Value, scale: u8, round: bool) -> Result<Value, String> {
    let (unscaled, from) = match value {
        Value::Int(i) => (i128::from(*i), 0),
        Value::Decimal { unscaled, scale } => (*unscaled, *scale),
        _ => return Err(format!("{} is no decimal", value.type_of())),
    };
    let moved = if scale >= from {
        let up = 10i128.pow(u32::from(scale - from));
        unscaled
            .checked_mul(up)
            .filter(|u| u.abs() < DECIMAL_LIMIT)
            .ok_or_else(|| format!("{value} has more than 38 digits"))?
    } else {
        let down = 10i128.pow(u32::from(from - scale));
        if !round && unscaled % down != 0 {
            return Err(format!("{value} has more than {scale} digits behind the point"));
        }
        crate::ops::divide_even(unscaled, down)
    };
    Ok(Value::Decimal { unscaled: moved, scale })
}

/// A number as a decimal. Floats are rounded to the scale; text and decimals must fit it unless `round` is set.
pub(crate) fn to_decimal(value: &Value, precision: u8, scale: u8, round: bool) -> Result<Value, String> {
    let decimal = match value {
        Value::Int(_) | Value::Decimal { .. } => rescale(value, scale, round)?,
        Value::Text(text) => rescale(&parse_decimal(text)?, scale, round)?,
        Value::Float(x) if x.is_finite() => rescale(&parse_decimal(&value.to_text())?, scale, true)?,
        Value::Bool(b) => rescale(&Value::Int((*b).into()), scale, round)?,
        other => {
            return Err(format!("found {} `{other}`, expected a decimal", other.type_of()));
        }
    };
    match decimal {
        Value::Decimal { unscaled, .. } if unscaled.unsigned_abs() < 10u128.pow(precision.into()) => Ok(decimal),
        _ => Err(format!("{value} has more than {precision} digits at scale {scale}")),
    }
}

fn to_date(value: &Value) -> Result<i32, String> {
    match value {
        Value::Date(days) => Ok(*days),
        Value::DateTime { micros, zone } => temporal::shown(*micros, zone.as_deref())
            .map(|(at, _)| temporal::days(at.date()))
            .ok_or_else(|| "the datetime is beyond the calendar".into()),
        Value::Text(text) => parse_date(text),
        other => Err(format!("found {}, expected date", other.type_of())),
    }
}

/// An ISO 8601 date; a time is taken only when it is midnight.
pub(crate) fn parse_date(text: &str) -> Result<i32, String> {
    match temporal::parse_iso(trimmed(text)) {
        Some(reading) if reading.at.time() == chrono::NaiveTime::MIN => Ok(temporal::days(reading.at.date())),
        Some(_) => Err(format!("{} has a time, expected a date", quoted(text))),
        None => Err(format!("{} is no ISO 8601 date", quoted(text))),
    }
}

/// An ISO 8601 date and time as microseconds; one without offset is of the zone's wall clock.
pub(crate) fn parse_instant(text: &str, zone: Option<chrono_tz::Tz>) -> Result<i64, String> {
    let reading =
        temporal::parse_iso(trimmed(text)).ok_or_else(|| format!("{} is no ISO 8601 date and time", quoted(text)))?;
    match (reading.offset, zone) {
        (Some(_), None) => Err(format!("{} has an offset, expected a wall-clock time", quoted(text))),
        (None, None) => Ok(temporal::micros(reading.at)),
        (_, Some(tz)) => reading.instant(tz),
    }
}

fn to_datetime(value: &Value, zone: Option<&str>) -> Result<Value, String> {
    let tz = zone.map(temporal::zone).transpose()?;
    let beyond = || "the datetime is beyond the calendar".to_owned();
    let micros = match value {
        Value::DateTime { micros, zone: from } => match (from, tz) {
            (None, Some(tz)) => temporal::from_wall_clock(temporal::naive(*micros).ok_or_else(beyond)?, tz)?,
            (Some(_), None) => {
                temporal::micros(temporal::shown(*micros, from.as_deref()).map(|(at, _)| at).ok_or_else(beyond)?)
            }
            _ => *micros,
        },
        Value::Date(days) => {
            let at = temporal::date(*days).ok_or_else(beyond)?.and_time(chrono::NaiveTime::MIN);
            tz.map_or_else(|| Ok(temporal::micros(at)), |tz| temporal::from_wall_clock(at, tz))?
        }
        Value::Text(text) => parse_instant(text, tz)?,
        other => return Err(format!("found {}, expected a datetime", other.type_of())),
    };
    Ok(Value::DateTime { micros, zone: zone.map(Arc::from) })
}

/// Whether every value of a type fits another.
pub(crate) fn always_fits(from: &Type, to: &Type) -> bool {
    from == to
        || matches!(
            (from, to),
            (Type::Null, _)
                | (_, Type::Json)
                | (Type::Int | Type::Decimal { .. }, Type::Float)
                | (Type::Bool, Type::Int)
                | (Type::DateTime { zone: Some(_) }, Type::DateTime { zone: Some(_) })
        )
        || (*to == Type::Text && *from != Type::Json)
        || match (from, to) {
            (Type::Int, Type::Decimal { precision, scale }) => *precision >= scale + 19,
            (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision, scale }) => {
                scale >= s && precision - scale >= p - s
            }
            (Type::List(from), Type::List(to)) => always_fits(from, to),
            (Type::Struct(from), Type::Struct(to)) => to.iter().all(|wanted| {
                from.iter().find(|f| f.name == wanted.name).is_none_or(|f| always_fits(&f.ty, &wanted.ty))
            }),
            _ => false,
        }
}

/// Whether some value of a type can fit another.
fn can_fit(from: &Type, to: &Type) -> bool {
    use Type::{Binary, Bool, Date, DateTime, Decimal, Duration, Float, Int, Json, List, Null, Struct, Text};
    match (from, to) {
        (a, b) if a == b => true,
        (Null | Json, _) | (_, Json | Text) => true,
        (Text, to) => *to != Null,
        (Bool | Int | Float | Decimal { .. }, Int | Float | Decimal { .. }) => true,
        (Int, Bool) | (Date | DateTime { .. }, Date | DateTime { .. }) => true,
        (List(from), List(to)) => can_fit(from, to),
        (Struct(_), Struct(_)) | (Duration, Duration) | (Binary, Binary) => true,
        _ => false,
    }
}

static CAST: Function = Function {
    name: "cast",
    kinds: &[],
    signature: "cast",
    doc: "",
    examples: &[],
    parameters: &[],
    rest: Rest::None,
    bind: |binder| Ok(binder.rows(Type::Json, true, "", |args, _| Ok(args[0].clone()))),
};

/// A strict cast of a column: a value that does not fit rejects its row.
///
/// # Errors
/// When no value of the one type can be of the other.
pub fn compile_cast(column: &str, from: &Type, to: &Type) -> Result<Compiled, String> {
    let source =
        Node { kind: Kind::Column(column.to_owned()), ty: from.clone(), nullable: true, fallible: false, span: 0..0 };
    if from == to {
        return Ok(Compiled::of(source));
    }
    if !can_fit(from, to) {
        return Err(format!("`{column}` is {from}, which cannot be cast to {to}"));
    }
    if let Type::DateTime { zone: Some(zone) } = to {
        temporal::zone(zone)?;
    }
    let fallible = !always_fits(from, to);
    let target = to.clone();
    let bound = Bound {
        ty: to.clone(),
        nullable: None,
        fallible,
        nulls: Nulls::Propagate,
        run: Arc::new(move |args, _| convert(&args[0], &target)),
        kernel: cast_kernel(from, to),
    };
    let call = Call { function: &CAST, bound, args: vec![source], varying: vec![0] };
    Ok(Compiled::of(Node { kind: Kind::Call(call), ty: to.clone(), nullable: true, fallible, span: 0..0 }))
}

fn cast_kernel(from: &Type, to: &Type) -> Kernel {
    match (from, to) {
        (Type::Text, Type::Int) => Kernel::TextToInt(Arc::new(parse_int)),
        (Type::Text, Type::Float) => Kernel::TextToFloat(Arc::new(parse_float)),
        (Type::Text, Type::Bool) => Kernel::TextToBool(Arc::new(parse_bool)),
        (Type::Text, Type::Date) => Kernel::TextToDate(Arc::new(parse_date)),
        (Type::Text, Type::DateTime { zone }) => {
            let tz = zone.as_deref().and_then(|zone| temporal::zone(zone).ok());
            Kernel::TextToInstant(Arc::new(move |text| parse_instant(text, tz)))
        }
        (Type::Int, Type::Float) => {
            Kernel::Polars(Arc::new(|mut args, _| args.remove(0).cast(polars::prelude::DataType::Float64)))
        }
        (from, Type::Text) if *from != Type::Json => {
            let from = from.clone();
            Kernel::Polars(Arc::new(move |mut args, _| crate::lower::as_text(args.remove(0), &from)))
        }
        _ => Kernel::Rows("casts between these types run row by row"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_reads_what_the_long_one_does() {
        for space in ["", " ", "\t", "\u{a0}", "\u{2003}", "\r\n"] {
            for text in
                ["0", "007", "+7", "-7", "12.0", "é", "7é", "é7", "999999999999999999", "9223372036854775807", "٧", ""]
            {
                let written = format!("{space}{text}{space}");
                assert_eq!(trimmed(&written), written.trim(), "{written:?}");
                let long = written.trim().split('.').next().unwrap_or_default().parse::<i64>().ok();
                assert_eq!(parse_int(&written).ok(), long, "{written:?}");
            }
        }
    }
}
