//! `number`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "number",
    kinds: &[FunctionKind::Test],
    signature: "value is number",
    doc: "Whether the value is a number; a bool is one, as in Python, null is none.",
    examples: &[example("{{ 1.5 is number }}", "true"), example("{{ '1.5' is number }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        Ok(shape::bind(binder, |shape| matches!(shape, Shape::Bool | Shape::Int | Shape::Float | Shape::Decimal)))
    },
};
