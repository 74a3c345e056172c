//! `string`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "string",
    kinds: &[FunctionKind::Filter],
    signature: "value | string -> text",
    doc: "The text of a value, as a template prints it; null stays null. Bools are `true` and `false` (Jinja: `True`), floats as Python prints them, datetimes ISO 8601 with their offset, lists and structs JSON.",
    examples: &[
        example("{{ 1.0 | string }}", "1.0"),
        example("{{ true | string }}", "true"),
        example("{{ none | string }}", "null"),
        example("{{ [1, 'a' | length] | string }}", "[1,1]"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let from = binder.ty(0).clone();
        let bound = binder.rows(Type::Text, false, "its input is nested", |args, _| Ok(Value::from(args[0].to_text())));
        // Every value has a text, whatever its type turns out to be.
        let bound = Bound { fallible: false, ..bound };
        let plain = !matches!(from, Type::Json | Type::List(_) | Type::Struct(_) | Type::Decimal { .. } | Type::Binary);
        Ok(bound.with_if(plain, || {
            Kernel::Polars(Arc::new(move |mut args, _| crate::lower::as_text(args.swap_remove(0), &from)))
        }))
    },
};
