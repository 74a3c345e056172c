//! `integer`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "integer",
    kinds: &[FunctionKind::Test],
    signature: "value is integer",
    doc: "Whether the value is an int; null is none.",
    examples: &[example("{{ 5 is integer }}", "true"), example("{{ 5.0 is integer }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| shape == Shape::Int)),
};
