//! `first`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "first",
    kinds: &[FunctionKind::Filter],
    signature: "list | first -> its items' type",
    doc: "The first item of a list, or the first character of text; null when there is none.",
    examples: &[example("{{ ['a', 'b'] | first }}", "a"), example("{{ '' | first }}", "null")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list or text", |ty| matches!(ty, Type::List(_) | Type::Text))?;
        let ty = super::bound::item_type(binder.ty(0));
        Ok(binder.rows(ty, false, "it reads lists", |args, _| Ok(ops::item(&args[0], &Value::Int(0)))).nullable(true))
    },
};
