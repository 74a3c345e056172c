//! `sort`.

use super::items::{Attribute, fold, folds, item_type};
use super::{Function, FunctionKind, Rest, example, named, needed, optional};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "sort",
    kinds: &[FunctionKind::Filter],
    signature: "list | sort(reverse=false, case_sensitive=true, attribute=?) -> list",
    doc: "The items in order, null last; items that compare equal stay as they were. Text is ordered by code points, or without regard to case with `case_sensitive=false` (Jinja's default). With `attribute`, by the field of that name.",
    examples: &[
        example("{{ [3, 1, 2] | sort | join(',') }}", "1,2,3"),
        example("{{ ['b', 'a'] | sort(reverse=true) | first }}", "b"),
        example("{{ ['b', 'C', 'a'] | sort(case_sensitive=false) | join }}", "abC"),
        example(
            "{{ [{'n': 'x', 'p': 7}, {'n': 'y', 'p': 5}] | sort(attribute='p') | map(attribute='n') | join }}",
            "yx",
        ),
    ],
    parameters: &[needed("value"), optional("reverse"), optional("case_sensitive"), named("attribute")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let down = binder.constant(1)?.is_some_and(ops::truthy);
        let folds = folds(binder, 2)?;
        let attribute = Attribute::of(binder, 3)?;
        attribute.ty(&item)?;
        Ok(binder.rows(binder.ty(0).clone(), false, "it makes lists", move |args, _| {
            let items = super::bound::items(&args[0])?;
            let mut keyed: Vec<(Value, Value)> =
                items.into_iter().map(|item| (fold(attribute.get(&item), folds), item)).collect();
            keyed.sort_by(|(a, _), (b, _)| ops::arrange(a, b, down));
            Ok(Value::List(keyed.into_iter().map(|(_, item)| item).collect()))
        }))
    },
};
