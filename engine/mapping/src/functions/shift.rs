//! What `add` and `subtract` share: dates, datetimes and durations moved by a duration.

use towpath_spec::Type;

use super::bound::{ARGUMENTS, need_text};
use super::{Binder, Bound, Parameter, Problem, needed};
use crate::expr::Arithmetic;
use crate::value::Value;
use crate::{ops, temporal};

pub(super) static PARAMETERS: [Parameter; 2] = [needed("value"), needed("duration")];

/// `direction`: `+` or `-`.
pub(super) fn bind(binder: &Binder, direction: Arithmetic) -> Result<Bound, Problem> {
    binder.expect(0, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. } | Type::Duration))?;
    binder.expect(1, "a duration", |ty| matches!(ty, Type::Duration | Type::Text))?;
    if let Some(constant) = binder.get(1).and_then(|argument| argument.constant).and_then(Value::as_text) {
        temporal::parse_duration(constant).map_err(|message| Problem::new(ARGUMENTS, 1, message))?;
    }
    let nullable = binder.rest(0).any(|(_, argument)| argument.nullable);
    let bound = binder.rows(binder.ty(0).clone(), true, "it moves dates row by row", move |args, _| {
        let by = match &args[1] {
            Value::Null => return Ok(Value::Null),
            duration @ Value::Duration(_) => duration.clone(),
            text => Value::Duration(temporal::parse_duration(need_text(text)?.trim())?),
        };
        ops::arithmetic(direction, &args[0], &by)
    });
    Ok(bound.nullable(nullable))
}
