//! `map_values`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Problem, Rest, example, named, needed};
use crate::value::Value;

use std::collections::HashMap;

fn missing(key: &str) -> String {
    format!("{} is not in the table", crate::cast::quoted(key))
}

pub(super) static FUNCTION: Function = Function {
    name: "map_values",
    kinds: &[FunctionKind::Filter],
    signature: "value | map_values({from: to, …}, default=?) -> type of the table",
    doc: "Looks the value up in a code table. A value that is not in it rejects its row, unless a default is given, which also stands for null.",
    examples: &[
        example("{{ 'P' | map_values({'P': 'Passed', 'F': 'Failed'}) }}", "Passed"),
        example("{{ 'X' | map_values({'P': 'Passed'}) }}", "reject"),
        example("{{ 'X' | map_values({'P': 'Passed'}, default='Unknown') }}", "Unknown"),
        example("{{ 2 | map_values({1: 'one', 2: 'two'}) }}", "two"),
    ],
    parameters: &[needed("value"), needed("table"), named("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "text, an int or a bool", |ty| matches!(ty, Type::Text | Type::Int | Type::Bool))?;
        let table = match binder.constant(1)? {
            Some(Value::Struct(table)) => table,
            _ => {
                return Err(Problem::new(
                    towpath_spec::codes::WRONG_ARGUMENTS,
                    1,
                    "expected a table such as `{'a': 'b'}`",
                ));
            }
        };
        let mut ty = Type::Null;
        for value in table.values() {
            ty = crate::check::unify(&ty, &value.type_of()).ok_or_else(|| {
                Problem::new(towpath_spec::codes::TYPE_MISMATCH, 1, "the values of the table are of different types")
            })?;
        }
        let mut known: HashMap<String, Value> = HashMap::with_capacity(table.len());
        for (key, value) in table {
            let value = crate::cast::convert(value, &ty)
                .map_err(|message| Problem::new(towpath_spec::codes::TYPE_MISMATCH, 1, message))?;
            known.insert(key.clone(), value);
        }
        let nullable = binder.get(0).is_some_and(|a| a.nullable) || known.values().any(Value::is_null);
        let texts: Option<HashMap<String, String>> = (ty == Type::Text && *binder.ty(0) == Type::Text)
            .then(|| known.iter().map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect())
            .flatten();
        let bound = binder.rows(ty, true, "its input or the table is not text", move |args, _| {
            let key = args[0].to_text();
            known.get(&key).cloned().ok_or_else(|| missing(&key))
        });
        Ok(match texts {
            // A table without null gives null only where the value is null or the row fails.
            Some(texts) => bound.nullable(nullable).with(Kernel::TextTable(Arc::new(texts))),
            None => bound.nullable(nullable),
        })
    },
};
