//! `gt`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "gt",
    kinds: &[FunctionKind::Test],
    signature: "value is gt(other)",
    doc: "The same as `value > other`, for `select` and its like. (`greaterthan` is another name for it.)",
    examples: &[
        example("{{ 2 is gt(3) }}", "false"),
        example("{{ none is gt(3) }}", "false"),
        example("{{ [1, 2, 3] | select('gt', 2) | join }}", "3"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
