//! `last`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "last",
    kinds: &[FunctionKind::Filter],
    signature: "list | last -> its items' type",
    doc: "The last item of a list, or the last character of text; null when there is none.",
    examples: &[example("{{ ['a', 'b'] | last }}", "b"), example("{{ 'xyz' | last }}", "z")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list or text", |ty| matches!(ty, Type::List(_) | Type::Text))?;
        let ty = super::bound::item_type(binder.ty(0));
        Ok(binder.rows(ty, false, "it reads lists", |args, _| Ok(ops::item(&args[0], &Value::Int(-1)))).nullable(true))
    },
};
