//! Operators as Polars expressions.

use std::sync::Arc;

use polars::prelude::{Expr, PlHashSet, coalesce, concat_str, lit, when};
use towpath_spec::Type;

use super::{Column, by_row, either, is_null, kernels, literal, lower, truth, truth_of};
use crate::columns::to_polars;
use crate::expr::{Arithmetic, Comparison, Kind, Node};
use crate::functions::Kernel;
use crate::ops;
use crate::scope::Constants;
use crate::temporal;
use crate::value::{Value, write_float};

/// `and`, `or`: the right side is looked at, and can fail, only where the left one does not decide.
pub(super) fn and_or(node: &Node, left: &Node, right: &Node, is_or: bool, constants: &Constants) -> Column {
    let left_column = lower(left, constants);
    let test = truth_of(left_column.clone(), left);
    let asks_right = if is_or { test.value.clone().not() } else { test.value.clone() };
    if node.ty == Type::Bool {
        let other = truth(right, constants);
        let value = if is_or { test.value.or(other.value) } else { test.value.and(other.value) };
        return Column { value, failed: either(test.failed, other.failed.map(|failed| asks_right.and(failed))) };
    }
    let right = lower(right, constants);
    let failed = either(test.failed, right.failed.map(|failed| asks_right.clone().and(failed)));
    Column { value: when(asks_right).then(right.value).otherwise(left_column.value), failed }
}

/// `then if test else other`: only the branch taken can fail.
pub(super) fn choice(test: &Node, then: &Node, other: &Node, constants: &Constants) -> Column {
    let test = truth(test, constants);
    let (then, other) = (lower(then, constants), lower(other, constants));
    let branches = match (then.failed, other.failed) {
        (None, None) => None,
        (then, other) => {
            let none = || lit(false);
            Some(when(test.value.clone()).then(then.unwrap_or_else(none)).otherwise(other.unwrap_or_else(none)))
        }
    };
    Column { value: when(test.value).then(then.value).otherwise(other.value), failed: either(test.failed, branches) }
}

/// `default`: takes the other value where there is none, the first one failed, or (if asked) it is empty.
pub(super) fn default(node: &Node, other: &Node, empty_too: bool, constants: &Constants) -> Column {
    let (column, instead) = (lower(node, constants), lower(other, constants));
    let plain = column.failed.is_none() && !empty_too && node.ty != Type::Json;
    if plain && instead.failed.is_none() {
        return Column::sound(coalesce(&[column.value, instead.value]));
    }
    let mut missing = is_null(&column.value, node);
    if empty_too {
        missing = truth_of(column.clone(), node).value.not();
    }
    if let Some(failed) = column.failed {
        missing = failed.or(missing);
    }
    let failed = instead.failed.map(|failed| missing.clone().and(failed));
    Column { value: when(missing).then(instead.value).otherwise(column.value), failed }
}

/// The texts of all parts in a row, null as nothing.
pub(super) fn concat(parts: &[Node], constants: &Constants) -> Column {
    let mut failed = None;
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        let column = lower(part, constants);
        failed = either(failed, column.failed);
        texts.push(as_text(column.value, &part.ty));
    }
    let value = match texts.len() {
        0 => lit(""),
        1 => texts.remove(0).fill_null(lit("")),
        _ => concat_str(texts, "", true),
    };
    Column { value, failed }
}

/// A column as templates print it; null stays null.
pub(crate) fn as_text(value: Expr, ty: &Type) -> Expr {
    let kernel = match ty {
        Type::Text => return value,
        Type::Int => return value.cast(to_polars(&Type::Text)),
        Type::Bool => {
            return when(value.clone())
                .then(lit("true"))
                .when(value.not())
                .then(lit("false"))
                .otherwise(literal(&Value::Null, &Type::Text));
        }
        Type::Null => return literal(&Value::Null, &Type::Text),
        Type::Date => Kernel::DaysToText(Arc::new(|days| Ok(Value::Date(days).to_text()))),
        Type::DateTime { zone } => {
            let zone = zone.clone();
            Kernel::IntToText(Arc::new(move |micros| {
                let mut out = String::new();
                temporal::write_datetime(micros, zone.as_deref(), &mut out);
                Ok(out)
            }))
        }
        Type::Duration => Kernel::IntToText(Arc::new(|micros| Ok(Value::Duration(micros).to_text()))),
        Type::Float => {
            return kernels::unary(value, to_polars(&Type::Text), |series| {
                use polars::prelude::{IntoSeries, NewChunkedArray, StringChunked};
                let cells = series.f64()?.iter().map(|cell| {
                    cell.map(|x| {
                        let mut out = String::new();
                        write_float(x, &mut out);
                        out
                    })
                });
                Ok(StringChunked::from_iter_options("".into(), cells).into_series())
            });
        }
        other => {
            return kernels::rows(vec![value], vec![other.clone()], &Type::Text, false, |args| {
                Ok(if args[0].is_null() { Value::Null } else { Value::from(args[0].to_text()) })
            })
            .value;
        }
    };
    kernels::apply(&kernel, vec![value], &Type::Text, &Constants::at(chrono::DateTime::UNIX_EPOCH))
}

