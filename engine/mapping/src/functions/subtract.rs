//! `subtract`.

use super::{Function, FunctionKind, Rest, example, shift};
use crate::expr::Arithmetic;

pub(super) static FUNCTION: Function = Function {
    name: "subtract",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | subtract(duration) -> datetime",
    doc: "A date or datetime that much earlier; the duration may be given as ISO 8601 text. A date moves by whole days. A duration is a length of time, and `P1D` is 24 hours: see `add`.",
    examples: &[example("{{ '2024-03-01' | to_date | subtract(duration('P1D')) }}", "2024-02-29")],
    parameters: &shift::PARAMETERS,
    rest: Rest::None,
    bind: |binder| shift::bind(binder, Arithmetic::Subtract),
};
