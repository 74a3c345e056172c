//! `lower`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "lower",
    kinds: &[FunctionKind::Filter],
    signature: "text | lower -> text",
    doc: "Makes all letters small, by Unicode's rules.",
    examples: &[example("{{ 'ÀDA' | lower }}", "àda")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let native = *binder.ty(0) == Type::Text;
        let bound = binder.text_to_text(false, |text, _| Ok(text.to_lowercase().into()))?;
        Ok(bound.with_if(native, || Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).str().to_lowercase()))))
    },
};
