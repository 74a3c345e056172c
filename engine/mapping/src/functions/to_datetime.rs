//! `to_datetime`.

use std::sync::Arc;

use towpath_spec::Type;

use super::bound::need_text;
use super::{Binder, Function, FunctionKind, Kernel, Problem, Rest, example, named, needed};
use crate::cast::{convert, quoted};
use crate::temporal::{self, Pattern};
use crate::value::Value;

/// The zone of a slot, checked.
pub(super) fn zone_of(binder: &Binder, slot: usize) -> Result<Option<String>, Problem> {
    let Some(name) = binder.constant_text(slot)? else {
        return Ok(None);
    };
    match temporal::zone(name) {
        Ok(_) => Ok(Some(name.to_owned())),
        Err(message) => Err(Problem {
            help: towpath_spec::diagnostic::nearest(name, temporal::zone_names())
                .map(|near| format!("did you mean `{near}`?")),
            ..Problem::new(towpath_spec::codes::UNKNOWN_ZONE, slot, message)
        }),
    }
}

/// The patterns given as arguments from a slot on.
pub(super) fn patterns(binder: &Binder, from: usize) -> Result<Vec<Pattern>, Problem> {
    let mut patterns = Vec::new();
    for (slot, _) in binder.rest(from) {
        let Some(text) = binder.constant_text(slot)? else {
            continue;
        };
        let pattern =
            Pattern::new(text).map_err(|message| Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, slot, message))?;
        if !pattern.has_fields() {
            return Err(Problem::new(
                towpath_spec::codes::WRONG_ARGUMENTS,
                slot,
                format!("`{text}` is no date pattern"),
            )
            .help("a pattern is written with `%`, e.g. `'%d/%m/%Y'`"));
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

/// Why no pattern fits a text.
pub(super) fn unfit(text: &str, patterns: &[Pattern]) -> String {
    if patterns.is_empty() {
        return format!("{} is no ISO 8601 date and time", quoted(text));
    }
    let written: Vec<String> = patterns.iter().map(|pattern| format!("`{}`", pattern.text)).collect();
    format!("{} does not fit {}", quoted(text), written.join(" or "))
}

pub(super) static FUNCTION: Function = Function {
    name: "to_datetime",
    kinds: &[FunctionKind::Filter],
    signature: "value | to_datetime(format…, tz='UTC', default=?) -> datetime",
    doc: "Makes an instant of text, a date (its midnight) or a wall-clock time. Formats are strftime patterns, tried in order; without one, ISO 8601 is read: a date, or a date and time with or without offset. Text without an offset is taken as the wall clock of `tz` (UTC when not given), which is also the zone of the result. A time the clocks skip rejects its row; of a time they show twice the earlier instant is taken. What does not fit rejects its row, unless a default is given.",
    examples: &[
        example("{{ '2024-03-05T10:00:00Z' | to_datetime }}", "2024-03-05T10:00:00+00:00"),
        example(
            "{{ '05/03/2024 10:00' | to_datetime('%Y-%m-%d %H:%M', '%d/%m/%Y %H:%M') }}",
            "2024-03-05T10:00:00+00:00",
        ),
        example("{{ '2024-07-01 09:30' | to_datetime(tz='Europe/London') }}", "2024-07-01T09:30:00+01:00"),
        example("{{ '2024-03-31 01:30' | to_datetime(tz='Europe/London') }}", "reject"),
        example("{{ '2024-10-27 01:30' | to_datetime(tz='Europe/London') }}", "2024-10-27T01:30:00+01:00"),
        example("{{ 'soon' | to_datetime }}", "reject"),
    ],
    parameters: &[needed("value"), named("tz"), named("default")],
    rest: Rest::Values,
    bind: |binder| {
        binder.expect(0, "text, a date or a datetime", |ty| {
            matches!(ty, Type::Text | Type::Date | Type::DateTime { .. })
        })?;
        let name = zone_of(binder, 1)?.unwrap_or_else(|| "UTC".into());
        let tz =
            temporal::zone(&name).map_err(|message| Problem::new(towpath_spec::codes::UNKNOWN_ZONE, 1, message))?;
        let patterns = patterns(binder, 3)?;
        let read = Arc::new(move |text: &str| {
            let trimmed = text.trim();
            let reading = if patterns.is_empty() {
                temporal::parse_iso(trimmed)
            } else {
                patterns.iter().find_map(|pattern| pattern.parse(trimmed))
            };
            reading.ok_or_else(|| unfit(text, &patterns))?.instant(tz)
        });
        let on_row = read.clone();
        let ty = Type::DateTime { zone: Some(name.clone()) };
        let target = ty.clone();
        let zone: Arc<str> = name.into();
        let same = matches!(binder.ty(0), Type::DateTime { zone: Some(_) });
        let bound = binder.rows(ty, !same, "its input is not text", move |args, _| match &args[0] {
            value @ (Value::Date(_) | Value::DateTime { .. }) => convert(value, &target),
            value => Ok(Value::DateTime { micros: on_row(need_text(value)?)?, zone: Some(zone.clone()) }),
        });
        Ok(bound.with_if(*binder.ty(0) == Type::Text, || Kernel::TextToInstant(read)))
    },
};
