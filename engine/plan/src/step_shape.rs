//! Steps that choose, rename and restructure columns.

use crate::context::Context;
use crate::plan::StepPlan;
use towpath_spec::{Diagnostic, Field, Schema, Span, Text, Type, codes};

/// What a step becomes, and the columns after it; `None` when it was reported.
pub(crate) type Planned = Option<(StepPlan, Schema)>;

/// The columns that names or globs with `*` and `?` stand for, each with what it was written as; `None` was reported.
/// `strict`: a glob must match something.
pub(crate) fn matching<'t>(
    context: &mut Context<'_>,
    patterns: &'t [Text],
    input: &Schema,
    strict: bool,
) -> Option<Vec<(String, &'t Text)>> {
    let mut chosen: Vec<(String, &Text)> = Vec::new();
    for pattern in patterns {
        let is_glob = pattern.value.contains(['*', '?']);
        let matching: Vec<String> =
            input.names().filter(|name| glob(&pattern.value, name)).map(str::to_owned).collect();
        if matching.is_empty() && (strict || !is_glob) {
            if is_glob {
                let message = format!("no column matches `{pattern}`");
                let list: Vec<&str> = input.names().collect();
                context.push(
                    Diagnostic::error(codes::UNKNOWN_COLUMN, pattern.span, message)
                        .help(format!("columns here: {}", list.join(", "))),
                );
            } else {
                context.column(pattern, Some(input));
            }
            return None;
        }
        for name in matching {
            if !chosen.iter().any(|(known, _)| *known == name) {
                chosen.push((name, pattern));
            }
        }
    }
    Some(chosen)
}

/// `select` and `drop`.
pub(crate) fn choose(context: &mut Context<'_>, patterns: &[Text], input: &Schema, keep: bool, step: Span) -> Planned {
    // Nothing to drop is nothing wrong.
    let matched = matching(context, patterns, input, keep)?;
    let mut chosen: Vec<String> = matched.into_iter().map(|(name, _)| name).collect();
    if !keep {
        chosen = input.names().filter(|name| !chosen.iter().any(|gone| gone == name)).map(str::to_owned).collect();
    }
    if chosen.is_empty() {
        let span = patterns.first().map_or(step, |pattern| pattern.span);
        let message = "this would leave no column at all";
        context.push(Diagnostic::error(codes::NOTHING_LEFT, span, message).help("keep at least one column"));
        return None;
    }
    let fields = chosen.iter().filter_map(|name| input.get(name).cloned()).collect();
    Some((StepPlan::Select(chosen), Schema::new(fields)))
}

/// Whether a name matches a pattern of `*` (any characters) and `?` (one character).
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, from)) = star {
            // Let the last star take one character more.
            star = Some((at, from + 1));
            p = at + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

pub(crate) fn rename(context: &mut Context<'_>, pairs: &[(Text, Text)], input: &Schema) -> Planned {
    let mut output = input.clone();
    let mut plan = Vec::new();
    let mut whole = true;
    for (old, new) in pairs {
        if !context.column(old, Some(input)) {
            whole = false;
            continue;
        }
        plan.push((old.value.clone(), new.value.clone()));
        for (field, before) in output.fields.iter_mut().zip(&input.fields) {
            if before.name == old.value {
                field.name.clone_from(&new.value);
            }
        }
    }
    for (at, field) in output.fields.iter().enumerate() {
        if output.fields[..at].iter().any(|other| other.name == field.name) {
            let span = pairs.iter().find(|(_, new)| new.value == field.name).map_or(pairs[0].1.span, |(_, n)| n.span);
            let message = format!("after `rename` there would be two columns `{}`", field.name);
            context.push(
                Diagnostic::error(codes::DUPLICATE_COLUMN, span, message).help("drop or rename the other column first"),
            );
            whole = false;
        }
    }
    whole.then_some((StepPlan::Rename(plan), output))
}

pub(crate) fn explode(context: &mut Context<'_>, column: &Text, input: &Schema) -> Planned {
    if !context.column(column, Some(input)) {
        return None;
    }
    let ty = &input.get(&column.value)?.ty;
    let Type::List(inner) = ty else {
        let message = format!("`explode` expects a list, and `{column}` is {ty}");
        context.push(Diagnostic::error(codes::TYPE_MISMATCH, column.span, message));
        return None;
    };
    let mut output = input.clone();
    output.set(Field::new(&column.value, (**inner).clone()));
    Some((StepPlan::Explode(column.value.clone()), output))
}

pub(crate) fn unnest(context: &mut Context<'_>, column: &Text, input: &Schema) -> Planned {
    if !context.column(column, Some(input)) {
        return None;
    }
    let ty = &input.get(&column.value)?.ty;
    let Type::Struct(fields) = ty else {
        let message = format!("`unnest` expects a struct, and `{column}` is {ty}");
        context.push(Diagnostic::error(codes::TYPE_MISMATCH, column.span, message));
        return None;
    };
    let mut output = Schema::default();
    for field in &input.fields {
        if field.name != column.value {
            output.fields.push(field.clone());
            continue;
        }
        output.fields.extend(fields.iter().map(|inner| Field::new(&inner.name, inner.ty.clone())));
    }
    for (at, field) in output.fields.iter().enumerate() {
        if output.fields[..at].iter().any(|other| other.name == field.name) {
            let message = format!("`unnest` of `{column}` would give a second column `{}`", field.name);
            context.push(
                Diagnostic::error(codes::DUPLICATE_COLUMN, column.span, message)
                    .help(format!("rename or drop `{}` first", field.name)),
            );
            return None;
        }
    }
    Some((StepPlan::Unnest(column.value.clone()), output))
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a?c", "abc", true),
            ("a*b*c", "aXbYbZc", true),
            ("*", "", true),
            ("a", "ab", false),
            ("?", "", false),
            ("é*", "été", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
