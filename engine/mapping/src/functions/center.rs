//! `center`.

use std::borrow::Cow;

use super::{Function, FunctionKind, Rest, example, needed, optional, pad};

pub(super) static FUNCTION: Function = Function {
    name: "center",
    kinds: &[FunctionKind::Filter],
    signature: "text | center(width=80) -> text",
    doc: "Fills up with spaces on both sides to `width` characters (at most 10,000); longer text stays as it is.",
    examples: &[example("{{ '<' ~ ('ab' | center(5)) ~ '>' }}", "<  ab >"), example("{{ 'abc' | center(2) }}", "abc")],
    parameters: &[needed("value"), optional("width")],
    rest: Rest::None,
    bind: |binder| {
        let width = pad::width(binder, 1, 80)?;
        binder.text_to_text(false, move |text, _| {
            let missing = width.saturating_sub(text.chars().count());
            if missing == 0 {
                return Ok(Cow::Borrowed(text));
            }
            // Python gives the odd space to the left where the width is odd.
            let left = missing / 2 + (missing & width & 1);
            Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left)).into())
        })
    },
};
