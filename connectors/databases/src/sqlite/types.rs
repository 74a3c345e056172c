//! Types and values of SQLite.
//!
//! SQLite has numbers, texts and blobs, and a declared type that says nothing but what a value is turned into on its way in.
//! So what it does not have is text, declared by a name that keeps it text: `DECIMALTEXT(10,2)` is never made a
//! floating point number. Dates and times are ISO 8601.

use rusqlite::types::{Value as Stored, ValueRef};
use serde_json::Value as Json;
use towpath_mapping::Value;
use towpath_spec::Type;

/// How a column of a type is declared.
pub(crate) fn declared(ty: &Type) -> String {
    match ty {
        Type::Bool => "BOOLEAN".to_owned(),
        Type::Int => "INTEGER".to_owned(),
        Type::Float => "REAL".to_owned(),
        Type::Decimal { precision, scale } => format!("DECIMALTEXT({precision},{scale})"),
        Type::Date => "DATE".to_owned(),
        Type::DateTime { zone: Some(_) } => "DATETIME".to_owned(),
        Type::DateTime { zone: None } => "LOCALDATETIME".to_owned(),
        Type::Binary => "BLOB".to_owned(),
        Type::List(_) | Type::Struct(_) | Type::Json => "JSONTEXT".to_owned(),
        Type::Null | Type::Text | Type::Duration => "TEXT".to_owned(),
    }
}

/// The type a declaration stands for; `None`: it says nothing.
pub(crate) fn of_declared(written: &str) -> Option<Type> {
    let upper = written.trim().to_ascii_uppercase();
    let (name, rest) = upper.split_once('(').map_or((upper.as_str(), ""), |(name, rest)| (name.trim(), rest));
    let numbers: Vec<u8> = rest.trim_end_matches(')').split(',').filter_map(|one| one.trim().parse().ok()).collect();
    Some(match name {
        "BOOL" | "BOOLEAN" => Type::Bool,
        "DATE" => Type::Date,
        "DATETIME" | "TIMESTAMP" => Type::utc(),
        "LOCALDATETIME" => Type::DateTime { zone: None },
        "DECIMALTEXT" | "DECIMAL" | "NUMERIC" => match numbers.as_slice() {
            [precision, scale] if *precision <= 38 && scale <= precision => {
                Type::Decimal { precision: *precision, scale: *scale }
            }
            _ => Type::Float,
        },
        "JSON" | "JSONTEXT" => Type::Json,
        "BLOB" => Type::Binary,
        _ if name.contains("INT") => Type::Int,
        _ if name.contains("CHAR") || name.contains("CLOB") || name.contains("TEXT") => Type::Text,
        _ if name.contains("REAL") || name.contains("FLOA") || name.contains("DOUB") => Type::Float,
        _ => return None,
    })
}

/// Whether values of a type can stand in a column of another one without loss.
pub(crate) fn fits(value: &Type, column: &Type) -> bool {
    match (value, column) {
        (Type::Null, _) | (_, Type::Text) => !matches!(value, Type::Binary),
        (Type::Int, Type::Float) | (Type::Bool, Type::Int) => true,
        (Type::DateTime { .. }, Type::DateTime { .. }) => true,
        (Type::Decimal { scale, .. }, Type::Decimal { scale: room, .. }) => scale <= room,
        (Type::Int, Type::Decimal { .. }) => true,
        (Type::List(_) | Type::Struct(_), Type::Json) => true,
        (value, column) => value == column,
    }
}

/// A value as it is stored.
pub(crate) fn stored(value: Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Bool(yes) => Stored::Integer(i64::from(yes)),
        Value::Int(number) => Stored::Integer(number),
        // NaN has no place in SQLite.
        Value::Float(number) if number.is_nan() => Stored::Null,
        Value::Float(number) => Stored::Real(number),
        Value::Text(text) => Stored::Text(text.to_string()),
        Value::Binary(bytes) => Stored::Blob(bytes.to_vec()),
        Value::Json(Json::Null) => Stored::Null,
        Value::Json(json) => Stored::Text(json.to_string()),
        value @ (Value::List(_) | Value::Struct(_)) => Stored::Text(value.to_json().to_string()),
        value => Stored::Text(value.to_text()),
    }
}

/// What is stored, as a value of a type.
///
/// # Errors
/// Why it does not fit.
pub(crate) fn value(stored: ValueRef<'_>, ty: &Type) -> Result<Value, String> {
    let json = match (stored, ty) {
        (ValueRef::Null, _) => return Ok(Value::Null),
        (ValueRef::Integer(number), Type::Int) => return Ok(Value::Int(number)),
        (ValueRef::Integer(0), Type::Bool) => return Ok(Value::Bool(false)),
        (ValueRef::Integer(1), Type::Bool) => return Ok(Value::Bool(true)),
        (ValueRef::Real(number), Type::Float) => return Ok(Value::Float(number)),
        (ValueRef::Blob(bytes), Type::Binary) => return Ok(Value::Binary(bytes.into())),
        (ValueRef::Integer(number), _) => Json::from(number),
        (ValueRef::Real(number), _) => Json::from(number),
        (ValueRef::Text(text), ty) => {
            let text = std::str::from_utf8(text).map_err(|_| "the text is not UTF-8".to_owned())?;
            match ty {
                Type::Text => return Ok(Value::from(text)),
                Type::Json => match serde_json::from_str(text) {
                    Ok(json) => return Ok(Value::Json(json)),
                    Err(_) => Json::from(text),
                },
                _ => Json::from(text),
            }
        }
        (ValueRef::Blob(_), ty) => return Err(format!("bytes are no {ty}")),
    };
    Value::from_json(&json, ty)
}

/// The type of what is stored, where no declaration tells.
pub(crate) fn type_of(stored: ValueRef<'_>) -> Option<Type> {
    match stored {
        ValueRef::Null => None,
        ValueRef::Integer(_) => Some(Type::Int),
        ValueRef::Real(_) => Some(Type::Float),
        ValueRef::Text(_) => Some(Type::Text),
        ValueRef::Blob(_) => Some(Type::Binary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_read_back() {
        let types = [
            Type::Bool,
            Type::Int,
            Type::Float,
            Type::Decimal { precision: 10, scale: 2 },
            Type::Text,
            Type::Date,
            Type::utc(),
            Type::DateTime { zone: None },
            Type::Binary,
            Type::Json,
        ];
        for ty in types {
            assert_eq!(of_declared(&declared(&ty)), Some(ty));
        }
        assert_eq!(of_declared("VARCHAR(20)"), Some(Type::Text));
        assert_eq!(of_declared("bigint unsigned"), Some(Type::Int));
        assert_eq!(of_declared("DOUBLE PRECISION"), Some(Type::Float));
        assert_eq!(of_declared(""), None);
    }
}
