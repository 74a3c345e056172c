//! `eq`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "eq",
    kinds: &[FunctionKind::Test],
    signature: "value is eq(other)",
    doc: "The same as `value == other`, for `select` and its like. (`equalto` is another name for it.)",
    examples: &[
        example("{{ 2 is eq(3) }}", "false"),
        example("{{ none is eq(3) }}", "false"),
        example("{{ [1, 2, 3] | select('eq', 2) | join }}", "2"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
