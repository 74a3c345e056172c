//! `float`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed, optional};
use crate::cast::{convert, parse_float};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "float",
    kinds: &[FunctionKind::Filter],
    signature: "value | float(default?) -> float",
    doc: "Makes a floating point number of text or another number. What is no number rejects its row, unless a default is given; the default also stands for null.",
    examples: &[
        example("{{ ' 1.5 ' | float }}", "1.5"),
        example("{{ '1e3' | float }}", "1000.0"),
        example("{{ 'x' | float }}", "reject"),
        example("{{ '1.5e400' | float }}", "reject"),
        example("{{ 'x' | float(0.0) }}", "0.0"),
    ],
    parameters: &[needed("value"), optional("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number, text or a bool", |ty| ty.is_numeric() || matches!(ty, Type::Text | Type::Bool))?;
        let from = binder.ty(0).clone();
        let bound = binder.rows(
            Type::Float,
            from == Type::Text,
            "its input is neither text nor a number",
            |args, _| match &args[0] {
                Value::Bool(b) => Ok(Value::Float(f64::from(u8::from(*b)))),
                other => convert(other, &Type::Float),
            },
        );
        Ok(match from {
            Type::Text => bound.with(Kernel::TextToFloat(Arc::new(parse_float))),
            Type::Int | Type::Float | Type::Bool => bound.with(Kernel::Polars(Arc::new(|mut args, _| {
                args.swap_remove(0).cast(polars::prelude::DataType::Float64)
            }))),
            _ => bound,
        })
    },
};
