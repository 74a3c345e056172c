//! `null_if`.

use std::sync::Arc;

use polars::prelude::{NULL, lit, when};
use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Kernel, Problem, Rest, example, needed};
use crate::ops;
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "null_if",
    kinds: &[FunctionKind::Filter],
    signature: "value | null_if(v, …) -> the same type",
    doc: "Null when the value equals one of the given ones, else the value.",
    examples: &[example("{{ 'N/A' | null_if('', 'N/A') }}", "null"), example("{{ 'x' | null_if('') }}", "x")],
    parameters: &[needed("value")],
    rest: Rest::Values,
    bind: |binder| {
        for (slot, argument) in binder.rest(1) {
            let fits = crate::check::unify(binder.ty(0), argument.ty).is_some();
            if !fits {
                let message = format!("the value is {}, compared with {}", binder.ty(0), argument.ty);
                return Err(Problem::new(towpath_spec::codes::TYPE_MISMATCH, slot, message));
            }
        }
        let ty = binder.ty(0).clone();
        let bound = binder.rows(ty.clone(), false, "its input is not text", |args, _| {
            let hit = args[1..].iter().any(|other| ops::equal(&args[0], other));
            Ok(if hit { Value::Null } else { args[0].clone() })
        });
        let bound = Bound { fallible: false, ..bound.nullable(true) };
        let wanted: Option<Vec<String>> = (ty == Type::Text && binder.only_first_varies())
            .then(|| binder.constants().iter().filter_map(|value| value.as_text().map(str::to_owned)).collect());
        Ok(match wanted {
            Some(wanted) => bound.with(Kernel::Polars(Arc::new(move |mut args, _| {
                let value = args.swap_remove(0);
                let wanted = wanted.clone();
                let hit = super::bound::text_to_bool(value.clone(), move |text| wanted.iter().any(|one| one == text));
                when(hit.fill_null(lit(false))).then(lit(NULL)).otherwise(value)
            }))),
            None => bound,
        })
    },
};
