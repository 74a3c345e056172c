//! What `batch` and `slice` share.

use towpath_spec::Type;

use super::bound::{ARGUMENTS, MISMATCH};
use super::{Binder, Problem};
use crate::cast::convert;
use crate::value::Value;

/// How many.
pub(super) fn count(binder: &Binder, slot: usize) -> Result<usize, Problem> {
    let count = binder.constant_int(slot)?.unwrap_or(0);
    let fits = usize::try_from(count).ok().filter(|count| (1..=100_000).contains(count));
    fits.ok_or_else(|| Problem::new(ARGUMENTS, slot, "the count is 1 to 100000"))
}

/// The type of items and fill, and the fill in it.
pub(super) fn fill(binder: &Binder, slot: usize, item: Type) -> Result<(Type, Option<Value>), Problem> {
    let Some(fill) = binder.constant(slot)?.filter(|fill| !fill.is_null()) else {
        return Ok((item, None));
    };
    let mismatch = || Problem::new(MISMATCH, slot, format!("the items are {item}, the fill is {}", fill.type_of()));
    let ty = crate::check::unify(&item, &fill.type_of()).ok_or_else(mismatch)?;
    let fill = convert(fill, &ty).map_err(|_| mismatch())?;
    Ok((ty, Some(fill)))
}

/// The items, in the type they share with the fill.
pub(super) fn items(value: &Value, ty: &Type) -> Result<Vec<Value>, String> {
    super::bound::items(value)?.iter().map(|item| convert(item, ty)).collect()
}
