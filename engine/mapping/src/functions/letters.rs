//! What the tests `lower` and `upper` share: whether all letters of a text that have case are of one.

use std::sync::Arc;

use polars::prelude::lit;
use towpath_spec::Type;

use super::bound::{need_text, text_to_bool};
use super::{Binder, Bound, Kernel, Problem};
use crate::value::Value;

/// Letters that are both, such as `ǅ`: Unicode's category Lt.
fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}')
        || matches!(c, '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

fn holds(text: &str, upper: bool) -> bool {
    let is = |c: char| if upper { c.is_uppercase() } else { c.is_lowercase() };
    let other = |c: char| is_title(c) || if upper { c.is_lowercase() } else { c.is_uppercase() };
    text.chars().any(is) && !text.chars().any(other)
}

/// As Python's `islower` and `isupper`; false of null.
pub(super) fn bind(binder: &Binder, upper: bool) -> Result<Bound, Problem> {
    binder.text(0)?;
    let bound = binder.rows(Type::Bool, false, "its input is json", move |args, _| {
        Ok(Value::Bool(!args[0].is_null() && holds(need_text(&args[0])?, upper)))
    });
    Ok(bound.seeing_nulls().nullable(false).with_if(*binder.ty(0) == Type::Text, || {
        Kernel::Polars(Arc::new(move |mut args, _| {
            text_to_bool(args.swap_remove(0), move |text| holds(text, upper)).fill_null(lit(false))
        }))
    }))
}
