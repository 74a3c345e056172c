//! Readers of single values. Each gives the value, or `None` and a problem at the value's place.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Problems;
use crate::codes;
use crate::diagnostic::{Diagnostic, did_you_mean, nearest, shown};
use crate::document::{Rate, Scalar, Tree, Value};
use crate::quantity;
use crate::source_text::{Span, Text};
use crate::types::{TYPE_NAMES, Type};

/// Reports that a value is of another type than expected.
pub fn wrong_type(tree: &Tree, expected: &str, problems: &mut Problems) {
    let found = match tree.as_text() {
        Some(text) => format!("the text `{}`", shown(&text.value)),
        None => tree.kind().to_owned(),
    };
    let message = format!("expected {expected}, found {found}");
    problems.push(Diagnostic::error(codes::WRONG_TYPE, tree.span, message));
}

/// Reads the value of a key. A problem with the value itself is one with this key: its message says so, for whoever
/// sees the message alone.
pub(crate) fn of_key<'a, T>(
    key: &str,
    tree: &'a Tree,
    problems: &mut Problems,
    read: impl FnOnce(&'a Tree, &mut Problems) -> Option<T>,
) -> Option<T> {
    let before = problems.len();
    let value = read(tree, problems);
    for problem in problems.iter_mut().skip(before) {
        if problem.span == tree.span && !problem.message.starts_with('`') {
            problem.message = format!("`{}`: {}", shown(key), problem.message);
        }
    }
    value
}

fn invalid<T>(span: Span, message: String, problems: &mut Problems) -> Option<T> {
    problems.push(Diagnostic::error(codes::INVALID_VALUE, span, message));
    None
}

/// Any value at all.
pub fn any(tree: &Tree, _: &mut Problems) -> Option<Tree> {
    Some(tree.clone())
}

/// Text. A number or `true` is refused with the hint to quote it.
pub fn text(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    if let Some(text) = tree.as_text() {
        return Some(text.clone());
    }
    wrong_type(tree, "text", problems);
    if let (Value::Scalar(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_)), Some(problem)) =
        (&tree.value, problems.last_mut())
    {
        problem.help = Some(format!("put it between quotes: \"{}\"", tree.to_json()));
    }
    None
}

/// A bare expression: text without braces. `true` and numbers are expressions, too.
pub fn expression(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    if let Value::Scalar(Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_)) = tree.value {
        return Some(Text::new(tree.to_json().to_string(), tree.span));
    }
    let Some(text) = tree.as_text() else {
        wrong_type(tree, "an expression", problems);
        return None;
    };
    let bare = text.value.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    match bare {
        Some(bare) if !bare.contains("{{") => {
            let message = "expected a bare expression, found a template".to_owned();
            let help = format!("leave the braces out: `{}`", shown(bare.trim()));
            problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help(help));
            None
        }
        _ if text.value.trim().is_empty() => {
            invalid(tree.span, "expected an expression, found empty text".to_owned(), problems)
        }
        _ => Some(text.clone()),
    }
}

/// A name: letters, digits, `_`, `-`, starting with a letter.
pub fn name(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    text(tree, problems).filter(|name| valid_name(name, problems))
}

/// Whether text is a name; a problem otherwise.
pub(crate) fn valid_name(name: &Text, problems: &mut Problems) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let valid =
        name.value.starts_with(char::is_alphabetic) && name.value.chars().all(allowed) && name.value.len() <= 100;
    if !valid {
        let message = format!(
            "`{}` is no name: names start with a letter and hold letters, digits, `_` and `-`",
            shown(&name.value)
        );
        let mended: String = name.value.trim().chars().take(60).map(|c| if allowed(c) { c } else { '-' }).collect();
        let mended = mended.trim_matches('-');
        let help = mended.starts_with(char::is_alphabetic).then(|| format!("write `{mended}`"));
        problems.push(Diagnostic::error(codes::INVALID_NAME, name.span, message).maybe_help(help));
    }
    valid
}

/// True or false; `yes` and its kin are text and refused with a hint.
pub fn bool(tree: &Tree, problems: &mut Problems) -> Option<bool> {
    if let Value::Scalar(Scalar::Bool(value)) = tree.value {
        return Some(value);
    }
    wrong_type(tree, "`true` or `false`", problems);
    let meant = match tree.as_text().map(|text| text.value.to_lowercase()).as_deref() {
        Some("yes" | "y" | "on" | "true") => Some("true"),
        Some("no" | "n" | "off" | "false") => Some("false"),
        _ => None,
    };
    if let (Some(meant), Some(problem)) = (meant, problems.last_mut()) {
        problem.help = Some(format!("write `{meant}`, without quotes"));
    }
    None
}

