//! `wordwrap`.

use super::bound::ARGUMENTS;
use super::{Function, FunctionKind, Problem, Rest, example, lines, needed, optional, pad};
use crate::ops;

/// White space of Python's `textwrap`: a no-break space is none.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// Runs of white space and of other characters in turns.
fn chunks(line: &str) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), line);
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_space(c) != is_space(first)).unwrap_or(rest.len());
        let (chunk, others) = rest.split_at(end);
        all.push(chunk);
        rest = others;
    }
    all
}

/// One line as lines of at most `width` characters, after Python's `textwrap.wrap`.
fn wrapped(line: &str, width: usize, breaks: bool) -> Vec<String> {
    let length = |text: &str| text.chars().count();
    let blank = |text: &str| text.trim().is_empty();
    let mut rest = chunks(line);
    rest.reverse();
    let mut out: Vec<String> = Vec::new();
    while let Some(next) = rest.last() {
        let mut current: Vec<&str> = Vec::new();
        if blank(next) && !out.is_empty() {
            rest.pop();
        }
        let mut used = 0;
        while let Some(chunk) = rest.pop_if(|chunk| used + length(chunk) <= width) {
            used += length(chunk);
            current.push(chunk);
        }
        if let Some(long) = rest.last_mut().filter(|chunk| length(chunk) > width) {
            if breaks {
                let start = super::bound::characters(long, 0, width - used);
                *long = &long[start.len()..];
                current.push(start);
            } else if current.is_empty() {
                current.extend(rest.pop());
            }
        }
        if current.last().is_some_and(|last| blank(last)) {
            current.pop();
        }
        if !current.is_empty() {
            out.push(current.concat());
        }
    }
    out
}

pub(super) static FUNCTION: Function = Function {
    name: "wordwrap",
    kinds: &[FunctionKind::Filter],
    signature: "text | wordwrap(width=79, break_long_words=true, wrapstring='\\n') -> text",
    doc: "Breaks each line at white space into lines of at most `width` characters (1 to 10,000), with `wrapstring` between them. Longer words are broken, unless `break_long_words` is false. Words with hyphens stay whole.",
    examples: &[
        example("{{ 'the quick brown fox' | wordwrap(10, true, '/') }}", "the quick/brown fox"),
        example("{{ 'abcdefgh ij' | wordwrap(3, wrapstring='/') }}", "abc/def/gh/ij"),
        example("{{ 'abcdefgh ij' | wordwrap(3, false, '/') }}", "abcdefgh/ij"),
    ],
    parameters: &[needed("value"), optional("width"), optional("break_long_words"), optional("wrapstring")],
    rest: Rest::None,
    bind: |binder| {
        let width = pad::width(binder, 1, 79)?;
        if width == 0 {
            return Err(Problem::new(ARGUMENTS, 1, "the width is 1 to 10000"));
        }
        let breaks = binder.constant(2)?.is_none_or(ops::truthy);
        let between = binder.constant_text(3)?.unwrap_or("\n").to_owned();
        binder.text_to_text(false, move |text, _| {
            let all = lines::split(text).into_iter().map(|line| wrapped(line, width, breaks).join(&between));
            Ok(all.collect::<Vec<_>>().join(&between).into())
        })
    },
};
