//! `title`.

use super::capitalize::capitalized;
use super::{Function, FunctionKind, Rest, example, needed};

/// Ends a word, so that the next one starts behind it.
fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<')
}

fn title(text: &str) -> String {
    text.split_inclusive(separates).map(capitalized).collect()
}

pub(super) static FUNCTION: Function = Function {
    name: "title",
    kinds: &[FunctionKind::Filter],
    signature: "text | title -> text",
    doc: "Makes the first letter of each word capital and the others small. A word starts after white space, a hyphen or an opening bracket.",
    examples: &[
        example("{{ 'foo bar-baz (qux)' | title }}", "Foo Bar-Baz (Qux)"),
        example("{{ 'ΟΔΟΣ ΑΣ' | title }}", "Οδος Ας"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| binder.text_to_text(false, |text, _| Ok(title(text).into())),
};
