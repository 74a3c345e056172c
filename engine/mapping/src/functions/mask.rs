//! `mask`.

use super::bound::need_int;
use super::{Function, FunctionKind, Rest, example, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "mask",
    kinds: &[FunctionKind::Filter],
    signature: "text | mask(keep=4, with='*') -> text",
    doc: "Hides all but the last `keep` characters.",
    examples: &[
        example("{{ '4111111111111111' | mask }}", "************1111"),
        example("{{ 'Ada' | mask(1, '•') }}", "••a"),
    ],
    parameters: &[needed("value"), optional("keep"), optional("with")],
    rest: Rest::None,
    bind: |binder| {
        binder.int(1)?;
        binder.text(2)?;
        binder.text_to_text(false, |text, rest| {
            let keep = if rest[0].is_null() { 4 } else { usize::try_from(need_int(&rest[0])?).unwrap_or(0) };
            let hidden = text.chars().count().saturating_sub(keep);
            let tail = super::bound::characters(text, hidden, usize::MAX);
            Ok((rest[1].as_text().unwrap_or("*").repeat(hidden) + tail).into())
        })
    },
};
