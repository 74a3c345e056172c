//! What the tests `true` and `false` share: whether a value is that very bool.

use std::sync::Arc;

use polars::prelude::lit;
use towpath_spec::Type;

use super::{Binder, Bound, Kernel};
use crate::value::Value;

/// Null and values of other types are neither.
pub(super) fn bind(binder: &Binder, wanted: bool) -> Bound {
    let bound = binder.rows(Type::Bool, false, "its input is json", move |args, _| {
        Ok(Value::Bool(args[0].clone().peel() == Value::Bool(wanted)))
    });
    let bound = Bound { fallible: false, ..bound.seeing_nulls().nullable(false) };
    match binder.ty(0) {
        Type::Json => bound,
        Type::Bool => bound.with(Kernel::Polars(Arc::new(move |mut args, _| {
            args.swap_remove(0).eq(lit(wanted)).fill_null(lit(false))
        }))),
        _ => bound.with(Kernel::Polars(Arc::new(|_, _| lit(false)))),
    }
}
