//! `add`.

use super::{Function, FunctionKind, Rest, example, shift};
use crate::expr::Arithmetic;

pub(super) static FUNCTION: Function = Function {
    name: "add",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | add(duration) -> datetime",
    doc: "A date or datetime that much later; the duration may be given as ISO 8601 text. A date moves by whole days. A duration is a length of time: `P1D` is 24 hours, so across a change of the clocks a datetime with a zone shows another hour. To move by days of the calendar, move the date: `at | to_date | add('P1D')`.",
    examples: &[
        example("{{ '2024-01-31' | to_date | add('P1D') }}", "2024-02-01"),
        example("{{ '2024-01-31T00:00:00Z' | to_datetime | add(duration('PT90M')) }}", "2024-01-31T01:30:00+00:00"),
        example("{{ '2024-03-30T12:00' | to_datetime(tz='Europe/London') | add('P1D') }}", "2024-03-31T13:00:00+01:00"),
    ],
    parameters: &shift::PARAMETERS,
    rest: Rest::None,
    bind: |binder| shift::bind(binder, Arithmetic::Add),
};
