//! `base64_encode`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "base64_encode",
    kinds: &[FunctionKind::Filter],
    signature: "text | base64_encode -> text",
    doc: "The UTF-8 bytes of the text, or the bytes, in base64 with padding.",
    examples: &[example("{{ 'Ada' | base64_encode }}", "QWRh")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        if *binder.ty(0) == Type::Binary {
            return Ok(binder.rows(Type::Text, false, "it encodes bytes", |args, _| Ok(Value::from(args[0].to_text()))));
        }
        binder.text_to_text(false, |text, _| Ok(data_encoding::BASE64.encode(text.as_bytes()).into()))
    },
};
