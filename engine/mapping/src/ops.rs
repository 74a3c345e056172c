//! Operators on values: arithmetic, comparison, truth, membership, look-up. Null is settled here, once for all.

use std::cmp::Ordering;

use serde_json::Value as Json;

use crate::expr::{Arithmetic, Comparison};
use crate::temporal;
use crate::value::Value;

/// Jinja's truth: null, false, zero and what is empty are false.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Int(i) => *i != 0,
        Value::Float(x) => *x != 0.0,
        Value::Decimal { unscaled, .. } => *unscaled != 0,
        Value::Text(text) => !text.is_empty(),
        Value::Binary(bytes) => !bytes.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Struct(fields) => !fields.is_empty(),
        Value::Date(_) | Value::DateTime { .. } => true,
        Value::Duration(micros) => *micros != 0,
        Value::Json(Json::Array(items)) => !items.is_empty(),
        Value::Json(Json::Object(fields)) => !fields.is_empty(),
        Value::Json(_) => truthy(&value.clone().peel()),
    }
}

/// A two-valued comparison: null equals null alone and is in no order with anything.
pub(crate) fn compare(op: Comparison, left: &Value, right: &Value) -> Result<bool, String> {
    match op {
        Comparison::Equal => return Ok(equal(left, right)),
        Comparison::Unequal => return Ok(!equal(left, right)),
        _ => {}
    }
    if left.is_null() || right.is_null() {
        return Ok(false);
    }
    let order =
        order(left, right).ok_or_else(|| format!("{} and {} are in no order", left.type_of(), right.type_of()))?;
    Ok(holds(op, order))
}

/// Whether a comparison holds for values in that order.
pub(crate) fn holds(op: Comparison, order: Ordering) -> bool {
    match op {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterEqual => order.is_ge(),
    }
}

/// Equality across number types, exact for whole numbers and as floats for a decimal and a float; NaN equals itself, as in columns. Values of other types are unequal.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (l, r) if l.is_null() || r.is_null() => l.is_null() && r.is_null(),
        (Value::Json(l), Value::Json(r)) if !l.is_number() => l == r,
        (Value::List(l), Value::List(r)) => l.len() == r.len() && l.iter().zip(r).all(|(l, r)| equal(l, r)),
        (Value::Struct(l), Value::Struct(r)) => {
            l.len() == r.len() && l.iter().all(|(name, l)| r.get(name).is_some_and(|r| equal(l, r)))
        }
        (Value::Json(json @ (Json::Array(_) | Json::Object(_))), other)
        | (other, Value::Json(json @ (Json::Array(_) | Json::Object(_)))) => *json == other.to_json(),
        (l, r) => order(l, r).is_some_and(Ordering::is_eq),
    }
}

/// The order of two values that are not null; NaN is above all other floats. `None`: their types have no order.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    use Value::{Bool, Date, DateTime, Decimal, Duration, Float, Int, Text};
    Some(match (left, right) {
        (Value::Json(_), _) | (_, Value::Json(_)) => {
            let (l, r) = (left.clone().peel(), right.clone().peel());
            if matches!(l, Value::Json(_)) || matches!(r, Value::Json(_)) {
                return None;
            }
            return order(&l, &r);
        }
        (Text(l), Text(r)) => l.cmp(r),
        (Int(l), Int(r)) => l.cmp(r),
        (Bool(l), Bool(r)) => l.cmp(r),
        (Date(l), Date(r)) => l.cmp(r),
        (Duration(l), Duration(r)) => l.cmp(r),
        (Value::Binary(l), Value::Binary(r)) => l.cmp(r),
        (DateTime { micros: l, zone: lz }, DateTime { micros: r, zone: rz }) if lz.is_some() == rz.is_some() => {
            l.cmp(r)
        }
        (Int(l), Float(r)) => int_float_order(*l, *r),
        (Float(l), Int(r)) => int_float_order(*r, *l).reverse(),
        (Float(_), Float(_) | Decimal { .. }) | (Decimal { .. }, Float(_)) => {
            float_order(to_float(left)?, to_float(right)?)
        }
        (Decimal { .. }, Int(_) | Decimal { .. }) | (Int(_), Decimal { .. }) => match aligned(left, right) {
            Some((l, r, _)) => l.cmp(&r),
            None => float_order(to_float(left)?, to_float(right)?),
        },
        _ => return None,
    })
}

