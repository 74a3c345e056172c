//! Values of rows and of constants, and how they look as text and as JSON.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;
use towpath_spec::Type;

use crate::temporal;

/// A value of the language.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// An exact decimal number: `unscaled / 10^scale`.
    Decimal {
        /// All digits, without the point.
        unscaled: i128,
        /// Digits behind the point.
        scale: u8,
    },
    /// Unicode text.
    Text(Arc<str>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970: in UTC when there is a zone (the zone is how it is shown), else of the wall clock.
    DateTime {
        /// The microseconds.
        micros: i64,
        /// IANA name of the zone.
        zone: Option<Arc<str>>,
    },
    /// Microseconds.
    Duration(i64),
    /// Bytes.
    Binary(Arc<[u8]>),
    /// Values of one type.
    List(Vec<Value>),
    /// Named values in order.
    Struct(IndexMap<String, Value>),
    /// Any JSON value; operations look through it.
    Json(Json),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// Whether this is null, JSON's included.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Json(Json::Null))
    }

    /// The text, when this is text (JSON text included).
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A JSON scalar as the value it stands for; lists and objects stay JSON. Integers beyond 64 bits become decimals.
    #[must_use]
    pub fn peel(self) -> Self {
        match self {
            Self::Json(Json::Null) => Self::Null,
            Self::Json(Json::Bool(b)) => Self::Bool(b),
            Self::Json(Json::Number(n)) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(u)) => Self::Decimal { unscaled: u.into(), scale: 0 },
                _ => Self::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Self::Json(Json::String(text)) => Self::Text(text.into()),
            other => other,
        }
    }

    /// The type this value has by itself. Empty lists are lists of null.
    pub fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Decimal { scale, .. } => Type::Decimal { precision: 38, scale: *scale },
            Self::Text(_) => Type::Text,
            Self::Date(_) => Type::Date,
            Self::DateTime { zone, .. } => Type::DateTime { zone: zone.as_deref().map(str::to_owned) },
            Self::Duration(_) => Type::Duration,
            Self::Binary(_) => Type::Binary,
            Self::List(items) => {
                let inner = items.iter().try_fold(Type::Null, |ty, item| crate::check::unify(&ty, &item.type_of()));
                Type::List(Box::new(inner.unwrap_or(Type::Json)))
            }
            Self::Struct(fields) => Type::Struct(
                fields.iter().map(|(name, value)| towpath_spec::Field::new(name, value.type_of())).collect(),
            ),
            Self::Json(_) => Type::Json,
        }
    }

    /// The value as JSON: dates, datetimes, durations and decimals as text, bytes in base64, NaN and infinities as null.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(i) => Json::from(*i),
            Self::Float(x) => Json::from(*x),
            Self::Text(text) => Json::from(&**text),
            Self::Binary(bytes) => Json::from(data_encoding::BASE64.encode(bytes)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Struct(fields) => {
                Json::Object(fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
            }
            Self::Json(json) => json.clone(),
            other => Json::from(other.to_text()),
        }
    }

    /// Reads JSON as a value of a type, taking odd spellings (`"12"` for 12, `5` for `"5"`) where nothing is lost.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn from_json(json: &Json, ty: &Type) -> Result<Self, String> {
        crate::cast::json_to(json, ty)
    }

    /// A JSON value with the types JSON itself knows; lists and objects stay JSON.
    pub fn from_plain_json(json: Json) -> Self {
        Self::Json(json).peel()
    }

    /// The text of a value as templates print it; null is empty.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write_text(&mut out);
        out
    }

    /// Appends the text of the value.
    pub(crate) fn write_text(&self, out: &mut String) {
        use fmt::Write;
        match self {
            Self::Null | Self::Json(Json::Null) => {}
            Self::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Self::Int(i) => write!(out, "{i}").unwrap_or_default(),
            Self::Float(x) => write_float(*x, out),
            Self::Decimal { unscaled, scale } => write_decimal(*unscaled, *scale, out),
            Self::Text(text) => out.push_str(text),
            Self::Json(Json::String(text)) => out.push_str(text),
            Self::Date(days) => temporal::write_date(*days, out),
            Self::DateTime { micros, zone } => temporal::write_datetime(*micros, zone.as_deref(), out),
            Self::Duration(micros) => temporal::write_duration(*micros, out),
            Self::Binary(bytes) => out.push_str(&data_encoding::BASE64.encode(bytes)),
            Self::Json(Json::Number(_)) => self.clone().peel().write_text(out),
            Self::Json(Json::Bool(b)) => out.push_str(if *b { "true" } else { "false" }),
            Self::List(_) | Self::Struct(_) | Self::Json(_) => out.push_str(&self.to_json().to_string()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// A float as Python prints it: the shortest digits that read back the same, always with a point or an exponent.
pub(crate) fn write_float(x: f64, out: &mut String) {
    use fmt::Write;
    if x.is_nan() {
        return out.push_str("nan");
    }
    if x.is_infinite() {
        return out.push_str(if x > 0.0 { "inf" } else { "-inf" });
    }
    let magnitude = x.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        // Rust writes `1e-7`; Python pads the exponent to two digits and signs it.
        let written = format!("{x:e}");
        let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        write!(out, "{digits}e{sign}{exponent:0>2}").unwrap_or_default();
    } else {
        write!(out, "{x:?}").unwrap_or_default();
    }
}

/// A decimal with exactly its scale's digits behind the point.
pub(crate) fn write_decimal(unscaled: i128, scale: u8, out: &mut String) {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    if unscaled < 0 {
        out.push('-');
    }
    let (whole, behind) = digits.split_at(digits.len() - usize::from(scale));
    out.push_str(whole);
    if scale > 0 {
        out.push('.');
        out.push_str(behind);
    }
}
