//! What `select`, `reject`, `selectattr` and `rejectattr` share: the items for which a test holds, or does not.

use super::items::{Attribute, Named, item_type, list_type};
use super::{Binder, Bound, FunctionKind, Problem};
use crate::ops;
use crate::value::Value;

/// Keeps items. `attribute`: the slot that names a field, if the filter has one; `test`: the slot with the name of the
/// test, further arguments behind it; `wanted`: what the test has to say.
pub(super) fn bind(binder: &Binder, attribute: Option<usize>, test: usize, wanted: bool) -> Result<Bound, Problem> {
    let item = item_type(binder, 0)?;
    let field = attribute.map(|slot| Attribute::of(binder, slot)).transpose()?;
    let of = field.as_ref().map_or_else(|| Ok(item.clone()), |field| field.ty(&item))?;
    let test = match binder.get(test) {
        Some(_) => Some(Named::bind(binder, FunctionKind::Test, &of, test, test + 1)?),
        None => None,
    };
    let fallible = test.as_ref().is_some_and(Named::is_fallible);
    let nullable = binder.get(0).is_some_and(|argument| argument.nullable);
    let bound = binder.rows(list_type(binder), fallible, "it makes lists", move |args, constants| {
        if args[0].is_null() {
            return Ok(Value::Null);
        }
        let mut kept = Vec::new();
        for item in super::bound::items(&args[0])? {
            let value = field.as_ref().map_or_else(|| item.clone(), |field| field.get(&item));
            let holds = match &test {
                Some(test) => ops::truthy(&test.run(value, args, constants)?),
                None => ops::truthy(&value),
            };
            if holds == wanted {
                kept.push(item);
            }
        }
        Ok(Value::List(kept))
    });
    Ok(bound.seeing_nulls().nullable(nullable))
}