/// An int compared with a float, exactly: as floats, ints beyond 2^53 would run together.
pub(crate) fn int_float_order(l: i64, r: f64) -> Ordering {
    // 2^63 is the first float beyond i64; -2^63 is still in it.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if r.is_nan() || r >= BEYOND {
        return Ordering::Less;
    }
    if r < -BEYOND {
        return Ordering::Greater;
    }
    let whole = r.trunc();
    l.cmp(&(whole as i64)).then_with(|| whole.partial_cmp(&r).unwrap_or(Ordering::Equal))
}

/// A total order of any values, for sorting: null last, then by what they are, then by value, the other way round when
/// `down`. Numbers of several types go by their nearest floats first.
pub(crate) fn arrange(left: &Value, right: &Value, down: bool) -> Ordering {
    if left.is_null() || right.is_null() {
        return left.is_null().cmp(&right.is_null());
    }
    let (left, right) = (left.clone().peel(), right.clone().peel());
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) | Value::Decimal { .. } => 2,
        Value::Text(_) => 3,
        Value::Date(_) => 4,
        Value::DateTime { zone, .. } => 5 + u8::from(zone.is_some()),
        Value::Duration(_) => 7,
        Value::Binary(_) => 8,
        Value::List(_) | Value::Struct(_) | Value::Json(_) => 9,
    };
    let exact = |value: &Value| u8::from(!matches!(value, Value::Float(_)));
    let within = match (to_float(&left), to_float(&right)) {
        (Some(l), Some(r)) if exact(&left) != exact(&right) => float_order(l, r).then(exact(&left).cmp(&exact(&right))),
        _ => order(&left, &right).unwrap_or(Ordering::Equal),
    };
    let order = rank(&left).cmp(&rank(&right)).then(within);
    if down { order.reverse() } else { order }
}

fn float_order(l: f64, r: f64) -> Ordering {
    match (l.is_nan(), r.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => l.partial_cmp(&r).unwrap_or(Ordering::Equal),
    }
}

/// A number as float; `None` for what is no number.
pub(crate) fn to_float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) => Some(*x),
        // Going by text gives the float nearest to the decimal.
        Value::Decimal { .. } => value.to_text().parse().ok(),
        Value::Json(Json::Number(_)) => to_float(&value.clone().peel()),
        _ => None,
    }
}

fn decimal_parts(value: &Value) -> Option<(i128, u8)> {
    match value {
        Value::Int(i) => Some((i128::from(*i), 0)),
        Value::Decimal { unscaled, scale } => Some((*unscaled, *scale)),
        _ => None,
    }
}

/// Two exact numbers on one scale.
fn aligned(left: &Value, right: &Value) -> Option<(i128, i128, u8)> {
    let ((l, ls), (r, rs)) = (decimal_parts(left)?, decimal_parts(right)?);
    let scale = ls.max(rs);
    let up = |unscaled: i128, from: u8| unscaled.checked_mul(10i128.checked_pow(u32::from(scale - from))?);
    Some((up(l, ls)?, up(r, rs)?, scale))
}

/// The largest magnitude of a decimal of 38 digits.
pub(crate) const DECIMAL_LIMIT: i128 = 10i128.pow(38);

/// Digits behind the point that a division of decimals keeps at least.
pub(crate) const DIVISION_SCALE: u8 = 6;

