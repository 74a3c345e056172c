//! `false`.

use super::{Function, FunctionKind, Rest, example, needed, truth};

pub(super) static FUNCTION: Function = Function {
    name: "false",
    kinds: &[FunctionKind::Test],
    signature: "value is false",
    doc: "Whether the value is the bool `false`: null and values of other types are not.",
    examples: &[example("{{ (1 < 2) is false }}", "false"), example("{{ none is false }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| Ok(truth::bind(binder, false)),
};
