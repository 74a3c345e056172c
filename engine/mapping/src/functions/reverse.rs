//! `reverse`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "reverse",
    kinds: &[FunctionKind::Filter],
    signature: "list | reverse -> list",
    doc: "The items of a list, or the characters of text, last first.",
    examples: &[example("{{ [1, 2, 3] | reverse | join(',') }}", "3,2,1"), example("{{ 'abc' | reverse }}", "cba")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        if *binder.ty(0) == Type::Text {
            return binder.text_to_text(false, |text, _| Ok(text.chars().rev().collect::<String>().into()));
        }
        binder.expect(0, "a list or text", |ty| matches!(ty, Type::List(_)))?;
        Ok(binder.rows(binder.ty(0).clone(), false, "it makes lists", |args, _| {
            if let Some(text) = args[0].as_text() {
                return Ok(Value::from(text.chars().rev().collect::<String>()));
            }
            let mut items = super::bound::items(&args[0])?;
            items.reverse();
            Ok(Value::List(items))
        }))
    },
};
