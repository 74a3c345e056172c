//! What tests such as `is number` and `is mapping` share: what a value is, known by its type but for json.

use std::sync::Arc;

use polars::prelude::lit;
use serde_json::Value as Json;
use towpath_spec::Type;

use super::{Binder, Bound, Kernel};
use crate::value::Value;

/// What a value is, as far as tests ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Bool,
    Int,
    Float,
    Decimal,
    Text,
    List,
    Mapping,
    Other,
}

impl Shape {
    /// Of all values of a type; `None`: they differ.
    fn of_type(ty: &Type) -> Option<Self> {
        Some(match ty {
            Type::Null | Type::Json => return None,
            Type::Bool => Self::Bool,
            Type::Int => Self::Int,
            Type::Float => Self::Float,
            Type::Decimal { .. } => Self::Decimal,
            Type::Text => Self::Text,
            Type::List(_) => Self::List,
            Type::Struct(_) => Self::Mapping,
            _ => Self::Other,
        })
    }

    /// Of one value; `None`: it is null.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Json(Json::Array(_)) => Some(Self::List),
            Value::Json(Json::Object(_)) => Some(Self::Mapping),
            other => Self::of_type(&other.clone().peel().type_of()),
        }
    }
}

/// A test of the shape; null has none, so that it fails all of them.
pub(super) fn bind(binder: &Binder, is: fn(Shape) -> bool) -> Bound {
    let bound = binder.rows(Type::Bool, false, "its input is json", move |args, _| {
        Ok(Value::Bool(Shape::of(&args[0]).is_some_and(is)))
    });
    let bound = Bound { fallible: false, ..bound.seeing_nulls().nullable(false) };
    match Shape::of_type(binder.ty(0)).map(is) {
        Some(true) => bound.with(Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).is_not_null()))),
        Some(false) => bound.with(Kernel::Polars(Arc::new(|_, _| lit(false)))),
        None => bound,
    }
}