/// Arithmetic; null if either side is null. `Err` rejects the row: overflow, division by zero, or types that do not fit
/// (of JSON values only; others were checked when the template was compiled).
pub(crate) fn arithmetic(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, String> {
    use Value::{Date, DateTime, Decimal, Duration, Float, Int, Text};
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    if matches!(left, Value::Json(_)) || matches!(right, Value::Json(_)) {
        let (l, r) = (left.clone().peel(), right.clone().peel());
        if !matches!(l, Value::Json(_)) && !matches!(r, Value::Json(_)) {
            return arithmetic(op, &l, &r);
        }
    }
    let overflow = || format!("{left} {} {right} is too large", op.sign());
    match (op, left, right) {
        (_, Int(l), Int(r)) => int_arithmetic(op, *l, *r),
        (_, Int(_) | Float(_) | Decimal { .. }, Float(_)) | (_, Float(_), Int(_) | Decimal { .. }) => {
            let (l, r) = (to_float(left).unwrap_or(f64::NAN), to_float(right).unwrap_or(f64::NAN));
            float_arithmetic(op, l, r).map(Float)
        }
        (_, Int(_) | Decimal { .. }, Decimal { .. }) | (_, Decimal { .. }, Int(_)) => {
            decimal_arithmetic(op, left, right).map_err(|why| why.unwrap_or_else(overflow))
        }
        (Arithmetic::Add, Text(l), Text(r)) => Ok(Value::from(format!("{l}{r}"))),
        (Arithmetic::Subtract, Date(l), Date(r)) => Ok(Duration((i64::from(*l) - i64::from(*r)) * 86_400_000_000)),
        (Arithmetic::Subtract, DateTime { micros: l, zone: lz }, DateTime { micros: r, zone: rz })
            if lz.is_some() == rz.is_some() =>
        {
            l.checked_sub(*r).map(Duration).ok_or_else(overflow)
        }
        (Arithmetic::Add, DateTime { micros, zone }, Duration(by))
        | (Arithmetic::Add, Duration(by), DateTime { micros, zone }) => {
            let micros = micros.checked_add(*by).ok_or_else(overflow)?;
            Ok(DateTime { micros, zone: zone.clone() })
        }
        (Arithmetic::Subtract, DateTime { micros, zone }, Duration(by)) => {
            let micros = micros.checked_sub(*by).ok_or_else(overflow)?;
            Ok(DateTime { micros, zone: zone.clone() })
        }
        (Arithmetic::Add, Date(days), Duration(by)) | (Arithmetic::Add, Duration(by), Date(days)) => {
            shift_date(*days, *by, 1)
        }
        (Arithmetic::Subtract, Date(days), Duration(by)) => shift_date(*days, *by, -1),
        (Arithmetic::Add, Duration(l), Duration(r)) => l.checked_add(*r).map(Duration).ok_or_else(overflow),
        (Arithmetic::Subtract, Duration(l), Duration(r)) => l.checked_sub(*r).map(Duration).ok_or_else(overflow),
        (Arithmetic::Multiply, Duration(l), Int(r)) | (Arithmetic::Multiply, Int(r), Duration(l)) => {
            l.checked_mul(*r).map(Duration).ok_or_else(overflow)
        }
        _ => Err(format!("`{}` does not work on {} and {}", op.sign(), left.type_of(), right.type_of())),
    }
}

fn shift_date(days: i32, by: i64, sign: i64) -> Result<Value, String> {
    let (whole, rest) = (by / 86_400_000_000, by % 86_400_000_000);
    if rest != 0 {
        return Err("a date can only be moved by whole days; make it a datetime first".into());
    }
    let moved = i64::from(days) + sign * whole;
    let fits = i32::try_from(moved).ok().filter(|days| temporal::date(*days).is_some());
    fits.map(Value::Date).ok_or_else(|| "the date is beyond the calendar".into())
}

/// What a division by zero says.
pub(crate) const BY_ZERO: &str = "division by zero";

/// Python's arithmetic of whole numbers; `None` from the checked operations is overflow.
pub(crate) fn int_arithmetic(op: Arithmetic, l: i64, r: i64) -> Result<Value, String> {
    if op == Arithmetic::Divide {
        return float_arithmetic(op, l as f64, r as f64).map(Value::Float);
    }
    if r == 0 && matches!(op, Arithmetic::FloorDivide | Arithmetic::Remainder) {
        return Err(BY_ZERO.into());
    }
    checked_int(op, l, r).map(Value::Int).ok_or_else(|| match op {
        Arithmetic::Power if r < 0 => {
            format!("{l} ** {r}: a whole number to a negative power is no whole number")
        }
        _ => format!("{l} {} {r} is beyond 64 bits", op.sign()),
    })
}

/// Whole-number arithmetic except `/`; `None`: overflow, a zero divisor, a negative power.
pub(crate) fn checked_int(op: Arithmetic, l: i64, r: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => l.checked_add(r),
        Arithmetic::Subtract => l.checked_sub(r),
        Arithmetic::Multiply => l.checked_mul(r),
        Arithmetic::Divide => None,
        Arithmetic::FloorDivide => {
            let quotient = l.checked_div(r)?;
            let adjust = l.checked_rem(r)? != 0 && ((l < 0) != (r < 0));
            Some(if adjust { quotient - 1 } else { quotient })
        }
        Arithmetic::Remainder => {
            if r == 0 {
                return None;
            }
            let rest = l.wrapping_rem(r);
            Some(if rest != 0 && ((rest < 0) != (r < 0)) { rest + r } else { rest })
        }
        Arithmetic::Power => l.checked_pow(u32::try_from(r).ok()?),
    }
}

