//! `days_between`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "days_between",
    kinds: &[FunctionKind::Function],
    signature: "days_between(from, to) -> int",
    doc: "Whole days from one date to another, by the calendar days each shows; negative when the second is earlier.",
    examples: &[example("{{ days_between('2024-02-28' | to_date, '2024-03-01' | to_date) }}", "2")],
    parameters: &[needed("from"), needed("to")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. }))?;
        binder.expect(1, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. }))?;
        let nullable = binder.rest(0).any(|(_, argument)| argument.nullable);
        let fallible = binder.rest(0).any(|(_, argument)| *argument.ty != Type::Date);
        let bound = binder.rows(Type::Int, fallible, "it reads the calendar row by row", |args, _| {
            let day = |value: &Value| match value {
                Value::Null => Ok(None),
                Value::Text(_) => Err("expected a date, found text".to_owned()),
                other => match crate::cast::convert(other, &Type::Date)? {
                    Value::Date(days) => Ok(Some(i64::from(days))),
                    _ => Ok(None),
                },
            };
            let (from, to) = (day(&args[0])?, day(&args[1])?);
            Ok(from.zip(to).map(|(from, to)| to - from).into())
        });
        Ok(bound.nullable(nullable))
    },
};
