//! `matching`.

use std::sync::Arc;

use polars::prelude::lit;
use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "matching",
    kinds: &[FunctionKind::Test],
    signature: "text is matching(pattern)",
    doc: "Whether the pattern matches somewhere in the text; use `^…$` for all of it. Null matches nothing.",
    examples: &[
        example("{{ 'AB-12' is matching('^[A-Z]+-[0-9]+$') }}", "true"),
        example("{{ none is matching('a') }}", "false"),
    ],
    parameters: &[needed("value"), needed("pattern")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        let pattern = super::bound::pattern(binder, 1)?;
        let on_column = pattern.clone();
        let bound = binder
            .rows(Type::Bool, false, "its input is json", move |args, _| {
                Ok(Value::Bool(!args[0].is_null() && pattern.is_match(need_text(&args[0])?)))
            })
            .seeing_nulls()
            .nullable(false);
        Ok(bound.with_if(*binder.ty(0) == Type::Text, || {
            Kernel::Polars(Arc::new(move |mut args, _| {
                let pattern = on_column.clone();
                super::bound::text_to_bool(args.swap_remove(0), move |text| pattern.is_match(text))
                    .fill_null(lit(false))
            }))
        }))
    },
};
