//! Parameters of streams and fields of operations: defaults, types, allowed values.
//!
//! Vendors are strict about types (`"12"` where 12 is expected is refused), and pipelines should not have to be: what was
//! given is turned into the declared type where nothing is lost.

use crate::plan::Given;
use crate::template::{Names, plain_text};
use serde_json::{Map, Value as Json};
use towpath_connector::{Record, Result};
use towpath_mapping::Value;
use towpath_spec::Type;

/// What was given, completed and typed.
pub(crate) enum Completed {
    Good(Json),
    /// A sentence about the first value that is missing or does not fit.
    Bad(String),
    /// A value that must be given is null or empty.
    Missing(String),
}

/// Completes what was given. Optional values that were not given are left out, or null when `nulls` is set.
///
/// # Errors
/// A default cannot be filled in.
pub(crate) fn complete(declared: &[Given], given: &Record, config: &Json, nulls: bool) -> Result<Completed> {
    let mut out = Map::with_capacity(declared.len());
    let mut known = 0;
    for one in declared {
        let name = &one.setting.name;
        let value = given.get(name);
        known += usize::from(value.is_some());
        let value = match (&one.default, value) {
            (Some(default), None | Some(Json::Null)) if value.is_none() || one.setting.required => {
                Some(default.value(&Names::config(config))?)
            }
            (Some(default), Some(Json::Null)) if nulls => Some(default.value(&Names::config(config))?),
            (_, value) => value.cloned(),
        };
        let Some(value) = value else {
            if one.setting.required {
                return Ok(Completed::Missing(format!("`{name}` is required")));
            }
            if nulls {
                out.insert(name.clone(), Json::Null);
            }
            continue;
        };
        if one.setting.required && (value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())) {
            return Ok(Completed::Missing(format!("`{name}` is required, and it is empty")));
        }
        match typed(&one.setting.ty, value) {
            Ok(value) => {
                if let Some(sentence) = outside(name, &one.setting.values, &value) {
                    return Ok(Completed::Bad(sentence));
                }
                match one.written.write(&one.setting.ty, value) {
                    Ok(value) => drop(out.insert(name.clone(), value)),
                    Err(reason) => return Ok(Completed::Bad(format!("`{name}`: {reason}"))),
                }
            }
            Err(reason) => return Ok(Completed::Bad(format!("`{name}`: {reason}"))),
        }
    }
    if known < given.len() {
        let others = given.iter().filter(|(name, _)| !declared.iter().any(|one| one.setting.name == **name));
        out.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(Completed::Good(Json::Object(out)))
}

/// A value in its declared type.
fn typed(ty: &Type, value: Json) -> std::result::Result<Json, String> {
    match (ty, value) {
        (_, Json::Null) => Ok(Json::Null),
        // Bytes travel as base64 in records.
        (Type::Binary, text @ Json::String(_)) => Value::from_json(&text, &Type::Binary).map(|_| text),
        // Lists and objects are sent as they were made.
        (Type::Json | Type::List(_) | Type::Struct(_), other) => Ok(other),
        // Times are sent in the format the pipeline gave them.
        (Type::Text | Type::Date | Type::DateTime { .. }, text @ Json::String(_)) => Ok(text),
        (Type::Int, Json::Number(number)) if number.is_i64() => Ok(Json::Number(number)),
        (Type::Text, scalar @ (Json::Number(_) | Json::Bool(_))) => {
            Ok(Json::from(plain_text(&scalar).unwrap_or_default()))
        }
        (ty, value) => Value::from_json(&value, ty).map(|value| value.to_json()),
    }
}

fn outside(name: &str, values: &[String], value: &Json) -> Option<String> {
    if values.is_empty() {
        return None;
    }
    let written = plain_text(value)?;
    if values.contains(&written) {
        return None;
    }
    Some(format!("`{name}` is `{written}`, expected one of {}", values.join(", ")))
}
