//! `urlencode`.

use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "urlencode",
    kinds: &[FunctionKind::Filter],
    signature: "text | urlencode -> text",
    doc: "Percent-encodes for a part of a URL; letters, digits and `-._~/` stay.",
    examples: &[example("{{ 'a b&c/ü' | urlencode }}", "a%20b%26c/%C3%BC")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.text_to_text(false, |text, _| {
            let mut out = String::with_capacity(text.len());
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push('%');
                    out.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
                }
            }
            Ok(out.into())
        })
    },
};
