//! `join`.

use super::items::{Attribute, item_type};
use super::{Function, FunctionKind, Rest, example, needed, optional};
use crate::value::Value;
use towpath_spec::Type;

pub(super) static FUNCTION: Function = Function {
    name: "join",
    kinds: &[FunctionKind::Filter],
    signature: "list | join(separator = '', attribute=?) -> text",
    doc: "The texts of all items, or of their fields of that name, with the separator between them; nulls are left out.",
    examples: &[
        example("{{ ['a', none, 'b'] | join(', ') }}", "a, b"),
        example("{{ [{'n': 'x'}, {'n': 'y'}] | join('+', attribute='n') }}", "x+y"),
    ],
    parameters: &[needed("value"), optional("separator"), optional("attribute")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        binder.text(1)?;
        let attribute = Attribute::of(binder, 2)?;
        attribute.ty(&item)?;
        Ok(binder.rows(Type::Text, false, "it reads lists", move |args, _| {
            let items = super::bound::items(&args[0])?.into_iter().map(|item| attribute.get(&item));
            let texts: Vec<String> = items.filter(|item| !item.is_null()).map(|item| item.to_text()).collect();
            Ok(Value::from(texts.join(args[1].as_text().unwrap_or(""))))
        }))
    },
};
