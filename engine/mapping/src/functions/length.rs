//! `length`.

use std::sync::Arc;

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "length",
    kinds: &[FunctionKind::Filter],
    signature: "value | length -> int",
    doc: "How many characters, items or fields. (`count` is another name for it.)",
    examples: &[
        example("{{ 'Größe' | length }}", "5"),
        example("{{ [1, 2, 3] | length }}", "3"),
        example("{{ none | length }}", "null"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder
            .expect(0, "text, a list or a struct", |ty| matches!(ty, Type::Text | Type::List(_) | Type::Struct(_)))?;
        let bound = binder.rows(Type::Int, false, "its input is not text", |args, _| {
            let n = match &args[0] {
                Value::List(items) => items.len(),
                Value::Struct(fields) => fields.len(),
                Value::Json(serde_json::Value::Array(items)) => items.len(),
                Value::Json(serde_json::Value::Object(fields)) => fields.len(),
                text => need_text(text)?.chars().count(),
            };
            Ok(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)))
        });
        Ok(bound.with_if(*binder.ty(0) == Type::Text, || {
            Kernel::Polars(Arc::new(|mut args, _| {
                args.swap_remove(0).str().len_chars().cast(polars::prelude::DataType::Int64)
            }))
        }))
    },
};
