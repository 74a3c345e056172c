//! `sum`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "sum",
    kinds: &[FunctionKind::Filter],
    signature: "list | sum -> number",
    doc: "The sum of the items; nulls are left out, of nothing it is 0. A sum beyond 64 bits rejects its row.",
    examples: &[example("{{ [1, 2, 3] | sum }}", "6")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(
            0,
            "a list of numbers",
            |ty| matches!(ty, Type::List(inner) if inner.is_numeric() || matches!(**inner, Type::Json | Type::Null)),
        )?;
        let ty = match super::bound::item_type(binder.ty(0)) {
            Type::Null => Type::Int,
            Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale },
            other => other,
        };
        let out = ty.clone();
        Ok(binder.rows(ty, true, "it reads lists", move |args, _| {
            let mut total = Value::Int(0);
            for item in super::bound::items(&args[0])?.into_iter().filter(|item| !item.is_null()) {
                total = ops::arithmetic(crate::expr::Arithmetic::Add, &total, &item)?;
            }
            crate::cast::convert(&total, &out)
        }))
    },
};
