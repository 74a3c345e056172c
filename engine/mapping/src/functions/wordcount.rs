//! `wordcount`.

use std::sync::Arc;

use towpath_spec::Type;

use super::bound::need_text;
use super::{Function, FunctionKind, Kernel, Rest, example, needed};
use crate::value::Value;

fn count(text: &str) -> i64 {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count();
    i64::try_from(words).unwrap_or(i64::MAX)
}

pub(super) static FUNCTION: Function = Function {
    name: "wordcount",
    kinds: &[FunctionKind::Filter],
    signature: "text | wordcount -> int",
    doc: "How many words: runs of letters, digits and underscores.",
    examples: &[example("{{ 'To be, or not to be' | wordcount }}", "6"), example("{{ ' -- ' | wordcount }}", "0")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        let bound =
            binder.rows(Type::Int, false, "its input is json", |args, _| Ok(Value::Int(count(need_text(&args[0])?))));
        Ok(bound.with_if(*binder.ty(0) == Type::Text, || Kernel::TextToInt(Arc::new(|text| Ok(count(text))))))
    },
};
