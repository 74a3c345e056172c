//! `title`.

use super::{Function, FunctionKind, Rest, example, needed};

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        starts = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    out
}

pub(super) static FUNCTION: Function = Function {
    name: "title",
    kinds: &[FunctionKind::Filter],
    signature: "text | title -> text",
    doc: "Makes the first letter of each word capital and the others small. A word starts after white space, a hyphen or an opening bracket.",
    examples: &[example("{{ 'foo bar-baz (qux)' | title }}", "Foo Bar-Baz (Qux)")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| binder.text_to_text(false, |text, _| Ok(title(text).into())),
};
