//! `pad_right`.

use std::borrow::Cow;

use super::bound::need_int;
use super::{Function, FunctionKind, Problem, Rest, example, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "pad_right",
    kinds: &[FunctionKind::Filter],
    signature: "text | pad_right(width, fill=' ') -> text",
    doc: "Fills up on the right to `width` characters; longer text stays as it is. The width is at most 10,000.",
    examples: &[example("{{ 'ab' | pad_right(4, '.') }}", "ab.."), example("{{ 'abcde' | pad_right(3) }}", "abcde")],
    parameters: &[needed("value"), needed("width"), optional("fill")],
    rest: Rest::None,
    bind: |binder| {
        binder.int(1)?;
        binder.text(2)?;
        if let Some(fill) = binder.constant_text(2)?
            && fill.chars().count() != 1
        {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 2, "the fill is one character"));
        }
        let width = binder.constant_int(1)?.unwrap_or(0);
        if !(0..=10_000).contains(&width) {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "the width is 0 to 10000"));
        }
        binder.text_to_text(false, |text, rest| {
            let width = usize::try_from(need_int(&rest[0])?).unwrap_or(0);
            let fill = rest[1].as_text().unwrap_or(" ");
            let missing = width.saturating_sub(text.chars().count());
            if missing == 0 {
                return Ok(Cow::Borrowed(text));
            }
            Ok(Cow::Owned(text.to_owned() + &fill.repeat(missing)))
        })
    },
};
