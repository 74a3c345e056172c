//! `batch`.

use towpath_spec::Type;

use super::items::item_type;
use super::{Function, FunctionKind, Rest, example, needed, optional, portions};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "batch",
    kinds: &[FunctionKind::Filter],
    signature: "list | batch(count, fill_with=?) -> list<list>",
    doc: "The items in lists of `count` (1 to 100,000), the last one filled up when `fill_with` is given.",
    examples: &[
        example("{{ [1, 2, 3] | batch(2) | tojson }}", "[[1,2],[3]]"),
        example("{{ [1, 2, 3] | batch(2, 0) | tojson }}", "[[1,2],[3,0]]"),
    ],
    parameters: &[needed("value"), needed("count"), optional("fill_with")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let count = portions::count(binder, 1)?;
        let (item, fill) = portions::fill(binder, 2, item)?;
        let ty = Type::List(Box::new(Type::List(Box::new(item.clone()))));
        Ok(binder.rows(ty, false, "it makes lists", move |args, _| {
            let items = portions::items(&args[0], &item)?;
            let lists = items.chunks(count).map(|chunk| {
                let mut list = chunk.to_vec();
                if let Some(fill) = &fill {
                    list.resize(count, fill.clone());
                }
                Value::List(list)
            });
            Ok(Value::List(lists.collect()))
        }))
    },
};
