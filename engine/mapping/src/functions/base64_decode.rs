//! `base64_decode`.

use std::borrow::Cow;

use super::{Function, FunctionKind, Rest, example, named, needed};
use crate::cast::quoted;

pub(super) static FUNCTION: Function = Function {
    name: "base64_decode",
    kinds: &[FunctionKind::Filter],
    signature: "text | base64_decode -> text",
    doc: "The text whose UTF-8 bytes are given in base64; other bytes, and what is no base64, reject the row.",
    examples: &[example("{{ 'QWRh' | base64_decode }}", "Ada"), example("{{ '!!' | base64_decode }}", "reject")],
    parameters: &[needed("value"), named("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.text_to_text(true, |text, _| {
            let bytes = data_encoding::BASE64
                .decode(text.trim().as_bytes())
                .map_err(|_| format!("{} is no base64", quoted(text)))?;
            String::from_utf8(bytes).map(Cow::Owned).map_err(|_| "the decoded bytes are no UTF-8 text".into())
        })
    },
};
