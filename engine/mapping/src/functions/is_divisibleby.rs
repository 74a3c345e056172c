//! `divisibleby`.

use super::bound::ARGUMENTS;
use super::{Function, FunctionKind, Problem, Rest, divisible, example, needed};
use crate::ops;

pub(super) static FUNCTION: Function = Function {
    name: "divisibleby",
    kinds: &[FunctionKind::Test],
    signature: "int is divisibleby(number)",
    doc: "Whether a whole number can be divided by a constant one without rest; null cannot.",
    examples: &[example("{{ 21 is divisibleby(7) }}", "true"), example("{{ 21 is divisibleby 6 }}", "false")],
    parameters: &[needed("value"), needed("number")],
    rest: Rest::None,
    bind: |binder| match binder.constant_int(1)? {
        Some(0) | None => Err(Problem::new(ARGUMENTS, 1, ops::BY_ZERO)),
        Some(by) => divisible::bind(binder, by, true),
    },
};
