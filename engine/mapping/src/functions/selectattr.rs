//! `selectattr`.

use super::{Function, FunctionKind, Rest, example, keep, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "selectattr",
    kinds: &[FunctionKind::Filter],
    signature: "list | selectattr(attribute, test?, …) -> list",
    doc: "The items of a list of structs or of JSON for whose field a test holds, named by text, with its further arguments; without a test, those whose field is true. The field may be a path with dots.",
    examples: &[
        example(
            "{{ [{'n': 'a', 'on': true}, {'n': 'b', 'on': false}] | selectattr('on') | map(attribute='n') | join }}",
            "a",
        ),
        example(
            "{{ [{'n': 'a', 'p': 3}, {'n': 'b', 'p': 8}] | selectattr('p', 'gt', 5) | map(attribute='n') | join }}",
            "b",
        ),
    ],
    parameters: &[needed("value"), needed("attribute"), optional("test")],
    rest: Rest::Values,
    bind: |binder| keep::bind(binder, Some(1), 2, true),
};
