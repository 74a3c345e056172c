//! `le`.

use super::{Function, FunctionKind, Rest, compared, example};

pub(super) static FUNCTION: Function = Function {
    name: "le",
    kinds: &[FunctionKind::Test],
    signature: "value is le(other)",
    doc: "The same as `value <= other`, for `select` and its like. (Jinja also writes it `<=`.)",
    examples: &[
        example("{{ 2 is le(3) }}", "true"),
        example("{{ none is le(3) }}", "false"),
        example("{{ [1, 2, 3] | select('le', 2) | join }}", "12"),
    ],
    parameters: &compared::PARAMETERS,
    rest: Rest::None,
    bind: compared::bind,
};
