//! `empty`.

use std::sync::Arc;

use polars::prelude::lit;
use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Kernel, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "empty",
    kinds: &[FunctionKind::Test],
    signature: "value is empty",
    doc: "Whether the value is null, empty text, or an empty list or object.",
    examples: &[
        example("{{ '' is empty }}", "true"),
        example("{{ none is empty }}", "true"),
        example("{{ 0 is empty }}", "false"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let ty = binder.ty(0).clone();
        let bound = binder.rows(Type::Bool, false, "its input is nested", |args, _| {
            let counts = matches!(args[0], Value::Text(_) | Value::List(_) | Value::Struct(_) | Value::Binary(_))
                || matches!(&args[0], Value::Json(json) if !json.is_number() && !json.is_boolean());
            Ok(Value::Bool(args[0].is_null() || counts && !ops::truthy(&args[0])))
        });
        let bound = Bound { fallible: false, ..bound.seeing_nulls().nullable(false) };
        Ok(bound.with_if(ty == Type::Text, || {
            Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).eq(lit("")).fill_null(lit(true))))
        }))
    },
};
