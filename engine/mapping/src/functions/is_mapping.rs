//! `mapping`.

use super::shape::{self, Shape};
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "mapping",
    kinds: &[FunctionKind::Test],
    signature: "value is mapping",
    doc: "Whether the value is a struct or a JSON object; null is none.",
    examples: &[
        example("{{ {'a': 1} is mapping }}", "true"),
        example("{{ ('[1]' | parse_json) is mapping }}", "false"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(shape::bind(binder, |shape| shape == Shape::Mapping)),
};
