//! `min`.

use std::cmp::Ordering;

use super::{Function, FunctionKind, Rest, example, extreme};

pub(super) static FUNCTION: Function = Function {
    name: "min",
    kinds: &[FunctionKind::Filter, FunctionKind::Function],
    signature: "list | min(attribute=?, case_sensitive=true) -> its items' type; min(a, b, …)",
    doc: "The smallest item of a list, or of several values; nulls are left out, of nothing it is null. With `attribute` the item whose field of that name is smallest. Text is compared by code points, or without regard to case with `case_sensitive=false` (Jinja's default).",
    examples: &[
        example("{{ [3, none, 1] | min }}", "1"),
        example("{{ min(2, 1.5) }}", "1.5"),
        example("{{ ([{'n': 'x', 'p': 7}, {'n': 'y', 'p': 5}] | min(attribute='p')).n }}", "y"),
        example("{{ ['b', 'A', 'a'] | min(case_sensitive=false) }}", "A"),
    ],
    parameters: &extreme::PARAMETERS,
    rest: Rest::Values,
    bind: |binder| extreme::bind(binder, Ordering::Less),
};
