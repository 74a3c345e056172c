//! `pad_right`.

use super::{Function, FunctionKind, Rest, example, pad};

pub(super) static FUNCTION: Function = Function {
    name: "pad_right",
    kinds: &[FunctionKind::Filter],
    signature: "text | pad_right(width, fill=' ') -> text",
    doc: "Fills up on the right to `width` characters; longer text stays as it is. The width is at most 10,000.",
    examples: &[example("{{ 'ab' | pad_right(4, '.') }}", "ab.."), example("{{ 'abcde' | pad_right(3) }}", "abcde")],
    parameters: &pad::PARAMETERS,
    rest: Rest::None,
    bind: |binder| pad::bind(binder, |text, fill| format!("{text}{fill}")),
};
