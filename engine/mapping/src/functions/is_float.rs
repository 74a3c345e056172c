//! `float`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "float",
    kinds: &[FunctionKind::Test],
    signature: "value is float",
    doc: "Whether the value is a float; a decimal is none, nor is null.",
    examples: &[example("{{ 5.0 is float }}", "true"), example("{{ 5 is float }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| shape == Shape::Float)),
};
