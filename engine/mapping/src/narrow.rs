//! What a condition says about null: the columns that cannot be null in rows for which it holds.

use crate::expr::{Comparison, Kind, Node};
use crate::value::Value;

/// The columns that are surely not null where `node` is true.
pub(crate) fn not_null_where_true(node: &Node) -> Vec<String> {
    let mut out = Vec::new();
    collect(node, true, &mut out);
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

fn column(node: &Node, out: &mut Vec<String>) {
    match &node.kind {
        Kind::Column(name) => out.push(name.clone()),
        Kind::Widen(inner) => column(inner, out),
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
