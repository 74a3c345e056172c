//! `add`.

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::ops;
use crate::temporal;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "add",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | add(duration) -> datetime",
    doc: "A date or datetime that much later; the duration may be given as ISO 8601 text. A date moves by whole days.",
    examples: &[
        example("{{ '2024-01-31' | to_date | add('P1D') }}", "2024-02-01"),
        example("{{ '2024-01-31T00:00:00Z' | to_datetime | add(duration('PT90M')) }}", "2024-01-31T01:30:00+00:00"),
    ],
    parameters: &[needed("value"), needed("duration")],
    rest: Rest::None,
    bind: |binder| {
        binder
            .expect(0, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. } | Type::Duration))?;
        binder.expect(1, "a duration", |ty| matches!(ty, Type::Duration | Type::Text))?;
        if let Some(constant) = binder.get(1).and_then(|argument| argument.constant).and_then(Value::as_text) {
            temporal::parse_duration(constant)
                .map_err(|message| Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, message))?;
        }
        let nullable = binder.get(0).is_some_and(|a| a.nullable) || binder.get(1).is_some_and(|a| a.nullable);
        let bound = binder.rows(binder.ty(0).clone(), true, "it moves dates row by row", |args, _| {
            let by = match &args[1] {
                Value::Null => return Ok(Value::Null),
                duration @ Value::Duration(_) => duration.clone(),
                text => Value::Duration(temporal::parse_duration(need_text(text)?.trim())?),
            };
            ops::arithmetic(crate::expr::Arithmetic::Add, &args[0], &by)
        });
        Ok(bound.nullable(nullable))
    },
};
