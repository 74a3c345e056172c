//! `duration`.

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::temporal;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "duration",
    kinds: &[FunctionKind::Function, FunctionKind::Filter],
    signature: "duration(text) -> duration",
    doc: "A length of time, as ISO 8601: weeks, days, hours, minutes, seconds. Months and years have no fixed length and are refused.",
    examples: &[
        example("{{ duration('P1DT2H') }}", "P1DT2H"),
        example("{{ ('2024-01-31T00:00:00Z' | to_datetime) + duration('PT36H') }}", "2024-02-01T12:00:00+00:00"),
        example("{{ ('P1' ~ 'ä') | duration }}", "reject"),
    ],
    parameters: &[needed("text")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        if let Some(constant) = binder.get(0).and_then(|argument| argument.constant).and_then(Value::as_text) {
            temporal::parse_duration(constant)
                .map_err(|message| Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 0, message))?;
        }
        let fallible = binder.get(0).is_none_or(|argument| argument.constant.is_none());
        Ok(binder.rows(Type::Duration, fallible, "it reads durations", |args, _| {
            temporal::parse_duration(need_text(&args[0])?.trim()).map(Value::Duration)
        }))
    },
};
