//! `now`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example};

pub(super) static FUNCTION: Function = Function {
    name: "now",
    kinds: &[FunctionKind::Function],
    signature: "now() -> datetime",
    doc: "The time the run started, in UTC: the same for every row and every field of a run.",
    examples: &[example("{{ now() }}", "2024-03-05T10:00:00+00:00")],
    parameters: &[],
    rest: Rest::None,
    bind: |binder| {
        let bound = binder.rows(Type::utc(), false, "", |_, constants| Ok(constants.now()));
        Ok(bound
            .nullable(false)
            .with(Kernel::Polars(Arc::new(|_, constants| crate::lower::literal(&constants.now(), &Type::utc())))))
    },
};
