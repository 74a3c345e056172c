//! `split_part`.

use super::{Function, FunctionKind, Problem, Rest, example, needed};

pub(super) static FUNCTION: Function = Function {
    name: "split_part",
    kinds: &[FunctionKind::Filter],
    signature: "text | split_part(separator, n) -> text",
    doc: "The `n`th part between separators, counted from 1, from the end when negative; null when there is none.",
    examples: &[
        example("{{ 'a,b,c' | split_part(',', 2) }}", "b"),
        example("{{ 'a,b,c' | split_part(',', -1) }}", "c"),
        example("{{ 'a' | split_part(',', 2) }}", "null"),
    ],
    parameters: &[needed("value"), needed("separator"), needed("n")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        if binder.constant_text(1)?.is_none_or(str::is_empty) {
            return Err(Problem::new(
                towpath_spec::codes::WRONG_ARGUMENTS,
                1,
                "the separator is text that is not empty",
            ));
        }
        if binder.constant_int(2)?.is_none_or(|n| n == 0) {
            return Err(Problem::new(
                towpath_spec::codes::WRONG_ARGUMENTS,
                2,
                "parts are counted from 1, or from -1 at the end",
            ));
        }
        let separator = binder.constant_text(1)?.unwrap_or(",").to_owned();
        let n = binder.constant_int(2)?.unwrap_or(1);
        let part = move |text: &str| {
            let at = usize::try_from(n.unsigned_abs() - 1).unwrap_or(usize::MAX);
            let found = if n > 0 { text.split(&separator).nth(at) } else { text.rsplit(&separator).nth(at) };
            found.map(str::to_owned)
        };
        Ok(binder.text_to_optional_text(part))
    },
};
