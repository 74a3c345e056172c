//! `odd`.

use super::{Function, FunctionKind, Rest, divisible, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "odd",
    kinds: &[FunctionKind::Test],
    signature: "int is odd",
    doc: "Whether a whole number is odd; null is not.",
    examples: &[example("{{ -3 is odd }}", "true"), example("{{ 4 is odd }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| divisible::bind(binder, 2, false),
};
