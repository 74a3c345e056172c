//! `round`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Problem, Rest, example, needed, optional};
use crate::ops;
use crate::value::Value;

#[derive(Clone, Copy)]
enum Method {
    Even,
    Up,
    Down,
}

fn float(x: f64, digits: u8, method: Method) -> f64 {
    let scale = 10f64.powi(i32::from(digits));
    if !(x * scale).is_finite() {
        return x;
    }
    match method {
        // Going by text rounds what the float says, as Python does, not what scaling it up makes of it.
        Method::Even if digits == 0 => x.round_ties_even(),
        Method::Even => format!("{x:.*}", usize::from(digits)).parse().unwrap_or(x),
        Method::Up => (x * scale).ceil() / scale,
        Method::Down => (x * scale).floor() / scale,
    }
}

fn decimal(value: &Value, digits: u8, scale: u8, method: Method) -> Result<Value, String> {
    if digits >= scale {
        return Ok(value.clone());
    }
    let Value::Decimal { unscaled, .. } = value else {
        return Ok(value.clone());
    };
    let step = 10i128.pow(u32::from(scale - digits));
    let whole = match method {
        Method::Even => ops::divide_even(*unscaled, step),
        Method::Up => -(-unscaled).div_euclid(step),
        Method::Down => unscaled.div_euclid(step),
    };
    let unscaled = whole * step;
    if unscaled.abs() < ops::DECIMAL_LIMIT {
        Ok(Value::Decimal { unscaled, scale })
    } else {
        Err(format!("{value} rounded has more than 38 digits"))
    }
}

pub(super) static FUNCTION: Function = Function {
    name: "round",
    kinds: &[FunctionKind::Filter],
    signature: "number | round(digits=0, method='common') -> float or decimal",
    doc: "Rounds to that many digits behind the point, half to even as Python does; `method` may be `ceil` or `floor`. An int stays an int, a decimal stays exact, a float a float.",
    examples: &[
        example("{{ 2.5 | round }}", "2.0"),
        example("{{ 2.345 | round(1) }}", "2.3"),
        example("{{ 2.1 | round(0, 'ceil') }}", "3.0"),
        example("{{ '2.50' | decimal(5, 2) | round(1) }}", "2.50"),
    ],
    parameters: &[needed("value"), optional("digits"), optional("method")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number", Type::is_numeric)?;
        let digits = binder.constant_int(1)?.unwrap_or(0);
        if !(0..=15).contains(&digits) {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "expected 0 to 15 digits"));
        }
        let digits = u8::try_from(digits).unwrap_or(0);
        let method = match binder.constant_text(2)?.unwrap_or("common") {
            "common" => Method::Even,
            "ceil" => Method::Up,
            "floor" => Method::Down,
            _ => {
                return Err(Problem::new(
                    towpath_spec::codes::WRONG_ARGUMENTS,
                    2,
                    "expected `common`, `ceil` or `floor`",
                ));
            }
        };
        // Rounding up can take a digit more.
        let ty = match binder.ty(0) {
            Type::Decimal { precision, scale } => Type::Decimal { precision: (precision + 1).min(38), scale: *scale },
            other => other.clone(),
        };
        let bound = binder.rows(
            ty.clone(),
            matches!(ty, Type::Decimal { .. }),
            "decimals are rounded row by row",
            move |args, _| match &args[0].clone().peel() {
                Value::Float(x) => Ok(Value::Float(float(*x, digits, method))),
                value @ Value::Decimal { scale, .. } => decimal(value, digits, *scale, method),
                value @ Value::Int(_) => Ok(value.clone()),
                other => Err(format!("expected a number, found {}", other.type_of())),
            },
        );
        Ok(match ty {
            Type::Float => bound.with(Kernel::FloatToFloat(Arc::new(move |x| float(x, digits, method)))),
            Type::Int => bound.with(Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0)))),
            _ => bound,
        })
    },
};
