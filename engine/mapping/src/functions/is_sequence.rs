//! `sequence`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "sequence",
    kinds: &[FunctionKind::Test],
    signature: "value is sequence",
    doc: "Whether the value has items that can be looked up: the same values as `is iterable`. To tell lists from text, say `is sequence and not … is string`.",
    examples: &[example("{{ [1] is sequence }}", "true"), example("{{ none is sequence }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| matches!(shape, Shape::Text | Shape::List | Shape::Mapping))),
};
