//! `coalesce`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "coalesce",
    kinds: &[FunctionKind::Function],
    signature: "coalesce(a, b, …) -> the common type",
    doc: "The first value that is not null. A value that cannot be converted still rejects its row; `| default` is what catches that.",
    examples: &[example("{{ coalesce(none, 'x', 'y') }}", "x"), example("{{ coalesce(none, none) }}", "null")],
    parameters: &[needed("value")],
    rest: Rest::Values,
    bind: |binder| {
        let ty = binder.common_type()?;
        let out = ty.clone();
        let last = binder.rest(0).all(|(_, argument)| argument.nullable);
        let bound = binder.rows(ty.clone(), false, "its values are of several types", move |args, _| {
            let first = args.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null);
            crate::cast::convert(&first, &out)
        });
        let same = binder.rest(0).all(|(_, argument)| *argument.ty == ty) && ty != Type::Json;
        let bound = bound.seeing_nulls().nullable(last);
        Ok(bound.with_if(same, || Kernel::Polars(Arc::new(|args, _| polars::prelude::coalesce(&args)))))
    },
};
