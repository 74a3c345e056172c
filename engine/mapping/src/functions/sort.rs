//! `sort`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed, optional};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "sort",
    kinds: &[FunctionKind::Filter],
    signature: "list | sort(reverse=false) -> list",
    doc: "The items in order, null last. Text is ordered by code points, unlike in Jinja, which folds case by default.",
    examples: &[
        example("{{ [3, 1, 2] | sort | join(',') }}", "1,2,3"),
        example("{{ ['b', 'a'] | sort(reverse=true) | first }}", "b"),
    ],
    parameters: &[needed("value"), optional("reverse")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list", |ty| matches!(ty, Type::List(_)))?;
        let down = matches!(binder.constant(1)?, Some(Value::Bool(true)));
        Ok(binder.rows(binder.ty(0).clone(), false, "it makes lists", move |args, _| {
            let mut items = super::bound::items(&args[0])?;
            let rank = |value: &Value| value.is_null();
            items.sort_by(|a, b| {
                let order = ops::order(a, b).unwrap_or(std::cmp::Ordering::Equal);
                rank(a).cmp(&rank(b)).then(if down { order.reverse() } else { order })
            });
            Ok(Value::List(items))
        }))
    },
};
