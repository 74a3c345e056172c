//! `abs`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "abs",
    kinds: &[FunctionKind::Filter],
    signature: "number | abs -> number",
    doc: "The number without its sign. That of the smallest int does not fit 64 bits and rejects its row.",
    examples: &[example("{{ -3 | abs }}", "3"), example("{{ (1.5 - 4.0) | abs }}", "2.5")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number", Type::is_numeric)?;
        let ty = binder.ty(0).clone();
        let bound = binder.rows(ty.clone(), ty == Type::Int, "its input is not a float", |args, _| {
            match &args[0].clone().peel() {
                Value::Int(i) => {
                    i.checked_abs().map(Value::Int).ok_or_else(|| format!("{i} without its sign is beyond 64 bits"))
                }
                Value::Float(x) => Ok(Value::Float(x.abs())),
                Value::Decimal { unscaled, scale } => Ok(Value::Decimal { unscaled: unscaled.abs(), scale: *scale }),
                other => Err(format!("expected a number, found {}", other.type_of())),
            }
        });
        Ok(bound.with_if(ty == Type::Float, || Kernel::FloatToFloat(Arc::new(f64::abs))))
    },
};
