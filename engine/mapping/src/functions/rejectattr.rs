//! `rejectattr`.

use super::{Function, FunctionKind, Rest, example, keep, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "rejectattr",
    kinds: &[FunctionKind::Filter],
    signature: "list | rejectattr(attribute, test?, …) -> list",
    doc: "The items of a list of structs or of JSON for whose field a test does not hold; without a test, those whose field is false: the opposite of `selectattr`.",
    examples: &[example(
        "{{ [{'n': 'a', 'p': 3}, {'n': 'b', 'p': 8}] | rejectattr('p', 'gt', 5) | map(attribute='n') | join }}",
        "a",
    )],
    parameters: &[needed("value"), needed("attribute"), optional("test")],
    rest: Rest::Values,
    bind: |binder| keep::bind(binder, Some(1), 2, false),
};
