//! `upper`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "upper",
    kinds: &[FunctionKind::Filter],
    signature: "text | upper -> text",
    doc: "Makes all letters capital, by Unicode's rules.",
    examples: &[example("{{ 'straße' | upper }}", "STRASSE")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let native = *binder.ty(0) == Type::Text;
        let bound = binder.text_to_text(false, |text, _| Ok(text.to_uppercase().into()))?;
        Ok(bound.with_if(native, || Kernel::Polars(Arc::new(|mut args, _| args.swap_remove(0).str().to_uppercase()))))
    },
};
