//! `format_datetime`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Problem, Rest, example, needed};
use crate::temporal;
use crate::value::Value;

fn print(pattern: &temporal::Pattern, micros: i64, zone: Option<&str>) -> Result<String, String> {
    let tz = zone.map(temporal::zone).transpose()?;
    let at = temporal::naive(micros).ok_or("the datetime is beyond the calendar")?;
    pattern.format(at, tz).ok_or_else(|| format!("`{}` cannot print this value", pattern.text))
}

pub(super) static FUNCTION: Function = Function {
    name: "format_datetime",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | format_datetime(format) -> text",
    doc: "Prints a date or datetime by a strftime pattern, in the zone of the value.",
    examples: &[
        example("{{ '2024-03-05T10:20:30Z' | to_datetime | format_datetime('%d/%m/%Y %H:%M') }}", "05/03/2024 10:20"),
        example(
            "{{ '2024-07-01T10:00:00Z' | to_datetime | in_timezone('Europe/London') | format_datetime('%H:%M %Z') }}",
            "11:00 BST",
        ),
    ],
    parameters: &[needed("value"), needed("format")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. }))?;
        let mut patterns = super::to_datetime::patterns(binder, 1)?;
        let Some(pattern) = patterns.pop() else {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "expected a pattern"));
        };
        let pattern = Arc::new(pattern);
        let ty = binder.ty(0).clone();
        if ty == Type::Date && pattern.format(chrono::DateTime::UNIX_EPOCH.naive_utc(), None).is_none() {
            return Err(Problem::new(
                towpath_spec::codes::WRONG_ARGUMENTS,
                1,
                "the pattern prints a zone, which a date does not have",
            ));
        }
        let on_row = pattern.clone();
        let bound = binder.rows(Type::Text, true, "its input is json", move |args, _| {
            match &args[0] {
                Value::Date(days) => print(&on_row, i64::from(*days) * 86_400_000_000, None),
                Value::DateTime { micros, zone } => print(&on_row, *micros, zone.as_deref()),
                other => Err(format!("expected a datetime, found {}", other.type_of())),
            }
            .map(Value::from)
        });
        Ok(match ty {
            Type::DateTime { zone } => {
                bound.with(Kernel::IntToText(Arc::new(move |micros| print(&pattern, micros, zone.as_deref()))))
            }
            Type::Date => bound.with(Kernel::DaysToText(Arc::new(move |days| {
                print(&pattern, i64::from(days) * 86_400_000_000, None)
            }))),
            _ => bound,
        })
    },
};
