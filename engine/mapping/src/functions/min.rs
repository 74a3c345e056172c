//! `min`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "min",
    kinds: &[FunctionKind::Filter, FunctionKind::Function],
    signature: "list | min -> its items' type; min(a, b, …)",
    doc: "The smallest item of a list, or of several values; nulls are left out, of nothing it is null.",
    examples: &[example("{{ [3, none, 1] | min }}", "1"), example("{{ min(2, 1.5) }}", "1.5")],
    parameters: &[needed("value")],
    rest: Rest::Values,
    bind: |binder| {
        let several = binder.rest(1).next().is_some();
        let ty = if several {
            binder.common_type()?
        } else {
            binder.expect(0, "a list", |ty| matches!(ty, Type::List(_)))?;
            super::bound::item_type(binder.ty(0))
        };
        let out = ty.clone();
        let run = binder.rows(ty, false, "it compares row by row", move |args, _| {
            let items = if several {
                args.to_vec()
            } else if args[0].is_null() {
                Vec::new()
            } else {
                super::bound::items(&args[0])?
            };
            let mut best = Value::Null;
            for item in items.into_iter().filter(|item| !item.is_null()) {
                if best.is_null() || ops::order(&item, &best).is_some_and(std::cmp::Ordering::is_lt) {
                    best = item;
                }
            }
            crate::cast::convert(&best, &out)
        });
        Ok(run.seeing_nulls().nullable(true))
    },
};
