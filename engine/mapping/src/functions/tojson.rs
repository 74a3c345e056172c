//! `tojson`.

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "tojson",
    kinds: &[FunctionKind::Filter],
    signature: "value | tojson -> text",
    doc: "The value as JSON text, without spaces; null is `null`.",
    examples: &[example("{{ {'a': [1, none]} | tojson }}", "{\"a\":[1,null]}"), example("{{ none | tojson }}", "null")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let bound =
            binder.rows(Type::Text, false, "it writes json", |args, _| Ok(Value::from(args[0].to_json().to_string())));
        Ok(Bound { fallible: false, ..bound.seeing_nulls().nullable(false) })
    },
};
