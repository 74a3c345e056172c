//! `regex_extract`.

use super::{Function, FunctionKind, Problem, Rest, example, needed, optional};

pub(super) static FUNCTION: Function = Function {
    name: "regex_extract",
    kinds: &[FunctionKind::Filter],
    signature: "text | regex_extract(pattern, group=?) -> text",
    doc: "What the pattern matches first: its group of that number, else its first group, else all of the match; null when nothing matches.",
    examples: &[
        example("{{ 'order 4711/b' | regex_extract('[0-9]+') }}", "4711"),
        example("{{ 'id=42;' | regex_extract('id=(\\\\d+)') }}", "42"),
        example("{{ 'none' | regex_extract('[0-9]+') }}", "null"),
    ],
    parameters: &[needed("value"), needed("pattern"), optional("group")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        let pattern = super::bound::pattern(binder, 1)?;
        let first = i64::from(pattern.captures_len() > 1);
        let group = usize::try_from(binder.constant_int(2)?.unwrap_or(first)).unwrap_or(usize::MAX);
        if group >= pattern.captures_len() {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 2, "the pattern has no such group"));
        }
        Ok(binder.text_to_optional_text(move |text| {
            pattern.captures(text).and_then(|all| all.get(group)).map(|found| found.as_str().to_owned())
        }))
    },
};
