//! `today`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example};

pub(super) static FUNCTION: Function = Function {
    name: "today",
    kinds: &[FunctionKind::Function],
    signature: "today() -> date",
    doc: "The day the run started, in UTC.",
    examples: &[example("{{ today() }}", "2024-03-05")],
    parameters: &[],
    rest: Rest::None,
    bind: |binder| {
        let bound = binder.rows(Type::Date, false, "", |_, constants| Ok(constants.today()));
        Ok(bound
            .nullable(false)
            .with(Kernel::Polars(Arc::new(|_, constants| crate::lower::literal(&constants.today(), &Type::Date)))))
    },
};
