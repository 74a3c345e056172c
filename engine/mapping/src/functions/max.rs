//! `max`.

use std::cmp::Ordering;

use super::{Function, FunctionKind, Rest, example, extreme};

pub(super) static FUNCTION: Function = Function {
    name: "max",
    kinds: &[FunctionKind::Filter, FunctionKind::Function],
    signature: "list | max(attribute=?, case_sensitive=true) -> its items' type; max(a, b, …)",
    doc: "The largest item of a list, or of several values; nulls are left out, of nothing it is null. With `attribute` the item whose field of that name is largest. Text is compared by code points, or without regard to case with `case_sensitive=false` (Jinja's default).",
    examples: &[
        example("{{ [3, none, 1] | max }}", "3"),
        example("{{ max(2, 1.5) }}", "2.0"),
        example("{{ ([{'n': 'x', 'p': 7}, {'n': 'y', 'p': 5}] | max(attribute='p')).n }}", "x"),
    ],
    parameters: &extreme::PARAMETERS,
    rest: Rest::Values,
    bind: |binder| extreme::bind(binder, Ordering::Greater),
};
