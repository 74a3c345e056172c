//! What `items` and `dictsort` share: a struct or JSON object as a list of its names and values.

use serde_json::Value as Json;
use towpath_spec::{Field, Type};

use super::bound::MISMATCH;
use super::{Binder, Problem};
use crate::value::Value;

/// The type of one pair: a struct of `key` and `value`.
pub(super) fn pair_type(binder: &Binder) -> Result<Type, Problem> {
    binder.expect(0, "a struct or json", |ty| matches!(ty, Type::Struct(_)))?;
    let value = match binder.ty(0) {
        Type::Struct(fields) => {
            let common = fields.iter().try_fold(Type::Null, |ty, field| crate::check::unify(&ty, &field.ty));
            common.ok_or_else(|| {
                Problem::new(MISMATCH, 0, format!("`{}` takes a struct whose fields are of one type", binder.function))
            })?
        }
        _ => Type::Json,
    };
    Ok(Type::Struct(vec![Field::new("key", Type::Text).required(), Field::new("value", value)]))
}

/// The names and values in order.
pub(super) fn pairs(value: &Value) -> Result<Vec<(String, Value)>, String> {
    match value {
        Value::Struct(fields) => Ok(fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
        Value::Json(Json::Object(fields)) => {
            Ok(fields.iter().map(|(name, value)| (name.clone(), Value::from_plain_json(value.clone()))).collect())
        }
        other => Err(format!("expected an object, found {}", other.type_of())),
    }
}

/// The list of pairs, values converted to their common type.
pub(super) fn list(pairs: Vec<(String, Value)>, pair: &Type) -> Result<Value, String> {
    let value_type = match pair {
        Type::Struct(fields) => fields.last().map(|field| &field.ty),
        _ => None,
    };
    let one = |(key, value): (String, Value)| {
        let value = value_type.map_or_else(|| Ok(value.clone()), |ty| crate::cast::convert(&value, ty))?;
        Ok(Value::Struct([("key".to_owned(), Value::from(key)), ("value".to_owned(), value)].into_iter().collect()))
    };
    pairs.into_iter().map(one).collect::<Result<_, String>>().map(Value::List)
}
