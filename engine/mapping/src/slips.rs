//! What was meant by an expression that does not parse, when it is written as in SQL, Python, JavaScript or C.
//!
//! Only looked at once the parser has given up, so that nothing valid is ever taken for a slip.

use std::ops::Range;

/// The first slip of the expression around byte `at` of a template, or of a `bare` expression: where, and what helps.
pub(crate) fn find(source: &str, at: usize, bare: bool) -> Option<(Range<usize>, String)> {
    let start = if bare { 0 } else { opening(source, at)? };
    // The `=` of `{% set x = … %}` is one.
    let mut may_assign = source[..start].ends_with("{%");
    // For each open bracket whether it is that of a call, where `=` names an argument.
    let mut open: Vec<bool> = Vec::new();
    let mut before = ' ';
    let mut here = start;
    while let Some(first) = source[here..].chars().next() {
        let rest = &source[here..];
        if !bare && open.is_empty() && (rest.starts_with("}}") || rest.starts_with("%}")) {
            return None;
        }
        let mut length = token(rest, first);
        let token = &rest[..length];
        let help = match token {
            "=" if open.last() == Some(&true) || std::mem::take(&mut may_assign) => None,
            _ => meant(token, before),
        };
        if let Some(help) = help {
            return Some((here..here + length, help));
        }
        match first {
            '(' => open.push(is_operand_end(before)),
            '[' | '{' => open.push(false),
            // What closes more than was opened is beyond the expression.
            ')' | ']' | '}' => drop(open.pop()?),
            _ => {}
        }
        length = length.max(first.len_utf8());
        before = token.chars().next_back().filter(|last| !last.is_whitespace()).unwrap_or(before);
        here += length;
    }
    None
}

/// Where the expression or statement begins that byte `at` is in.
fn opening(source: &str, at: usize) -> Option<usize> {
    let mut until = (at + 2).min(source.len());
    while !source.is_char_boundary(until) {
        until += 1;
    }
    let before = &source[..until];
    before.rfind("{{").max(before.rfind("{%")).map(|start| start + 2)
}

/// Bytes of a text literal, a word, an operator of two characters, or else one character.
fn token(rest: &str, first: char) -> usize {
    if first == '\'' || first == '"' {
        let mut escaped = false;
        let close = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == first && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        return close.map_or(rest.len(), |(at, _)| at + 1);
    }
    if first.is_alphanumeric() || first == '_' {
        return rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    }
    const PAIRS: [&str; 7] = ["==", "!=", "<=", ">=", "<>", "&&", "||"];
    if PAIRS.iter().any(|pair| rest.starts_with(pair)) { 2 } else { first.len_utf8() }
}

fn is_operand_end(last: char) -> bool {
    last.is_alphanumeric() || matches!(last, '_' | '\'' | '"' | ')' | ']' | '}')
}

/// What to write in the place of a token; `before` is the last character ahead of it.
fn meant(token: &str, before: char) -> Option<String> {
    let write = |word: &str| Some(format!("write `{word}`"));
    match token {
        "=" => Some("compare with `==`".into()),
        "&&" => write("and"),
        "||" => write("or"),
        "!" => write("not"),
        "<>" => write("!="),
        "?" => Some("a choice is written `b if a else c`".into()),
        "AND" | "OR" | "NOT" | "IN" | "IS" => write(&token.to_ascii_lowercase()),
        _ if ["like", "ilike"].iter().any(|like| token.eq_ignore_ascii_case(like)) && is_operand_end(before) => {
            Some("`… is matching('^pattern$')` tests a regular expression, `'part' in …` a part of the text".into())
        }
        _ if !token.is_ascii() && token.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
            Some(format!("names with other letters than a to z are written `row[\"{token}\"]`"))
        }
        _ => None,
    }
}
