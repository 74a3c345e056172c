//! `sum`.

use towpath_spec::Type;

use super::bound::MISMATCH;
use super::items::{Attribute, item_type};
use super::{Function, FunctionKind, Problem, Rest, example, needed, optional};
use crate::expr::Arithmetic;
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "sum",
    kinds: &[FunctionKind::Filter],
    signature: "list | sum(attribute=?) -> number",
    doc: "The sum of the items, or of their fields of that name; nulls are left out, of nothing it is 0. A sum beyond 64 bits rejects its row.",
    examples: &[
        example("{{ [1, 2, 3] | sum }}", "6"),
        example("{{ [{'p': 1.5}, {'p': 2.0}] | sum(attribute='p') }}", "3.5"),
    ],
    parameters: &[needed("value"), optional("attribute")],
    rest: Rest::None,
    bind: |binder| {
        let item = item_type(binder, 0)?;
        let attribute = Attribute::of(binder, 1)?;
        let of = attribute.ty(&item)?;
        let ty = match of {
            Type::Null => Type::Int,
            Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale },
            other if other.is_numeric() || other == Type::Json => other,
            other => {
                let slot = usize::from(attribute.is_named());
                let wrong = Problem::new(MISMATCH, slot, format!("`sum` takes numbers, found {other}"));
                return Err(if attribute.is_named() {
                    wrong
                } else {
                    wrong.help("convert them first: `map('float')`")
                });
            }
        };
        let out = ty.clone();
        Ok(binder.rows(ty, true, "it reads lists", move |args, _| {
            let mut total = Value::Int(0);
            for item in super::bound::items(&args[0])? {
                let number = attribute.get(&item);
                if !number.is_null() {
                    total = ops::arithmetic(Arithmetic::Add, &total, &number)?;
                }
            }
            crate::cast::convert(&total, &out)
        }))
    },
};
