//! `slice`.

use towpath_spec::Type;

use super::items::item_type;
use super::{Function, FunctionKind, Rest, example, needed, optional, portions};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "slice",
    kinds: &[FunctionKind::Filter],
    signature: "list | slice(count, fill_with=?) -> list<list>",
    doc: "The items in `count` lists (1 to 100,000) of nearly equal length, the longer ones first, the shorter ones filled up when `fill_with` is given.",
    examples: &[
        example("{{ [1, 2, 3, 4, 5] | slice(2) | tojson }}", "[[1,2,3],[4,5]]"),
        example("{{ [1, 2, 3] | slice(2, 0) | tojson }}", "[[1,2],[3,0]]"),
    ],
    parameters: &[needed("value"), needed("count"), optional("fill_with")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let count = portions::count(binder, 1)?;
        let (item, fill) = portions::fill(binder, 2, item)?;
        let ty = Type::List(Box::new(Type::List(Box::new(item.clone()))));
        Ok(binder.rows(ty, false, "it makes lists", move |args, _| {
            let mut rest = portions::items(&args[0], &item)?.into_iter();
            let (each, longer) = (rest.len() / count, rest.len() % count);
            let lists = (0..count).map(|nth| {
                let mut list: Vec<Value> = rest.by_ref().take(each + usize::from(nth < longer)).collect();
                if let Some(fill) = fill.clone().filter(|_| nth >= longer) {
                    list.push(fill);
                }
                Value::List(list)
            });
            Ok(Value::List(lists.collect()))
        }))
    },
};
