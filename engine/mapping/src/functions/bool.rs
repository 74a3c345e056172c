//! `bool`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed, optional};
use crate::cast::{convert, parse_bool};

pub(super) static FUNCTION: Function = Function {
    name: "bool",
    kinds: &[FunctionKind::Filter],
    signature: "value | bool(default?) -> bool",
    doc: "Makes a bool of `true`, `yes`, `on`, `1`, `t`, `y` and their opposites in any case, or of 0 and 1. Anything else rejects its row, unless a default is given; the default also stands for null.",
    examples: &[
        example("{{ 'Yes' | bool }}", "true"),
        example("{{ 0 | bool }}", "false"),
        example("{{ 'maybe' | bool }}", "reject"),
        example("{{ 'maybe' | bool(false) }}", "false"),
    ],
    parameters: &[needed("value"), optional("default")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "text, an int or a bool", |ty| matches!(ty, Type::Text | Type::Int | Type::Bool))?;
        let from = binder.ty(0).clone();
        let bound = binder
            .rows(Type::Bool, from != Type::Bool, "its input is not text", |args, _| convert(&args[0], &Type::Bool));
        Ok(bound.with_if(from == Type::Text, || Kernel::TextToBool(Arc::new(parse_bool))))
    },
};
