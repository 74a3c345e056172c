//! `regex_replace`.

use super::bound::need_text;
use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::value::Value;

/// Bytes at the start of a text that a reference without braces takes for the name of its group.
fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn has_group(pattern: &regex::Regex, name: &str) -> bool {
    match name.parse::<usize>() {
        Ok(number) => number < pattern.captures_len(),
        Err(_) => pattern.capture_names().flatten().any(|known| known == name),
    }
}

/// Refuses references to groups the pattern does not have: the `regex` crate takes them for empty text.
fn references(pattern: &regex::Regex, replacement: &str) -> Result<(), Problem> {
    let mut at = 0;
    while let Some(dollar) = replacement[at..].find('$') {
        let start = at + dollar;
        let rest = &replacement[start + 1..];
        let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')).map(|(name, _)| name);
        let (name, length) = match braced {
            Some(name) => (name, name.len() + 2),
            None => (&rest[..name_length(rest)], name_length(rest)),
        };
        let is_text = braced.is_none() && name.is_empty();
        if !is_text && !has_group(pattern, name) {
            let within = Some(start..start + 1 + length);
            let problem =
                Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 2, format!("the pattern has no group `{name}`"));
            return Err(Problem { within, ..problem.help(instead(pattern, name, braced.is_some())) });
        }
        // `$$` is a dollar, and so is one that no name follows.
        at = start + 1 + if rest.starts_with('$') { 1 } else { length };
    }
    Ok(())
}

/// What to write for a reference to no group.
fn instead(pattern: &regex::Regex, name: &str, braced: bool) -> String {
    let known = (1..name.len()).rev().map(|end| name.split_at(end)).find(|(start, _)| has_group(pattern, start));
    match (known, pattern.captures_len() - 1) {
        (Some((group, text)), _) if !braced => format!("write `${{{group}}}{text}`"),
        (_, 0) => "the pattern has no groups; `$0` is all that it matched, `$$` a dollar".into(),
        (_, 1) => "the pattern has 1 group, `$1`; `$$` is a dollar".into(),
        (_, groups) => format!("the pattern has {groups} groups, up to `${groups}`; `$$` is a dollar"),
    }
}

pub(super) static FUNCTION: Function = Function {
    name: "regex_replace",
    kinds: &[FunctionKind::Filter],
    signature: "text | regex_replace(pattern, replacement) -> text",
    doc: "Puts the replacement in the place of every match; `$1` or `${name}` stand for what a group matched, `$$` for a dollar; text right after a number needs the braces: `${1}_`. Patterns are those of the Rust `regex` crate, which takes time linear in the text.",
    examples: &[
        example("{{ 'tel. 0171-55' | regex_replace('[^0-9]+', '') }}", "017155"),
        example("{{ 'Lovelace, Ada' | regex_replace('(\\\\w+), (\\\\w+)', '$2 $1') }}", "Ada Lovelace"),
    ],
    parameters: &[needed("value"), needed("pattern"), needed("replacement")],
    rest: Rest::None,
    bind: |binder| {
        let pattern = super::bound::pattern(binder, 1)?;
        binder.text(2)?;
        if let Some(replacement) = binder.get(2).and_then(|argument| argument.constant).and_then(Value::as_text) {
            references(&pattern, replacement)?;
        }
        binder.text_to_text(false, move |text, rest| Ok(pattern.replace_all(text, need_text(&rest[1])?)))
    },
};
