//! `indent`.

use super::bound::ARGUMENTS;
use super::{Function, FunctionKind, Problem, Rest, example, lines, needed, optional, pad};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "indent",
    kinds: &[FunctionKind::Filter],
    signature: "text | indent(width=4, first=false, blank=false) -> text",
    doc: "Puts `width` spaces, or the text given as `width`, before each line but the first (`first=true`: that, too) and but empty ones (`blank=true`: those, too). Line ends become `\\n`.",
    examples: &[
        example("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        example("{{ 'a\n\nb' | indent('> ', true, true) }}", "> a\n> \n> b"),
    ],
    parameters: &[needed("value"), optional("width"), optional("first"), optional("blank")],
    rest: Rest::None,
    bind: |binder| {
        let indention = match binder.constant(1)? {
            Some(Value::Text(text)) => text.to_string(),
            None | Some(Value::Int(_) | Value::Null) => " ".repeat(pad::width(binder, 1, 4)?),
            Some(_) => return Err(Problem::new(ARGUMENTS, 1, "expected a number of spaces, or text")),
        };
        let first = binder.constant(2)?.is_some_and(ops::truthy);
        let blank = binder.constant(3)?.is_some_and(ops::truthy);
        binder.text_to_text(false, move |text, _| {
            // The end of the last line is one of the text, so an empty line follows it.
            let ended = format!("{text}\n");
            let mut out = String::with_capacity(text.len() + indention.len());
            for (nth, line) in lines::split(&ended).into_iter().enumerate() {
                if nth > 0 {
                    out.push('\n');
                }
                if nth == 0 && first || nth > 0 && (blank || !line.is_empty()) {
                    out.push_str(&indention);
                }
                out.push_str(line);
            }
            Ok(out.into())
        })
    },
};
