//! `capitalize`.

use super::{Function, FunctionKind, Rest, example, needed};

/// The first letter capital and all others small, the word looked at as a whole: a sigma that ends it is a final one.
pub(super) fn capitalized(word: &str) -> String {
    let Some(first) = word.chars().next() else {
        return String::new();
    };
    let small = word.to_lowercase();
    let rest = small.chars().skip(first.to_lowercase().count());
    first.to_uppercase().chain(rest).collect()
}

pub(super) static FUNCTION: Function = Function {
    name: "capitalize",
    kinds: &[FunctionKind::Filter],
    signature: "text | capitalize -> text",
    doc: "Makes the first letter capital and all others small.",
    examples: &[
        example("{{ 'aDA lovelace' | capitalize }}", "Ada lovelace"),
        example("{{ 'ΟΔΟΣ' | capitalize }}", "Οδος"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| binder.text_to_text(false, |text, _| Ok(capitalized(text).into())),
};
