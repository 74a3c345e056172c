//! `ge`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "ge",
    kinds: &[FunctionKind::Test],
    signature: "value is ge(other)",
    doc: "The same as `value >= other`, for `select` and its like. (Jinja also writes it `>=`.)",
    examples: &[
        example("{{ 2 is ge(3) }}", "false"),
        example("{{ none is ge(3) }}", "false"),
        example("{{ [1, 2, 3] | select('ge', 2) | join }}", "23"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
