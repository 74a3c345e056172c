//! `regex_replace`.

use super::bound::need_text;
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "regex_replace",
    kinds: &[FunctionKind::Filter],
    signature: "text | regex_replace(pattern, replacement) -> text",
    doc: "Puts the replacement in the place of every match; `$1` or `${name}` stand for what a group matched. Patterns are those of the Rust `regex` crate, which takes time linear in the text.",
    examples: &[
        example("{{ 'tel. 0171-55' | regex_replace('[^0-9]+', '') }}", "017155"),
        example("{{ 'Lovelace, Ada' | regex_replace('(\\\\w+), (\\\\w+)', '$2 $1') }}", "Ada Lovelace"),
    ],
    parameters: &[needed("value"), needed("pattern"), needed("replacement")],
    rest: Rest::None,
    bind: |binder| {
        let pattern = super::bound::pattern(binder, 1)?;
        binder.text(2)?;
        binder.text_to_text(false, move |text, rest| Ok(pattern.replace_all(text, need_text(&rest[1])?)))
    },
};
