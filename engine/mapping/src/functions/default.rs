//! `default`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed, optional};

/// The checker turns this filter into a node of its own, since it also catches failures; see `Kind::Default`.
pub(super) static FUNCTION: Function = Function {
    name: "default",
    kinds: &[FunctionKind::Filter],
    signature: "value | default(other = '', empty_too = false) -> the common type",
    doc: "Gives `other` where the value is null or could not be converted; with `true` as second argument also where it is empty, zero or false.",
    examples: &[
        example("{{ none | default('none given') }}", "none given"),
        example("{{ 'abc' | int | default(0) }}", "0"),
        example("{{ '' | default('x') }}", ""),
        example("{{ '' | default('x', true) }}", "x"),
    ],
    parameters: &[needed("value"), optional("other"), optional("empty_too")],
    rest: Rest::None,
    bind: |binder| {
        Ok(binder
            .rows(Type::Json, false, "it is computed by the expression around it", |args, _| Ok(args[0].clone()))
            .seeing_nulls())
    },
};
