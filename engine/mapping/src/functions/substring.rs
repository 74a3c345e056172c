//! `substring`.

use super::bound::need_int;
use super::{Function, FunctionKind, Rest, example, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "substring",
    kinds: &[FunctionKind::Filter],
    signature: "text | substring(start, length?) -> text",
    doc: "The characters from `start` on (counted from 0, from the end when negative), at most `length` of them.",
    examples: &[
        example("{{ 'abcdef' | substring(1, 3) }}", "bcd"),
        example("{{ 'abcdef' | substring(-2) }}", "ef"),
        example("{{ 'abc' | substring(9) }}", ""),
    ],
    parameters: &[needed("value"), needed("start"), optional("length")],
    rest: Rest::None,
    bind: |binder| {
        binder.int(1)?;
        binder.int(2)?;
        binder.text_to_text(false, |text, rest| {
            let start = need_int(&rest[0])?;
            let count = if rest[1].is_null() { usize::MAX } else { usize::try_from(need_int(&rest[1])?).unwrap_or(0) };
            let skip = if start < 0 {
                let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
                text.chars().count().saturating_sub(back)
            } else {
                usize::try_from(start).unwrap_or(usize::MAX)
            };
            Ok(super::bound::characters(text, skip, count).into())
        })
    },
};
