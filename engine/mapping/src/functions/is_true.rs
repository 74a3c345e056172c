//! `true`.

use super::{Function, FunctionKind, Rest, example, needed, truth};

pub(super) static FUNCTION: Function = Function {
    name: "true",
    kinds: &[FunctionKind::Test],
    signature: "value is true",
    doc: "Whether the value is the bool `true`: null and values of other types are not.",
    examples: &[example("{{ (1 < 2) is true }}", "true"), example("{{ none is true }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(truth::bind(binder, true)),
};