/// Python's arithmetic of floats: infinities and NaN pass, a zero divisor does not.
pub(crate) fn float_arithmetic(op: Arithmetic, l: f64, r: f64) -> Result<f64, String> {
    if r == 0.0 && matches!(op, Arithmetic::Divide | Arithmetic::FloorDivide | Arithmetic::Remainder) {
        return Err(BY_ZERO.into());
    }
    Ok(match op {
        Arithmetic::Add => l + r,
        Arithmetic::Subtract => l - r,
        Arithmetic::Multiply => l * r,
        Arithmetic::Divide => l / r,
        Arithmetic::FloorDivide => (l / r).floor(),
        Arithmetic::Remainder => {
            let rest = l % r;
            if rest != 0.0 && ((rest < 0.0) != (r < 0.0)) { rest + r } else { rest }
        }
        Arithmetic::Power => l.powf(r),
    })
}

/// Exact decimal arithmetic; `Err(None)` is overflow.
fn decimal_arithmetic(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, Option<String>> {
    let by_zero = || Err(Some(BY_ZERO.to_owned()));
    let done = |unscaled: i128, scale: u8| {
        if unscaled.abs() < DECIMAL_LIMIT { Ok(Value::Decimal { unscaled, scale }) } else { Err(None) }
    };
    let ((l, ls), (r, rs)) = (decimal_parts(left).ok_or(None)?, decimal_parts(right).ok_or(None)?);
    match op {
        Arithmetic::Multiply => {
            let product = l.checked_mul(r).ok_or(None)?;
            let scale = ls + rs;
            if scale > 38 { Err(None) } else { done(product, scale) }
        }
        Arithmetic::Divide => {
            if r == 0 {
                return by_zero();
            }
            let scale = ls.max(rs).max(DIVISION_SCALE);
            let up = 10i128.checked_pow(u32::from(scale + rs - ls)).ok_or(None)?;
            done(divide_even(l.checked_mul(up).ok_or(None)?, r), scale)
        }
        _ => {
            let (l, r, scale) = aligned(left, right).ok_or(None)?;
            match op {
                Arithmetic::Add => done(l.checked_add(r).ok_or(None)?, scale),
                Arithmetic::Subtract => done(l.checked_sub(r).ok_or(None)?, scale),
                Arithmetic::FloorDivide | Arithmetic::Remainder if r == 0 => by_zero(),
                Arithmetic::FloorDivide => {
                    let adjust = l % r != 0 && ((l < 0) != (r < 0));
                    done(l / r - i128::from(adjust), 0)
                }
                Arithmetic::Remainder => {
                    let rest = l % r;
                    done(if rest != 0 && ((rest < 0) != (r < 0)) { rest + r } else { rest }, scale)
                }
                _ => Err(Some("`**` does not work on decimals".into())),
            }
        }
    }
}

/// Division rounded half to even.
pub(crate) fn divide_even(l: i128, r: i128) -> i128 {
    let (quotient, rest) = (l / r, l % r);
    if rest == 0 {
        return quotient;
    }
    let away = if (l < 0) == (r < 0) { 1 } else { -1 };
    match rest.unsigned_abs().cmp(&(r.unsigned_abs() - rest.unsigned_abs())) {
        Ordering::Greater => quotient + away,
        Ordering::Equal if quotient % 2 != 0 => quotient + away,
        _ => quotient,
    }
}

/// `-x`.
pub(crate) fn negate(value: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Int(i) => Value::Int(i.checked_neg().ok_or_else(|| format!("-({i}) is beyond 64 bits"))?),
        Value::Float(x) => Value::Float(-x),
        Value::Decimal { unscaled, scale } => Value::Decimal { unscaled: -unscaled, scale: *scale },
        Value::Duration(micros) => {
            Value::Duration(micros.checked_neg().ok_or_else(|| "the duration is too long".to_owned())?)
        }
        Value::Json(Json::Null | Json::Number(_)) => negate(&value.clone().peel())?,
        other => return Err(format!("`-` does not work on {}", other.type_of())),
    })
}

