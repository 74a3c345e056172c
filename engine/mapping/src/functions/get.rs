//! `get`.

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "get",
    kinds: &[FunctionKind::Filter],
    signature: "value | get(path) -> json",
    doc: "What stands at a path of names and numbers with dots between them, in a struct, list or JSON; null when there is nothing.",
    examples: &[
        example("{{ '{\"a\": [{\"b\": 7}]}' | parse_json | get('a.0.b') }}", "7"),
        example("{{ {'x': 1} | get('y') }}", "null"),
    ],
    parameters: &[needed("value"), needed("path")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "json, a struct or a list", |ty| matches!(ty, Type::Struct(_) | Type::List(_)))?;
        let path: Vec<Value> = binder
            .constant_text(1)?
            .unwrap_or_default()
            .split('.')
            .map(|part| part.parse::<i64>().map_or_else(|_| Value::from(part), Value::Int))
            .collect();
        let bound = binder.rows(Type::Json, false, "it looks into json", move |args, _| {
            let mut at = args[0].clone();
            for part in &path {
                at = ops::item(&at, part);
            }
            crate::cast::convert(&at, &Type::Json)
        });
        Ok(Bound { fallible: false, ..bound.nullable(true) })
    },
};
