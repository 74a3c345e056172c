//! What a condition says about null: the columns that cannot be null in rows for which it holds.

use crate::expr::{Comparison, Kind, Node};
use crate::functions::Nulls;
use crate::value::Value;

/// The columns that are surely not null where `node` is true.
pub(crate) fn not_null_where_true(node: &Node) -> Vec<String> {
    not_null_where(node, true)
}

/// The columns that are surely not null where the truth of `node` is `holds`.
pub(crate) fn not_null_where(node: &Node, holds: bool) -> Vec<String> {
    let mut out = Vec::new();
    collect(node, holds, &mut out);
    out.sort();
    out.dedup();
    out
}

fn collect(node: &Node, holds: bool, out: &mut Vec<String>) {
    match (&node.kind, holds) {
        (Kind::Truth(inner), _) => collect(inner, holds, out),
        (Kind::Not(inner), _) => collect(inner, !holds, out),
        // `a and b` true: both are. `a or b` false: neither is.
        (Kind::And(a, b), true) | (Kind::Or(a, b), false) => {
            collect(a, holds, out);
            collect(b, holds, out);
        }
        (Kind::Column(name), true) => out.push(name.clone()),
        // Ordering against null is false.
        (Kind::Compare(op, a, b), true) => match op {
            Comparison::Less | Comparison::LessEqual | Comparison::Greater | Comparison::GreaterEqual => {
                column(a, out);
                column(b, out);
            }
            Comparison::Equal if is_value(b) => column(a, out),
            Comparison::Equal if is_value(a) => column(b, out),
            Comparison::Unequal if is_null(b) => column(a, out),
            Comparison::Unequal if is_null(a) => column(b, out),
            _ => {}
        },
        (Kind::Compare(Comparison::Equal, a, b), false) if is_null(b) => column(a, out),
        (Kind::In(item, set), true) if has_no_null(set) => column(item, out),
        (Kind::Call(call), _) => match (call.function.name, holds) {
            ("none", false) | ("defined" | "matching", true) => {
                call.args.first().into_iter().for_each(|arg| column(arg, out));
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a value can be null although these columns are not.
pub(crate) fn nullable_given(node: &Node, not_null: &[String]) -> bool {
    let given = |node: &Node| nullable_given(node, not_null);
    node.nullable
        && match &node.kind {
            Kind::Column(name) => !not_null.contains(name),
            Kind::Widen(of) | Kind::Negate(of) => given(of),
            Kind::Arithmetic(_, left, right) => given(left) || given(right),
            Kind::If(_, then, other) => given(then) || given(other),
            Kind::Default(_, other, _) => given(other),
            Kind::Call(call) if call.bound.nullable.is_none() => {
                call.varying.iter().any(|slot| given(&call.args[*slot]))
            }
            _ => true,
        }
}

/// The columns that are not null where `node` is not.
fn column(node: &Node, out: &mut Vec<String>) {
    match &node.kind {
        Kind::Column(name) => out.push(name.clone()),
        Kind::Widen(of) | Kind::Negate(of) | Kind::Attribute(of, _) => column(of, out),
        Kind::Arithmetic(_, left, right) => {
            column(left, out);
            column(right, out);
        }
        Kind::Call(call) if call.bound.nulls == Nulls::Propagate => {
            call.varying.iter().filter_map(|slot| call.args.get(*slot)).for_each(|arg| column(arg, out));
        }
        _ => {}
    }
}

fn is_value(node: &Node) -> bool {
    node.as_const().is_some_and(|value| !value.is_null())
}

fn is_null(node: &Node) -> bool {
    node.as_const().is_some_and(Value::is_null)
}

fn has_no_null(set: &Node) -> bool {
    match &set.kind {
        Kind::Const(Value::List(items)) => items.iter().all(|item| !item.is_null()),
        Kind::List(items) => items.iter().all(|item| !item.nullable),
        _ => false,
    }
}
