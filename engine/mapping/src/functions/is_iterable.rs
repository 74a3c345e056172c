//! `iterable`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "iterable",
    kinds: &[FunctionKind::Test],
    signature: "value is iterable",
    doc: "Whether the value is a list, text, a struct, or a JSON array or object; null is none.",
    examples: &[example("{{ [1] is iterable }}", "true"), example("{{ 1 is iterable }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| matches!(shape, Shape::Text | Shape::List | Shape::Mapping))),
};
