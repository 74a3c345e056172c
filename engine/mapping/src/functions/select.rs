//! `select`.

use super::{Function, FunctionKind, Rest, example, keep, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "select",
    kinds: &[FunctionKind::Filter],
    signature: "list | select(test?, …) -> list",
    doc: "The items for which a test holds, named by text, with its further arguments; without a test, the items that are true.",
    examples: &[
        example("{{ [1, 2, 3, 4] | select('even') | join(',') }}", "2,4"),
        example("{{ [5, 7, 9] | select('gt', 5) | list | length }}", "2"),
        example("{{ ['a', '', none] | select | join(',') }}", "a"),
    ],
    parameters: &[needed("value"), optional("test")],
    rest: Rest::Values,
    bind: |binder| keep::bind(binder, None, 1, true),
};