pub(super) fn negate(node: &Node, of: &Node, constants: &Constants) -> Column {
    if node.ty == Type::Float && of.ty == Type::Float {
        let Column { value, failed } = lower(of, constants);
        return Column { value: std::ops::Neg::neg(value), failed };
    }
    by_row(node, &[of], constants, node.fallible, |args| ops::negate(&args[0]))
}

pub(super) fn compare(node: &Node, op: Comparison, left: &Node, right: &Node, constants: &Constants) -> Column {
    let by_value = matches!(left.ty, Type::Bool | Type::Int | Type::Float | Type::Text | Type::Date | Type::Duration);
    let mixed = matches!((&left.ty, &right.ty), (Type::Int, Type::Float) | (Type::Float, Type::Int));
    let instants = matches!((&left.ty, &right.ty), (Type::DateTime { .. }, Type::DateTime { .. }));
    let is_equality = matches!(op, Comparison::Equal | Comparison::Unequal);
    if is_equality && (left.ty == Type::Null || right.ty == Type::Null) {
        let of = if left.ty == Type::Null { right } else { left };
        let Column { value, failed } = lower(of, constants);
        let null = is_null(&value, of);
        return Column { value: if op == Comparison::Equal { null } else { null.not() }, failed };
    }
    if !(mixed || instants || by_value && left.ty == right.ty) {
        return by_row(node, &[left, right], constants, node.fallible, move |args| {
            ops::compare(op, &args[0], &args[1]).map(Value::Bool)
        });
    }
    let (l, r) = (lower(left, constants), lower(right, constants));
    let failed = either(l.failed, r.failed);
    if mixed {
        return Column { value: int_with_float(op, l.value, r.value, left.ty == Type::Float), failed };
    }
    let prepare = |value: Expr| if instants { value.to_physical() } else { value };
    let (l, r) = (prepare(l.value), prepare(r.value));
    let value = match op {
        Comparison::Equal => l.eq_missing(r),
        Comparison::Unequal => l.neq_missing(r),
        Comparison::Less => l.lt(r).fill_null(lit(false)),
        Comparison::LessEqual => l.lt_eq(r).fill_null(lit(false)),
        Comparison::Greater => l.gt(r).fill_null(lit(false)),
        Comparison::GreaterEqual => l.gt_eq(r).fill_null(lit(false)),
    };
    Column { value, failed }
}

/// An int compared with a float, or a float with an int when `swapped`, without making a float of the int.
fn int_with_float(op: Comparison, left: Expr, right: Expr, swapped: bool) -> Expr {
    let (ints, floats) = if swapped { (right, left) } else { (left, right) };
    kernels::int_with_float(ints, floats, move |int, float| match int.zip(float) {
        Some((int, float)) => {
            let order = ops::int_float_order(int, float);
            ops::holds(op, if swapped { order.reverse() } else { order })
        }
        None => match op {
            Comparison::Equal => int.is_none() && float.is_none(),
            Comparison::Unequal => int.is_some() || float.is_some(),
            _ => false,
        },
    })
}

