//! What the tests `eq`, `ne`, `lt`, `le`, `gt` and `ge` share.
//!
//! Used as `x is lt(5)`, the checker makes the operator of them. What is bound here serves `select` and its like.

use towpath_spec::Type;

use super::bound::MISMATCH;
use super::{Binder, Bound, Parameter, Problem, needed};
use crate::expr::Comparison;
use crate::ops;
use crate::value::Value;

pub(super) static PARAMETERS: [Parameter; 2] = [needed("value"), needed("other")];

/// The comparison a test of this name stands for.
pub(crate) fn comparison(test: &str) -> Option<Comparison> {
    Some(match test {
        "eq" => Comparison::Equal,
        "ne" => Comparison::Unequal,
        "lt" => Comparison::Less,
        "le" => Comparison::LessEqual,
        "gt" => Comparison::Greater,
        "ge" => Comparison::GreaterEqual,
        _ => return None,
    })
}

/// Binds the test of the binder's name.
pub(super) fn bind(binder: &Binder) -> Result<Bound, Problem> {
    let op = comparison(binder.function).unwrap_or(Comparison::Equal);
    let (left, right) = (binder.ty(0), binder.ty(1));
    let equality = matches!(op, Comparison::Equal | Comparison::Unequal);
    let nested = |ty: &Type| matches!(ty, Type::List(_) | Type::Struct(_));
    let fits = matches!((left, right), (Type::Json | Type::Null, _) | (_, Type::Json | Type::Null))
        || left.is_numeric() && right.is_numeric()
        || crate::check::unify(left, right).is_some_and(|ty| equality || !nested(&ty));
    if !fits {
        return Err(Problem::new(MISMATCH, 1, format!("cannot compare {left} with {right}")));
    }
    let bound = binder.rows(Type::Bool, false, "it compares row by row", move |args, _| {
        ops::compare(op, &args[0], &args[1]).map(Value::Bool)
    });
    let fallible = bound.fallible && !equality;
    Ok(Bound { fallible, ..bound.seeing_nulls().nullable(false) })
}
