//! `in`.

use towpath_spec::Type;

use super::bound::MISMATCH;
use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "in",
    kinds: &[FunctionKind::Test],
    signature: "value is in(set)",
    doc: "The same as `value in set`, for `select` and its like.",
    examples: &[
        example("{{ 2 is in([1, 2]) }}", "true"),
        example("{{ ['a', 'b', 'c'] | reject('in', ['b']) | join }}", "ac"),
    ],
    parameters: &[needed("value"), needed("set")],
    rest: Rest::None,
    bind: |binder| {
        let (item, set) = (binder.ty(0), binder.ty(1));
        let fits = match (item, set) {
            (Type::Json | Type::Null, _) | (_, Type::Json | Type::Null) => true,
            (item, Type::List(inner)) => {
                crate::check::unify(item, inner).is_some() || item.is_numeric() && inner.is_numeric()
            }
            (item, set) => *item == Type::Text && matches!(set, Type::Text | Type::Struct(_)),
        };
        if !fits {
            return Err(Problem::new(MISMATCH, 1, format!("{item} cannot be in {set}")));
        }
        let bound = binder.rows(Type::Bool, false, "it looks row by row", |args, _| {
            ops::contains(&args[0], &args[1]).map(Value::Bool)
        });
        Ok(bound.seeing_nulls().nullable(false))
    },
};
