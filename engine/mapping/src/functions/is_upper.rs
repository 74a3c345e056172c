//! The test `upper`.

use super::{Function, FunctionKind, Rest, example, letters, needed};

pub(super) static FUNCTION: Function = Function {
    name: "upper",
    kinds: &[FunctionKind::Test],
    signature: "text is upper",
    doc: "Whether the text has letters and all that have case are capital; null has none.",
    examples: &[
        example("{{ 'ABC 1' is upper }}", "true"),
        example("{{ 'Abc' is upper }}", "false"),
        example("{{ '12' is upper }}", "false"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| letters::bind(binder, true),
};
