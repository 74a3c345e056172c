//! `json_object`.

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Rest, example};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "json_object",
    kinds: &[FunctionKind::Function],
    signature: "json_object(name=value, …) -> json",
    doc: "A JSON object of the given fields.",
    examples: &[example("{{ json_object(id=7, name='Ada') | tojson }}", "{\"id\":7,\"name\":\"Ada\"}")],
    parameters: &[],
    rest: Rest::Named,
    bind: |binder| {
        let names: Vec<String> = binder.rest(0).filter_map(|(_, argument)| argument.name.clone()).collect();
        let bound = binder.rows(Type::Json, false, "it writes json", move |args, _| {
            let fields = names.iter().cloned().zip(args.iter().map(Value::to_json)).collect();
            Ok(Value::Json(serde_json::Value::Object(fields)))
        });
        Ok(Bound { fallible: false, ..bound.seeing_nulls().nullable(false) })
    },
};
