//! What `min` and `max` share: the item of a list, or the one of several values, that is furthest to one side.

use std::cmp::Ordering;

use super::items::{Attribute, fold};
use super::{Binder, Bound, Parameter, Problem, named, needed};
use crate::ops;
use crate::value::Value;

pub(super) static PARAMETERS: [Parameter; 3] = [needed("value"), named("attribute"), named("case_sensitive")];

/// `side`: how the one wanted compares with all others. Of equal ones the first is taken.
pub(super) fn bind(binder: &Binder, side: Ordering) -> Result<Bound, Problem> {
    let attribute = Attribute::of(binder, 1)?;
    let folds = super::items::folds(binder, 2)?;
    let several = binder.rest(3).next().is_some();
    let ty = if several {
        if let Some(slot) = [1, 2].into_iter().find(|slot| binder.get(*slot).is_some()) {
            let message = format!("this argument of `{}` is for lists", binder.function);
            return Err(Problem::new(super::bound::ARGUMENTS, slot, message));
        }
        binder.common_type()?
    } else {
        let item = super::items::item_type(binder, 0)?;
        attribute.ty(&item)?;
        item
    };
    let out = ty.clone();
    let run = binder.rows(ty, false, "it compares row by row", move |args, _| {
        let items = match &args[0] {
            _ if several => args[..1].iter().chain(&args[3..]).cloned().collect(),
            value if value.is_null() => Vec::new(),
            value => super::bound::items(value)?,
        };
        let mut best: Option<(Value, Value)> = None;
        for item in items {
            let by = fold(attribute.get(&item), folds);
            if by.is_null() {
                continue;
            }
            if best.as_ref().is_none_or(|(most, _)| ops::order(&by, most) == Some(side)) {
                best = Some((by, item));
            }
        }
        crate::cast::convert(&best.map(|(_, item)| item).unwrap_or_default(), &out)
    });
    Ok(run.seeing_nulls().nullable(true))
}
