//! `trim`.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::{NULL, lit};
use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "trim",
    kinds: &[FunctionKind::Filter],
    signature: "text | trim(chars?) -> text",
    doc: "Takes white space, or the given characters, off both ends.",
    examples: &[
        example("{{ '  Ada ' | trim }}", "Ada"),
        example("{{ '--x-y--' | trim('-') }}", "x-y"),
        example("{{ none | trim }}", "null"),
    ],
    parameters: &[needed("value"), optional("chars")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(1)?;
        let native = binder.get(1).is_none() && *binder.ty(0) == Type::Text;
        let bound = binder.text_to_text(false, |text, rest| {
            Ok(Cow::Borrowed(match rest[0].as_text() {
                Some(chars) => text.trim_matches(|c| chars.contains(c)),
                None => text.trim(),
            }))
        })?;
        Ok(bound.with_if(native, || {
            Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).str().strip_chars(lit(NULL))))
        }))
    },
};
