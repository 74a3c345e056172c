//! `list`.

use towpath_spec::Type;

use super::items::list_type;
use super::{Function, FunctionKind, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "list",
    kinds: &[FunctionKind::Filter],
    signature: "value | list -> list",
    doc: "The characters of text as a list; a list stays as it is.",
    examples: &[example("{{ 'añb' | list | join('-') }}", "a-ñ-b"), example("{{ [1, 2] | list | length }}", "2")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a list or text", |ty| matches!(ty, Type::List(_) | Type::Text))?;
        let ty = if *binder.ty(0) == Type::Text { Type::List(Box::new(Type::Text)) } else { list_type(binder) };
        Ok(binder.rows(ty, false, "it makes lists", |args, _| {
            Ok(Value::List(match args[0].as_text() {
                Some(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
                None => super::bound::items(&args[0])?,
            }))
        }))
    },
};
