//! `pad_left`.

use super::{Function, FunctionKind, Rest, example, pad};

pub(super) static FUNCTION: Function = Function {
    name: "pad_left",
    kinds: &[FunctionKind::Filter],
    signature: "text | pad_left(width, fill=' ') -> text",
    doc: "Fills up on the left to `width` characters; longer text stays as it is. The width is at most 10,000.",
    examples: &[example("{{ '7' | pad_left(3, '0') }}", "007")],
    parameters: &pad::PARAMETERS,
    rest: Rest::None,
    bind: |binder| pad::bind(binder, |text, fill| format!("{fill}{text}")),
};
