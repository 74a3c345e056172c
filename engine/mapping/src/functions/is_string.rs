//! `string`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "string",
    kinds: &[FunctionKind::Test],
    signature: "value is string",
    doc: "Whether the value is text; null is none.",
    examples: &[
        example("{{ '5' is string }}", "true"),
        example("{{ 5 is string }}", "false"),
        example("{{ none is string }}", "false"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| shape == Shape::Text)),
};
