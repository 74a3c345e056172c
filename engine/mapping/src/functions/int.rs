//! `int`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed, optional};
use crate::cast::{convert, cut_to_int, float_to_int, rescale};
use crate::value::Value;

fn run(value: &Value) -> Result<Value, String> {
    Ok(Value::Int(match value {
        Value::Text(text) => cut_to_int(text)?,
        Value::Float(x) => float_to_int(*x)?,
        Value::Decimal { scale, .. } => {
            let cut = crate::ops::arithmetic(
                crate::expr::Arithmetic::Remainder,
                value,
                &Value::Decimal { unscaled: 10i128.pow((*scale).into()), scale: *scale },
            )?;
            let floor = crate::ops::arithmetic(crate::expr::Arithmetic::Subtract, value, &cut)?;
            let negative = matches!((value, &cut), (Value::Decimal { unscaled, .. }, Value::Decimal { unscaled: rest, .. }) if *unscaled < 0 && *rest != 0);
            match convert(&rescale(&floor, 0, false)?, &Type::Int)? {
                Value::Int(i) => i + i64::from(negative),
                _ => return Err("not a decimal".into()),
            }
        }
        other => return convert(other, &Type::Int),
    }))
}

pub(super) static FUNCTION: Function = Function {
    name: "int",
    kinds: &[FunctionKind::Filter],
    signature: "value | int(default?) -> int",
    doc: "Makes a whole number of text, a float, a decimal or a bool, cutting off what is behind the point. What is no number, or beyond 64 bits, rejects its row, unless a default is given; the default also stands for null. (Jinja gives 0 silently.)",
    examples: &[
        example("{{ ' 42 ' | int }}", "42"),
        example("{{ '12.7' | int }}", "12"),
        example("{{ '12.9999999999999999999' | int }}", "12"),
        example("{{ 'abc' | int }}", "reject"),
        example("{{ 'abc' | int(default=-1) }}", "-1"),
        example("{{ none | int }}", "null"),
    ],
    parameters: &[needed("value"), optional("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number, text or a bool", |ty| ty.is_numeric() || matches!(ty, Type::Text | Type::Bool))?;
        let from = binder.ty(0).clone();
        let bound = binder.rows(
            Type::Int,
            !matches!(from, Type::Int | Type::Bool),
            "its input is neither text nor a float",
            |args, _| run(&args[0].clone().peel()),
        );
        Ok(match from {
            Type::Text => bound.with(Kernel::TextToInt(Arc::new(cut_to_int))),
            Type::Float => bound.with(Kernel::FloatToInt(Arc::new(float_to_int))),
            Type::Int => bound.with(Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0)))),
            Type::Bool => bound.with(Kernel::Polars(Arc::new(|mut args, _| {
                args.swap_remove(0).cast(polars::prelude::DataType::Int64)
            }))),
            _ => bound,
        })
    },
};
