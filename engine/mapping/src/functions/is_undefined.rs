//! `undefined`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "undefined",
    kinds: &[FunctionKind::Test],
    signature: "value is undefined",
    doc: "Whether the value is null, like `is none`.",
    examples: &[
        example("{{ none is undefined }}", "true"),
        example("{{ 'x' is undefined }}", "false"),
        example("{{ 'x' is not undefined }}", "true"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let plain = *binder.ty(0) != Type::Json;
        let bound = binder.rows(Type::Bool, false, "its input is json", |args, _| Ok(Value::Bool(args[0].is_null())));
        let bound = Bound { fallible: false, ..bound.seeing_nulls().nullable(false) };
        Ok(bound.with_if(plain, || Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).is_null()))))
    },
};
