//! `to_date`.

use std::sync::Arc;

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Kernel, Rest, example, named, needed};
use crate::cast::{convert, parse_date, trimmed};
use crate::temporal;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "to_date",
    kinds: &[FunctionKind::Filter],
    signature: "value | to_date(format…, default=?) -> date",
    doc: "Makes a date of text, or gives the day of a datetime in its zone. Formats are strftime patterns, tried in order; without one, ISO 8601 is read. Text with a time that is not midnight needs a format that says so. What does not fit rejects its row, unless a default is given.",
    examples: &[
        example("{{ '2024-02-29' | to_date }}", "2024-02-29"),
        example("{{ '29.02.2024' | to_date('%d/%m/%Y', '%d.%m.%Y') }}", "2024-02-29"),
        example("{{ '2023-02-29' | to_date }}", "reject"),
        example("{{ '2024-01-01T23:30:00Z' | to_datetime(tz='Europe/Paris') | to_date }}", "2024-01-02"),
    ],
    parameters: &[needed("value"), named("default")],
    rest: Rest::Values,
    bind: |binder| {
        binder.expect(0, "text, a date or a datetime", |ty| {
            matches!(ty, Type::Text | Type::Date | Type::DateTime { .. })
        })?;
        let patterns = super::to_datetime::patterns(binder, 2)?;
        let read = Arc::new(move |text: &str| {
            if patterns.is_empty() {
                return parse_date(text);
            }
            let written = trimmed(text);
            let reading = patterns.iter().find_map(|pattern| pattern.parse(written));
            reading
                .map(|reading| temporal::days(reading.at.date()))
                .ok_or_else(|| super::to_datetime::unfit(text, &patterns))
        });
        let on_row = read.clone();
        let bound = binder.rows(Type::Date, *binder.ty(0) != Type::Date, "its input is not text", move |args, _| {
            match &args[0] {
                value @ (Value::Date(_) | Value::DateTime { .. }) => convert(value, &Type::Date),
                value => Ok(Value::Date(on_row(need_text(value)?)?)),
            }
        });
        Ok(bound.with_if(*binder.ty(0) == Type::Text, || Kernel::TextToDate(read)))
    },
};