pub(super) fn arithmetic(node: &Node, op: Arithmetic, left: &Node, right: &Node, constants: &Constants) -> Column {
    let number = |ty: &Type| matches!(ty, Type::Int | Type::Float);
    let text = left.ty == Type::Text && right.ty == Type::Text;
    let ints = left.ty == Type::Int && right.ty == Type::Int && op != Arithmetic::Divide;
    if !(text || number(&left.ty) && number(&right.ty)) {
        let fails = true;
        return by_row(node, &[left, right], constants, fails, move |args| ops::arithmetic(op, &args[0], &args[1]));
    }
    let (l, r) = (lower(left, constants), lower(right, constants));
    let below = either(l.failed, r.failed);
    if text {
        return Column { value: concat_str([l.value, r.value], "", false), failed: below };
    }
    let both = l.value.clone().is_not_null().and(r.value.clone().is_not_null());
    if ints {
        let value = kernels::ints(l.value, r.value, to_polars(&Type::Int), move |l, r| ops::checked_int(op, l, r));
        let own = both.and(value.clone().is_null());
        return Column { value, failed: either(below, Some(own)) };
    }
    let float = to_polars(&Type::Float);
    let (lf, rf) = (l.value.cast(float.clone()), r.value.clone().cast(float));
    // Polars folds `0.0 + x` to `x` and divides by multiplying with the reciprocal, both of which change bits.
    let by = right.as_const().and_then(ops::to_float);
    let sound = match op {
        Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply => true,
        Arithmetic::Divide => by.is_some_and(|by| by != 0.0),
        _ => false,
    };
    if sound {
        let value = kernels::sound_floats(lf, rf, move |l, r| ops::float_arithmetic(op, l, r).unwrap_or(f64::NAN));
        return Column { value, failed: below };
    }
    let value = kernels::floats(lf, rf, move |l, r| ops::float_arithmetic(op, l, r).ok());
    let own = both.and(value.clone().is_null());
    Column { value, failed: either(below, Some(own)) }
}

pub(super) fn contains(node: &Node, item: &Node, set: &Node, constants: &Constants) -> Column {
    if let (Type::Text, Some(Value::List(items))) = (&item.ty, set.as_const()) {
        let has_null = items.iter().any(Value::is_null);
        let all: PlHashSet<Box<str>> = items.iter().filter_map(Value::as_text).map(Box::from).collect();
        let Column { value, failed } = lower(item, constants);
        let kernel = Kernel::TextToBool(Arc::new(move |text| Ok(all.contains(text))));
        let found = kernels::apply(&kernel, vec![value], &Type::Bool, constants);
        return Column { value: found.fill_null(lit(has_null)), failed };
    }
    if let (Type::Text, Type::Text, Some(part)) = (&item.ty, &set.ty, item.as_const().and_then(Value::as_text)) {
        let part = part.to_owned();
        let Column { value, failed } = lower(set, constants);
        let kernel = Kernel::TextToBool(Arc::new(move |text| Ok(text.contains(&part))));
        let found = kernels::apply(&kernel, vec![value], &Type::Bool, constants);
        return Column { value: found.fill_null(lit(false)), failed };
    }
    by_row(node, &[item, set], constants, node.fallible, |args| ops::contains(&args[0], &args[1]).map(Value::Bool))
}

pub(super) fn widen(node: &Node, of: &Node, constants: &Constants) -> Column {
    match (&of.ty, &node.ty) {
        (Type::Null, _) => {
            let Column { failed, .. } = lower(of, constants);
            Column { value: literal(&Value::Null, &node.ty), failed }
        }
        (from, to) if to_polars(from) == to_polars(to) && *to != Type::Json => lower(of, constants),
        (Type::Int, Type::Float) => {
            let Column { value, failed } = lower(of, constants);
            Column { value: value.cast(to_polars(&Type::Float)), failed }
        }
        _ => {
            let ty = node.ty.clone();
            by_row(node, &[of], constants, node.fallible && !of.fallible, move |args| {
                crate::cast::convert(&args[0], &ty)
            })
        }
    }
}

pub(super) fn slice(node: &Node, constants: &Constants) -> Column {
    let Kind::Slice(of, start, stop) = &node.kind else {
        return Column::sound(literal(&Value::Null, &node.ty));
    };
    let null = Node::constant(Value::Null, node.span.clone());
    let (start, stop) = (start.as_deref().unwrap_or(&null), stop.as_deref().unwrap_or(&null));
    by_row(node, &[of, start, stop], constants, of.ty == Type::Json, |args| ops::slice(&args[0], &args[1], &args[2]))
}
