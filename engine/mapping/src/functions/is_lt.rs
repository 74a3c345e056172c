//! `lt`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "lt",
    kinds: &[FunctionKind::Test],
    signature: "value is lt(other)",
    doc: "The same as `value < other`, for `select` and its like. (`lessthan` is another name for it.)",
    examples: &[
        example("{{ 2 is lt(3) }}", "true"),
        example("{{ none is lt(3) }}", "false"),
        example("{{ [1, 2, 3] | select('lt', 2) | join }}", "1"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
