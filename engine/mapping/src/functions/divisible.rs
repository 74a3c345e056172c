//! What `even`, `odd` and `divisibleby` share: whether a whole number leaves no rest.

use std::sync::Arc;

use polars::prelude::lit;
use towpath_spec::Type;

use super::bound::need_int;
use super::{Binder, Bound, Kernel, Problem};
use crate::value::Value;

/// Whether dividing by `by` leaves no rest (`wanted`) or one; false of null. `by` is not 0.
pub(super) fn bind(binder: &Binder, by: i64, wanted: bool) -> Result<Bound, Problem> {
    binder.int(0)?;
    let bound = binder.rows(Type::Bool, false, "its input is json", move |args, _| {
        if args[0].is_null() {
            return Ok(Value::Bool(false));
        }
        Ok(Value::Bool((need_int(&args[0])?.wrapping_rem(by) == 0) == wanted))
    });
    let bound = bound.seeing_nulls().nullable(false);
    // The smallest int cannot be divided by -1, which every number can be divided by.
    let by = if by == -1 { 1 } else { by };
    Ok(bound.with_if(*binder.ty(0) == Type::Int, || {
        Kernel::Polars(Arc::new(move |mut args, _| {
            let rest = args.swap_remove(0) % lit(by);
            let none = lit(0i64);
            if wanted { rest.eq(none) } else { rest.neq(none) }.fill_null(lit(false))
        }))
    }))
}
