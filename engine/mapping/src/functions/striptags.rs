//! `striptags`.

use super::{Function, FunctionKind, Rest, example, needed};

/// The text without everything from an opening to the next closing mark. What is not closed stays.
fn without(text: &str, open: &str, close: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, inside)) = rest.split_once(open) {
        // Python looks for the closing mark from the opening one on, which may share characters with it.
        let from = rest.len() - inside.len() - open.len();
        let Some(end) = rest[from..].find(close) else { break };
        out.push_str(before);
        rest = &rest[from + end + close.len()..];
    }
    out + rest
}

/// The character an entity such as `amp` or `#39` stands for.
fn entity(name: &str) -> Option<char> {
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => {
            return Some(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" => '\u{a0}',
                _ => return None,
            });
        }
    };
    char::from_u32(code).filter(|c| *c != '\0')
}

fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found = after.split_once(';').and_then(|(name, behind)| Some((entity(name)?, behind)));
        let (c, behind) = found.unwrap_or(('&', after));
        out.push(c);
        rest = behind;
    }
    out + rest
}

pub(super) static FUNCTION: Function = Function {
    name: "striptags",
    kinds: &[FunctionKind::Filter],
    signature: "text | striptags -> text",
    doc: "Takes comments and tags of HTML or XML out, makes one space of each run of white space, and then characters of numeric entities and of `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and `&nbsp;`; other entities stay. This makes text readable, not safe: what comes out may hold `<` again.",
    examples: &[
        example("{{ '<p>Fire &amp; <b>safety</b><!-- <i> -->\n  2024</p>' | striptags }}", "Fire & safety 2024"),
        example("{{ 'a < b' | striptags }}", "a < b"),
        example("{{ '&#8364; &#x41; &unknown;' | striptags }}", "€ A &unknown;"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        binder.text_to_text(false, |text, _| {
            let bare = without(&without(text, "<!--", "-->"), "<", ">");
            Ok(unescaped(&bare.split_whitespace().collect::<Vec<_>>().join(" ")).into())
        })
    },
};
