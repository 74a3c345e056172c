//! `ne`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "ne",
    kinds: &[FunctionKind::Test],
    signature: "value is ne(other)",
    doc: "The same as `value != other`, for `select` and its like. (Jinja also writes it `!=`.)",
    examples: &[
        example("{{ 2 is ne(3) }}", "true"),
        example("{{ none is ne(3) }}", "true"),
        example("{{ [1, 2, 3] | select('ne', 2) | join }}", "13"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
