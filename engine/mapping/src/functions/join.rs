//! `join`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed, optional};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "join",
    kinds: &[FunctionKind::Filter],
    signature: "list | join(separator = '') -> text",
    doc: "The texts of all items, with the separator between them; null items are left out.",
    examples: &[example("{{ ['a', none, 'b'] | join(', ') }}", "a, b")],
    parameters: &[needed("value"), optional("separator")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list", |ty| matches!(ty, Type::List(_)))?;
        binder.text(1)?;
        Ok(binder.rows(Type::Text, false, "it reads lists", |args, _| {
            let items = super::bound::items(&args[0])?;
            let texts: Vec<String> = items.iter().filter(|item| !item.is_null()).map(Value::to_text).collect();
            Ok(Value::from(texts.join(args[1].as_text().unwrap_or(""))))
        }))
    },
};
