//! `unique`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "unique",
    kinds: &[FunctionKind::Filter],
    signature: "list | unique -> list",
    doc: "The items without repetitions, each at its first place.",
    examples: &[example("{{ ['a', 'b', 'a'] | unique | join(',') }}", "a,b")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list", |ty| matches!(ty, Type::List(_)))?;
        Ok(binder.rows(binder.ty(0).clone(), false, "it makes lists", |args, _| {
            let mut kept: Vec<Value> = Vec::new();
            for item in super::bound::items(&args[0])? {
                if !kept.iter().any(|known| ops::equal(known, &item)) {
                    kept.push(item);
                }
            }
            Ok(Value::List(kept))
        }))
    },
};
