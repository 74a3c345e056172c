//! `unique`.

use super::items::{Attribute, fold, folds, item_type};
use super::{Function, FunctionKind, Rest, example, named, needed, optional};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "unique",
    kinds: &[FunctionKind::Filter],
    signature: "list | unique(case_sensitive=true, attribute=?) -> list",
    doc: "The items without repetitions, each at its first place. With `case_sensitive=false` (Jinja's default), texts that differ in case only are the same; with `attribute`, items are the same when their field of that name is.",
    examples: &[
        example("{{ ['a', 'b', 'a'] | unique | join(',') }}", "a,b"),
        example("{{ ['Foo', 'bar', 'foo'] | unique(case_sensitive=false) | join(',') }}", "Foo,bar"),
        example("{{ [{'n': 1}, {'n': 1}] | unique(attribute='n') | length }}", "1"),
    ],
    parameters: &[needed("value"), optional("case_sensitive"), named("attribute")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let folds = folds(binder, 1)?;
        let attribute = Attribute::of(binder, 2)?;
        attribute.ty(&item)?;
        Ok(binder.rows(binder.ty(0).clone(), false, "it makes lists", move |args, _| {
            let (mut known, mut kept): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
            for item in super::bound::items(&args[0])? {
                let by = fold(attribute.get(&item), folds);
                if !known.iter().any(|known| ops::equal(known, &by)) {
                    known.push(by);
                    kept.push(item);
                }
            }
            Ok(Value::List(kept))
        }))
    },
};
