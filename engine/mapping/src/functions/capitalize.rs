//! `capitalize`.

use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "capitalize",
    kinds: &[FunctionKind::Filter],
    signature: "text | capitalize -> text",
    doc: "Makes the first letter capital and all others small.",
    examples: &[example("{{ 'aDA lovelace' | capitalize }}", "Ada lovelace")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.text_to_text(false, |text, _| {
            let mut chars = text.chars();
            let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
            Ok((first + &chars.as_str().to_lowercase()).into())
        })
    },
};
