//! `boolean`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "boolean",
    kinds: &[FunctionKind::Test],
    signature: "value is boolean",
    doc: "Whether the value is a bool; null is none.",
    examples: &[example("{{ false is boolean }}", "true"), example("{{ 0 is boolean }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| shape == Shape::Bool)),
};
