//! `reject`.

use super::{Function, FunctionKind, Rest, example, keep, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "reject",
    kinds: &[FunctionKind::Filter],
    signature: "list | reject(test?, …) -> list",
    doc: "The items for which a test does not hold; without a test, the items that are false: the opposite of `select`. It has nothing to do with rejected rows.",
    examples: &[
        example("{{ [1, 2, 3, 4] | reject('even') | join(',') }}", "1,3"),
        example("{{ ['a', none, 'b'] | reject('none') | length }}", "2"),
    ],
    parameters: &[needed("value"), optional("test")],
    rest: Rest::Values,
    bind: |binder| keep::bind(binder, None, 1, false),
};
