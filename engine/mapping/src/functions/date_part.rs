//! `date_part`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::temporal;
use crate::value::Value;

use chrono::{Datelike, NaiveDateTime, Timelike};

const PARTS: [&str; 12] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "weekday",
    "day_of_year",
    "hour",
    "minute",
    "second",
    "microsecond",
    "epoch",
];

fn part(name: &str, at: NaiveDateTime, instant: i64) -> i64 {
    match name {
        "year" => at.year().into(),
        "quarter" => i64::from(at.month0() / 3 + 1),
        "month" => at.month().into(),
        "week" => at.iso_week().week().into(),
        "day" => at.day().into(),
        "weekday" => at.weekday().number_from_monday().into(),
        "day_of_year" => at.ordinal().into(),
        "hour" => at.hour().into(),
        "minute" => at.minute().into(),
        "second" => at.second().into(),
        "microsecond" => i64::from(at.and_utc().timestamp_subsec_micros()),
        _ => instant.div_euclid(1_000_000),
    }
}

pub(super) static FUNCTION: Function = Function {
    name: "date_part",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | date_part(part) -> int",
    doc: "One part of a date or datetime, in its zone: `year`, `quarter`, `month`, `week` (ISO), `day`, `weekday` (1 is Monday), `day_of_year`, `hour`, `minute`, `second`, `microsecond`, or `epoch` (whole seconds since 1970 in UTC).",
    examples: &[
        example("{{ '2024-03-05' | to_date | date_part('month') }}", "3"),
        example("{{ '2024-03-05T23:30:00Z' | to_datetime | in_timezone('Asia/Tokyo') | date_part('day') }}", "6"),
    ],
    parameters: &[needed("value"), needed("part")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a date or datetime", |ty| matches!(ty, Type::Date | Type::DateTime { .. }))?;
        let name = binder.constant_text(1)?.unwrap_or_default().to_owned();
        if !PARTS.contains(&name.as_str()) {
            return Err(Problem {
                help: towpath_spec::diagnostic::did_you_mean(&name, PARTS),
                ..Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, format!("unknown part `{name}`"))
            });
        }
        Ok(binder.rows(Type::Int, true, "it reads the calendar row by row", move |args, _| {
            let (at, instant) = match &args[0] {
                Value::Date(days) => (
                    temporal::date(*days).map(|day| day.and_time(chrono::NaiveTime::MIN)),
                    i64::from(*days) * 86_400_000_000,
                ),
                Value::DateTime { micros, zone } => {
                    (temporal::shown(*micros, zone.as_deref()).map(|(at, _)| at), *micros)
                }
                other => return Err(format!("expected a datetime, found {}", other.type_of())),
            };
            Ok(Value::Int(part(&name, at.ok_or("the datetime is beyond the calendar")?, instant)))
        }))
    },
};