/// A whole number within limits.
pub fn int(limits: RangeInclusive<i64>) -> impl Fn(&Tree, &mut Problems) -> Option<i64> {
    move |tree, problems| {
        let Value::Scalar(Scalar::Int(value)) = tree.value else {
            wrong_type(tree, "a whole number", problems);
            return None;
        };
        if limits.contains(&value) {
            return Some(value);
        }
        let expected = match (*limits.start(), *limits.end()) {
            (least, i64::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        invalid(tree.span, format!("expected {expected}, found {value}"), problems)
    }
}

/// A number, whole or not.
pub fn number(tree: &Tree, problems: &mut Problems) -> Option<f64> {
    match tree.value {
        Value::Scalar(Scalar::Int(value)) => Some(value as f64),
        Value::Scalar(Scalar::Float(value)) => Some(value),
        _ => {
            wrong_type(tree, "a number", problems);
            None
        }
    }
}

/// Text that a function reads further.
fn parsed<T>(
    tree: &Tree,
    expected: &str,
    problems: &mut Problems,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let Some(text) = tree.as_text() else {
        wrong_type(tree, expected, problems);
        return None;
    };
    match parse(text.value.trim()) {
        Ok(value) => Some(value),
        Err(why) => invalid(tree.span, format!("{why}, found `{}`", shown(&text.value)), problems),
    }
}

/// A duration: `PT1H`, `90s`.
pub fn duration(tree: &Tree, problems: &mut Problems) -> Option<Duration> {
    parsed(tree, "a duration such as `PT1H` or `90s`", problems, quantity::parse_duration)
}

/// A size in bytes: `2GiB`, or a whole number.
pub fn bytes(tree: &Tree, problems: &mut Problems) -> Option<u64> {
    match tree.value {
        Value::Scalar(Scalar::Int(value @ 1..)) => Some(value.unsigned_abs()),
        _ => parsed(tree, "a size such as `512MiB`", problems, quantity::parse_bytes),
    }
}

/// A rate: `10/s`.
pub fn rate(tree: &Tree, problems: &mut Problems) -> Option<Rate> {
    parsed(tree, "a rate such as `10/s`", problems, quantity::parse_rate)
}

/// A column type: `int`, `list<text>`.
pub fn column_type(tree: &Tree, problems: &mut Problems) -> Option<Type> {
    let Some(text) = tree.as_text() else {
        wrong_type(tree, "a type such as `text` or `int`", problems);
        return None;
    };
    match Type::parse(&text.value) {
        Ok(ty) => Some(ty),
        Err(why) => {
            let unknown = why.starts_with("unknown type") && !why.contains("did you mean");
            let help = unknown.then(|| format!("the types are {}", TYPE_NAMES.join(", ")));
            problems.push(Diagnostic::error(codes::INVALID_TYPE, tree.span, why).maybe_help(help));
            None
        }
    }
}

/// One of a few words, each standing for a value.
pub fn choice<'c, T: Copy>(words: &'c [(&'c str, T)]) -> impl Fn(&Tree, &mut Problems) -> Option<T> + 'c {
    move |tree, problems| {
        let names = words.iter().map(|(word, _)| *word);
        let list: Vec<String> = names.clone().map(|word| format!("`{word}`")).collect();
        let expected = match list.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let Some(text) = tree.as_text() else {
            wrong_type(tree, &expected, problems);
            return None;
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let message = format!("expected {expected}, found `{}`", shown(&text.value));
        let help = nearest(&text.value, names.clone()).and_then(|_| did_you_mean(&text.value, names));
        problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).maybe_help(help));
        None
    }
}

/// A list, each item read by a function; items that cannot be read are left out.
pub fn list<'a, T>(
    mut item: impl FnMut(&'a Tree, &mut Problems) -> Option<T>,
) -> impl FnMut(&'a Tree, &mut Problems) -> Option<Vec<T>> {
    move |tree, problems| {
        let Some(items) = tree.as_list() else {
            wrong_type(tree, "a list", problems);
            if let Some(problem) = problems.last_mut() {
                problem.help = Some("start each item with `- `, or write `[…]`".to_owned());
            }
            return None;
        };
        Some(items.iter().filter_map(|tree| item(tree, problems)).collect())
    }
}

/// A list, or one item alone.
pub fn one_or_many<'a, T>(
    mut item: impl FnMut(&'a Tree, &mut Problems) -> Option<T>,
) -> impl FnMut(&'a Tree, &mut Problems) -> Option<Vec<T>> {
    move |tree, problems| match tree.as_list() {
        Some(items) => Some(items.iter().filter_map(|tree| item(tree, problems)).collect()),
        None => item(tree, problems).map(|item| vec![item]),
    }
}

/// A mapping of names to values of one kind, in the order written; entries that cannot be read are left out.
pub fn map<'a, T>(
    mut value: impl FnMut(&'a Tree, &mut Problems) -> Option<T>,
) -> impl FnMut(&'a Tree, &mut Problems) -> Option<Vec<(Text, T)>> {
    move |tree, problems| {
        let Some(map) = tree.as_map() else {
            wrong_type(tree, "a mapping", problems);
            return None;
        };
        let read = map.entries.iter().filter_map(|entry| {
            let value = of_key(&entry.key.value, &entry.value, problems, &mut value);
            Some((entry.key.clone(), value?))
        });
        Some(read.collect())
    }
}
