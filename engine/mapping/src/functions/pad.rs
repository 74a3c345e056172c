//! What `pad_left` and `pad_right` share.

use std::borrow::Cow;

use super::bound::need_int;
use super::{Binder, Bound, Parameter, Problem, needed, optional};

pub(super) static PARAMETERS: [Parameter; 3] = [needed("value"), needed("width"), optional("fill")];

/// The largest width: a row's text cannot be made arbitrarily long by a slip.
pub(super) const WIDEST: i64 = 10_000;

/// A constant width.
pub(super) fn width(binder: &Binder, slot: usize, default: i64) -> Result<usize, Problem> {
    let width = binder.constant_int(slot)?.unwrap_or(default);
    usize::try_from(width)
        .ok()
        .filter(|_| width <= WIDEST)
        .ok_or_else(|| Problem::new(super::bound::ARGUMENTS, slot, format!("the width is 0 to {WIDEST}")))
}

/// Fills text up to a width; `join` puts the text and what it lacks together.
pub(super) fn bind(binder: &Binder, join: fn(&str, &str) -> String) -> Result<Bound, Problem> {
    binder.int(1)?;
    binder.text(2)?;
    if let Some(fill) = binder.constant_text(2)?
        && fill.chars().count() != 1
    {
        return Err(Problem::new(super::bound::ARGUMENTS, 2, "the fill is one character"));
    }
    width(binder, 1, 0)?;
    binder.text_to_text(false, move |text, rest| {
        let width = usize::try_from(need_int(&rest[0])?).unwrap_or(0);
        let fill = rest[1].as_text().unwrap_or(" ");
        let missing = width.saturating_sub(text.chars().count());
        Ok(if missing == 0 { Cow::Borrowed(text) } else { Cow::Owned(join(text, &fill.repeat(missing))) })
    })
}
