//! `left`.

use super::bound::need_int;
use super::{Function, FunctionKind, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "left",
    kinds: &[FunctionKind::Filter],
    signature: "text | left(n) -> text",
    doc: "The first `n` characters.",
    examples: &[example("{{ 'Größe' | left(3) }}", "Grö"), example("{{ 'ab' | left(5) }}", "ab")],
    parameters: &[needed("value"), needed("n")],
    rest: Rest::None,
    bind: |binder| {
        binder.int(1)?;
        binder.text_to_text(false, |text, rest| {
            let n = usize::try_from(need_int(&rest[0])?).unwrap_or(0);
            Ok(super::bound::characters(text, 0, n).into())
        })
    },
};
