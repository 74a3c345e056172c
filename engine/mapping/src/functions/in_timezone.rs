//! `in_timezone`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Problem, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "in_timezone",
    kinds: &[FunctionKind::Filter],
    signature: "datetime | in_timezone(zone) -> datetime",
    doc: "The same instant, shown in another zone. A wall-clock time without a zone is taken as that of the zone.",
    examples: &[example(
        "{{ '2024-07-01T10:00:00Z' | to_datetime | in_timezone('America/New_York') }}",
        "2024-07-01T06:00:00-04:00",
    )],
    parameters: &[needed("value"), needed("zone")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a datetime", |ty| matches!(ty, Type::DateTime { .. }))?;
        let Some(zone) = super::to_datetime::zone_of(binder, 1)? else {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "expected the name of a zone"));
        };
        let ty = Type::DateTime { zone: Some(zone) };
        let target = ty.clone();
        let zoned = matches!(binder.ty(0), Type::DateTime { zone: Some(_) });
        let bound = binder.rows(ty.clone(), !zoned, "its input has no zone yet", move |args, _| match &args[0] {
            value @ Value::DateTime { .. } => crate::cast::convert(value, &target),
            other => Err(format!("expected a datetime, found {}", other.type_of())),
        });
        Ok(bound.with_if(zoned, || {
            Kernel::Polars(Arc::new(move |mut args, _| {
                let physical = args.swap_remove(0).to_physical();
                physical.cast(crate::columns::to_polars(&ty))
            }))
        }))
    },
};
