//! `replace`.

use std::borrow::Cow;

use super::bound::{need_int, need_text};
use super::{Function, FunctionKind, Rest, example, needed, optional};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "replace",
    kinds: &[FunctionKind::Filter],
    signature: "text | replace(old, new, count?) -> text",
    doc: "Puts `new` in the place of every `old`, or of the first `count`.",
    examples: &[
        example("{{ 'a-b-c' | replace('-', '+') }}", "a+b+c"),
        example("{{ 'a-b-c' | replace('-', '', 1) }}", "ab-c"),
        example("{{ none | replace('a', 'b') }}", "null"),
    ],
    parameters: &[needed("value"), needed("old"), needed("new"), optional("count")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(1)?;
        binder.text(2)?;
        binder.int(3)?;
        binder.text_to_text(false, |text, rest| {
            let (old, new) = (need_text(&rest[0])?, need_text(&rest[1])?);
            if !text.contains(old) {
                return Ok(Cow::Borrowed(text));
            }
            Ok(match &rest[2] {
                Value::Null => text.replace(old, new),
                count => text.replacen(old, new, usize::try_from(need_int(count)?).unwrap_or(0)),
            }
            .into())
        })
    },
};
