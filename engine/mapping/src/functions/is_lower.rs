//! The test `lower`.

use super::{Function, FunctionKind, Rest, example, letters, needed};

pub(super) static FUNCTION: Function = Function {
    name: "lower",
    kinds: &[FunctionKind::Test],
    signature: "text is lower",
    doc: "Whether the text has letters and all that have case are small; null has none.",
    examples: &[
        example("{{ 'abc 1' is lower }}", "true"),
        example("{{ 'Abc' is lower }}", "false"),
        example("{{ '12' is lower }}", "false"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| letters::bind(binder, false),
};