/// `item in set`: an item of a list, a part of a text, a name of an object. Nothing is in null; null is in a list only.
pub(crate) fn contains(item: &Value, set: &Value) -> Result<bool, String> {
    match set {
        Value::Null | Value::Json(Json::Null) => Ok(false),
        Value::List(items) => Ok(items.iter().any(|each| equal(item, each))),
        Value::Json(Json::Array(items)) => Ok(items.iter().any(|each| equal(item, &Value::Json(each.clone())))),
        _ if item.is_null() => Ok(false),
        Value::Text(_) | Value::Json(Json::String(_)) => match (item.as_text(), set.as_text()) {
            (Some(part), Some(whole)) => Ok(whole.contains(part)),
            _ => Err(format!("{} cannot be in text", item.type_of())),
        },
        Value::Struct(fields) => Ok(item.as_text().is_some_and(|name| fields.contains_key(name))),
        Value::Json(Json::Object(fields)) => Ok(item.as_text().is_some_and(|name| fields.contains_key(name))),
        other => Err(format!("nothing can be in {}", other.type_of())),
    }
}

/// `value.name`; null when there is none.
pub(crate) fn attribute(value: &Value, name: &str) -> Value {
    match value {
        Value::Struct(fields) => fields.get(name).cloned().unwrap_or(Value::Null),
        Value::Json(Json::Object(fields)) => fields.get(name).cloned().map_or(Value::Null, Value::Json),
        _ => Value::Null,
    }
}

/// `value[index]`; null when there is none. Negative numbers count from the end.
pub(crate) fn item(value: &Value, index: &Value) -> Value {
    if let Some(name) = index.as_text() {
        return attribute(value, name);
    }
    let Value::Int(at) = index.clone().peel() else {
        return Value::Null;
    };
    let place = |len: usize| {
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        usize::try_from(if at < 0 { at + len } else { at }).ok()
    };
    match value {
        Value::List(items) => place(items.len()).and_then(|at| items.get(at).cloned()).unwrap_or(Value::Null),
        Value::Json(Json::Array(items)) => {
            place(items.len()).and_then(|at| items.get(at).cloned()).map_or(Value::Null, Value::Json)
        }
        other => match other.as_text() {
            Some(text) => place(text.chars().count())
                .and_then(|at| text.chars().nth(at))
                .map_or(Value::Null, |c| Value::from(c.to_string())),
            None => Value::Null,
        },
    }
}

/// `value[start:stop]` of text (in characters) or a list, bounds as in Python.
pub(crate) fn slice(value: &Value, start: &Value, stop: &Value) -> Result<Value, String> {
    let bound = |at: &Value, len: usize, default: usize| match at.clone().peel() {
        Value::Int(at) => {
            let len_signed = i64::try_from(len).unwrap_or(i64::MAX);
            usize::try_from(if at < 0 { at.saturating_add(len_signed).max(0) } else { at }).unwrap_or(len).min(len)
        }
        _ => default,
    };
    match value {
        Value::Null | Value::Json(Json::Null) => Ok(Value::Null),
        Value::List(items) => {
            let (from, to) = (bound(start, items.len(), 0), bound(stop, items.len(), items.len()));
            Ok(Value::List(items[from..to.max(from)].to_vec()))
        }
        Value::Json(Json::Array(items)) => {
            let (from, to) = (bound(start, items.len(), 0), bound(stop, items.len(), items.len()));
            Ok(Value::Json(Json::Array(items[from..to.max(from)].to_vec())))
        }
        other => {
            let text = other.as_text().ok_or_else(|| format!("{} cannot be sliced", other.type_of()))?;
            let len = text.chars().count();
            let (from, to) = (bound(start, len, 0), bound(stop, len, len));
            Ok(Value::from(text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>()))
        }
    }
}
