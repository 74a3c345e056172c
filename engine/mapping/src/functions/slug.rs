//! `slug`.

use super::{Function, FunctionKind, Rest, example, needed};

/// Latin letters with marks, in groups of one plain spelling.
const PLAIN: [(&str, &str); 30] = [
    ("àáâãäåāăą", "a"),
    ("çćĉċč", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŉ", "n"),
    ("òóôõöøōŏő", "o"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ţťŧț", "t"),
    ("ùúûüũūŭůűų", "u"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
    ("ß", "ss"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("þ", "th"),
    ("ĳ", "ij"),
    ("ǆ", "dz"),
    ("ﬁ", "fi"),
    ("ﬂ", "fl"),
    ("ﬀ", "ff"),
    ("ª", "a"),
    ("º", "o"),
];

fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if let Some((_, plain)) = PLAIN.iter().find(|(marked, _)| marked.contains(c)) {
            out.push_str(plain);
        } else if !matches!(c, '\u{300}'..='\u{36f}') && !out.is_empty() && !out.ends_with('-') {
            // Combining marks vanish; everything else separates.
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

pub(super) static FUNCTION: Function = Function {
    name: "slug",
    kinds: &[FunctionKind::Filter],
    signature: "text | slug -> text",
    doc: "Small ASCII letters, digits and single hyphens: what is left of the text for names in URLs and files. Accents of Latin letters are dropped.",
    examples: &[example("{{ 'Große Übung, Teil 2!' | slug }}", "grosse-ubung-teil-2")],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| binder.text_to_text(false, |text, _| Ok(slug(text).into())),
};
