//! `even`.

use super::{Function, FunctionKind, Rest, divisible, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "even",
    kinds: &[FunctionKind::Test],
    signature: "int is even",
    doc: "Whether a whole number is even; null is not.",
    examples: &[example("{{ -4 is even }}", "true"), example("{{ 3 is even }}", "false")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| divisible::bind(binder, 2, true),
};
