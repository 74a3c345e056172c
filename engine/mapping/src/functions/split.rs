//! `split`.

use towpath_spec::Type;

use super::bound::{need_int, need_text};
use super::{Function, FunctionKind, Problem, Rest, example, needed, optional};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "split",
    kinds: &[FunctionKind::Filter],
    signature: "text | split(separator?, max?) -> list<text>",
    doc: "The parts between separators, at most `max` cuts; without a separator, between runs of white space.",
    examples: &[
        example("{{ 'a,b' | split(',') | join('+') }}", "a+b"),
        example("{{ ' a  b ' | split | length }}", "2"),
    ],
    parameters: &[needed("value"), optional("separator"), optional("max")],
    rest: Rest::None,
    bind: |binder| {
        binder.text(0)?;
        binder.text(1)?;
        binder.int(2)?;
        if binder.constant_text(1)?.is_some_and(str::is_empty) {
            return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "the separator is empty"));
        }
        Ok(binder.rows(Type::List(Box::new(Type::Text)), false, "it makes lists", |args, _| {
            let text = need_text(&args[0])?;
            let most = if args[2].is_null() {
                usize::MAX
            } else {
                usize::try_from(need_int(&args[2])?).unwrap_or(0).saturating_add(1)
            };
            Ok(Value::List(match args[1].as_text() {
                Some(separator) => text.splitn(most, separator).map(Value::from).collect(),
                None => text.split_whitespace().map(Value::from).collect(),
            }))
        }))
    },
};
