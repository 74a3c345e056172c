//! `right`.

use super::bound::need_int;
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "right",
    kinds: &[FunctionKind::Filter],
    signature: "text | right(n) -> text",
    doc: "The last `n` characters.",
    examples: &[example("{{ 'abcdef' | right(2) }}", "ef"), example("{{ 'ab' | right(5) }}", "ab")],
    parameters: &[needed("value"), needed("n")],
    rest: Rest::None,
    bind: |binder| {
        binder.int(1)?;
        binder.text_to_text(false, |text, rest| {
            let n = usize::try_from(need_int(&rest[0])?).unwrap_or(0);
            let skip = text.chars().count().saturating_sub(n);
            Ok(super::bound::characters(text, skip, usize::MAX).into())
        })
    },
};
