//! `decimal`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Problem, Rest, example, named, needed};
use crate::cast::to_decimal;

pub(super) static FUNCTION: Function = Function {
    name: "decimal",
    kinds: &[FunctionKind::Filter],
    signature: "value | decimal(precision, scale, default=?) -> decimal",
    doc: "Makes an exact decimal number. Text and decimals must fit the digits behind the point; a float is rounded to them, half to even. What does not fit rejects its row, unless a default is given.",
    examples: &[
        example("{{ '12.30' | decimal(10, 2) }}", "12.30"),
        example("{{ 0.1 | decimal(5, 3) }}", "0.100"),
        example("{{ '1.005' | decimal(10, 2) }}", "reject"),
    ],
    parameters: &[needed("value"), needed("precision"), needed("scale"), named("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number or text", |ty| ty.is_numeric() || matches!(ty, Type::Text | Type::Bool))?;
        let (precision, scale) = match (binder.constant_int(1)?, binder.constant_int(2)?) {
            (Some(p @ 1..=38), Some(s)) if (0..=p).contains(&s) => {
                (u8::try_from(p).unwrap_or(38), u8::try_from(s).unwrap_or(0))
            }
            _ => {
                return Err(Problem::new(
                    towpath_spec::codes::WRONG_ARGUMENTS,
                    1,
                    "expected a precision of 1 to 38 and a scale not above it",
                ));
            }
        };
        let ty = Type::Decimal { precision, scale };
        Ok(binder.rows(ty, true, "decimals are made row by row", move |args, _| {
            to_decimal(&args[0].clone().peel(), precision, scale, false)
        }))
    },
};
