//! `truncate`.

use std::borrow::Cow;

use super::bound::{ARGUMENTS, characters};
use super::{Binder, Function, FunctionKind, Problem, Rest, example, needed, optional};
use crate::ops;

fn size(binder: &Binder, slot: usize, default: i64) -> Result<usize, Problem> {
    let size = usize::try_from(binder.constant_int(slot)?.unwrap_or(default));
    size.map_err(|_| Problem::new(ARGUMENTS, slot, "expected 0 or more characters"))
}

pub(super) static FUNCTION: Function = Function {
    name: "truncate",
    kinds: &[FunctionKind::Filter],
    signature: "text | truncate(length=255, killwords=false, end='...', leeway=5) -> text",
    doc: "Cuts text that is more than `leeway` characters longer than `length` down to `length`, the `end` included: at the last space before, or inside a word with `killwords`.",
    examples: &[
        example("{{ 'foo bar baz qux' | truncate(9) }}", "foo..."),
        example("{{ 'foo bar baz qux' | truncate(9, true) }}", "foo ba..."),
        example("{{ 'foo bar baz qux' | truncate(11) }}", "foo bar baz qux"),
        example("{{ 'foo bar baz qux' | truncate(11, false, '…', 0) }}", "foo bar…"),
    ],
    parameters: &[needed("value"), optional("length"), optional("killwords"), optional("end"), optional("leeway")],
    rest: Rest::None,
    bind: |binder| {
        let length = size(binder, 1, 255)?;
        let kills = binder.constant(2)?.is_some_and(ops::truthy);
        let end = binder.constant_text(3)?.unwrap_or("...").to_owned();
        let leeway = size(binder, 4, 5)?;
        let Some(kept) = length.checked_sub(end.chars().count()) else {
            return Err(Problem::new(ARGUMENTS, 1, format!("the length has to hold the end, `{end}`")));
        };
        binder.text_to_text(false, move |text, _| {
            if text.chars().count() <= length.saturating_add(leeway) {
                return Ok(Cow::Borrowed(text));
            }
            let start = characters(text, 0, kept);
            let whole = start.rsplit_once(' ').map_or(start, |(words, _)| words);
            Ok(format!("{}{end}", if kills { start } else { whole }).into())
        })
    },
};
