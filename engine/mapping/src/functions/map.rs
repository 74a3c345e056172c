//! `map`.

use towpath_spec::Type;

use super::bound::ARGUMENTS;
use super::items::{Attribute, Named, item_type};
use super::{Function, FunctionKind, Problem, Rest, example, named, needed, optional};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "map",
    kinds: &[FunctionKind::Filter],
    signature: "list | map(filter, …) or map(attribute='name') -> list",
    doc: "A filter, named by text, applied to each item, with its further arguments; or the field of that name of each item, null where there is none. The field may be a path with dots.",
    examples: &[
        example("{{ ['a', 'b'] | map('upper') | join }}", "AB"),
        example("{{ ['1', '22'] | map('pad_left', 3, '0') | join(',') }}", "001,022"),
        example("{{ [{'n': 'x'}, {'n': 'y'}] | map(attribute='n') | join(',') }}", "x,y"),
        example("{{ '[{\"a\": {\"b\": 1}}, {}]' | parse_json | map(attribute='a.b') | tojson }}", "[1,null]"),
    ],
    parameters: &[needed("value"), optional("filter"), named("attribute")],
    rest: Rest::Values,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let attribute = Attribute::of(binder, 2)?;
        if attribute.is_named() == binder.get(1).is_some() {
            let wrong = Problem::new(ARGUMENTS, 0, "`map` takes the name of a filter, or `attribute='…'`");
            return Err(Problem { argument: None, ..wrong });
        }
        let filter = match binder.get(1) {
            Some(_) => Some(Named::bind(binder, FunctionKind::Filter, &item, 1, 3)?),
            None => None,
        };
        let ty = filter.as_ref().map_or_else(|| attribute.ty(&item), |filter| Ok(filter.ty().clone()))?;
        let fallible = filter.as_ref().is_some_and(Named::is_fallible);
        let nullable = binder.get(0).is_some_and(|argument| argument.nullable);
        let bound = binder.rows(Type::List(Box::new(ty)), fallible, "it makes lists", move |args, constants| {
            if args[0].is_null() {
                return Ok(Value::Null);
            }
            let items = super::bound::items(&args[0])?.into_iter().map(|item| match &filter {
                Some(filter) => filter.run(item, args, constants),
                None => Ok(attribute.get(&item)),
            });
            items.collect::<Result<_, _>>().map(Value::List)
        });
        Ok(bound.seeing_nulls().nullable(nullable))
    },
};
