//! `dictsort`.

use towpath_spec::Type;

use super::bound::ARGUMENTS;
use super::items::fold;
use super::{Function, FunctionKind, Problem, Rest, example, needed, optional, pairs};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "dictsort",
    kinds: &[FunctionKind::Filter],
    signature: "struct or json | dictsort(case_sensitive=false, by='key', reverse=false) -> list<struct{key: text, value: …}>",
    doc: "As `items`, sorted by `key` or by `value`, null values last. Text is ordered without regard to case unless `case_sensitive` is true.",
    examples: &[
        example("{{ {'b': 1, 'C': 2, 'a': 3} | dictsort | map(attribute='key') | join }}", "abC"),
        example("{{ {'b': 1, 'a': 3} | dictsort(by='value', reverse=true) | map(attribute='key') | join }}", "ab"),
    ],
    parameters: &[needed("value"), optional("case_sensitive"), optional("by"), optional("reverse")],
    rest: Rest::None,
    bind: |binder| {
        let pair = pairs::pair_type(binder)?;
        let folds = !binder.constant(1)?.is_some_and(ops::truthy);
        let by_value = match binder.constant_text(2)?.unwrap_or("key") {
            "key" => false,
            "value" => true,
            _ => return Err(Problem::new(ARGUMENTS, 2, "expected `key` or `value`")),
        };
        let down = binder.constant(3)?.is_some_and(ops::truthy);
        let ty = Type::List(Box::new(pair.clone()));
        Ok(binder.rows(ty, false, "it makes lists", move |args, _| {
            let by = |(key, value): &(String, Value)| {
                fold(if by_value { value.clone() } else { Value::from(key.as_str()) }, folds)
            };
            let mut all: Vec<_> = pairs::pairs(&args[0])?.into_iter().map(|pair| (by(&pair), pair)).collect();
            all.sort_by(|(a, _), (b, _)| ops::arrange(a, b, down));
            pairs::list(all.into_iter().map(|(_, pair)| pair).collect(), &pair)
        }))
    },
};
