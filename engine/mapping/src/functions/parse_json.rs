//! `parse_json`.

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Rest, example, named, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "parse_json",
    kinds: &[FunctionKind::Filter],
    signature: "text | parse_json(default=?) -> json",
    doc: "Reads JSON text; what is none rejects its row, unless a default is given.",
    examples: &[
        example("{{ ('{\"a\": {\"b\": 2}}' | parse_json).a.b }}", "2"),
        example("{{ '{' | parse_json }}", "reject"),
    ],
    parameters: &[needed("value"), named("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        let bound = binder.rows(Type::Json, true, "it reads json", |args, _| {
            if let json @ Value::Json(serde_json::Value::Array(_) | serde_json::Value::Object(_)) = &args[0] {
                return Ok(json.clone());
            }
            serde_json::from_slice(&crate::exact_json(need_text(&args[0])?.as_bytes()))
                .map(Value::Json)
                .map_err(|error| format!("no JSON: {error}"))
        });
        Ok(bound.nullable(true))
    },
};
