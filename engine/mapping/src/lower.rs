//! The typed tree as Polars expressions: each node a value column and, where it can fail, a column that says where.
//!
//! Whatever Polars computes exactly as the interpreter does is left to Polars. Where its parsers, its overflow or its
//! nulls differ, a kernel of ours runs the interpreter's own function over the column. Every expression is
//! elementwise: safe in the streaming engine and for any batch.

mod kernels;
mod operators;
mod sum;

pub(crate) use kernels::apply;
pub(crate) use operators::as_text;
pub(crate) use sum::exact_sum;

use polars::prelude::{Expr, LiteralValue, NULL, Scalar, col, lit};
use towpath_spec::Type;

use crate::columns::{to_polars, values_to_series};
use crate::expr::{Call, Kind, Node};
use crate::functions::Kernel;
use crate::interpret;
use crate::ops;
use crate::scope::Constants;
use crate::value::Value;

/// A node's columns.
#[derive(Clone)]
pub(crate) struct Column {
    /// Null where the node failed.
    pub value: Expr,
    /// Never null.
    pub failed: Option<Expr>,
}

impl Column {
    fn sound(value: Expr) -> Self {
        Self { value, failed: None }
    }
}

/// True where either is.
pub(crate) fn either(left: Option<Expr>, right: Option<Expr>) -> Option<Expr> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.or(right)),
        (one, None) | (None, one) => one,
    }
}

/// A literal of a type.
pub(crate) fn literal(value: &Value, ty: &Type) -> Expr {
    let dtype = to_polars(ty);
    match value {
        Value::Null => lit(NULL).cast(dtype),
        Value::Text(text) if *ty == Type::Text => lit(text.to_string()),
        Value::Bool(b) if *ty == Type::Bool => lit(*b),
        _ => {
            let scalar = values_to_series("literal", ty, std::slice::from_ref(value))
                .ok()
                .and_then(|series| series.get(0).ok().map(|any| any.into_static()));
            Expr::Literal(LiteralValue::Scalar(Scalar::new(dtype, scalar.unwrap_or_default())))
        }
    }
}

/// The columns of a node.
pub(crate) fn lower(node: &Node, constants: &Constants) -> Column {
    match &node.kind {
        Kind::Const(value) => Column::sound(literal(value, &node.ty)),
        Kind::Column(name) => Column::sound(col(name.as_str())),
        Kind::Param(name) => {
            let value = constants.params.get(name).cloned().unwrap_or(Value::Null);
            Column::sound(literal(&value, &node.ty))
        }
        Kind::RunFact(name) => Column::sound(literal(&constants.run_fact(name), &node.ty)),
        Kind::Not(of) => {
            let of = truth(of, constants);
            Column { value: of.value.not(), failed: of.failed }
        }
        Kind::Truth(of) => truth(of, constants),
        Kind::And(left, right) => operators::and_or(node, left, right, false, constants),
        Kind::Or(left, right) => operators::and_or(node, left, right, true, constants),
        Kind::If(test, then, other) => operators::choice(test, then, other, constants),
        Kind::Default(value, other, empty_too) => operators::default(value, other, *empty_too, constants),
        Kind::Concat(parts) => operators::concat(parts, constants),
        Kind::Negate(of) => operators::negate(node, of, constants),
        Kind::Compare(op, left, right) => operators::compare(node, *op, left, right, constants),
        Kind::Arithmetic(op, left, right) => operators::arithmetic(node, *op, left, right, constants),
        Kind::In(item, set) => operators::contains(node, item, set, constants),
        Kind::Widen(of) => operators::widen(node, of, constants),
        Kind::Call(call) => self::call(node, call, constants),
        Kind::Attribute(of, name) => {
            let name = name.clone();
            by_row(node, &[of], constants, false, move |args| Ok(ops::attribute(&args[0], &name)))
        }
        Kind::Item(of, index) => by_row(node, &[of, index], constants, false, |args| Ok(ops::item(&args[0], &args[1]))),
        Kind::Slice(..) => operators::slice(node, constants),
        Kind::List(items) => {
            let items: Vec<&Node> = items.iter().collect();
            by_row(node, &items, constants, false, |args| Ok(Value::List(args.to_vec())))
        }
        Kind::Struct(fields) => {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            let nodes: Vec<&Node> = fields.iter().map(|(_, node)| node).collect();
            by_row(node, &nodes, constants, false, move |args| {
                Ok(Value::Struct(names.iter().cloned().zip(args.iter().cloned()).collect()))
            })
        }
        Kind::For(_) | Kind::Local(_) => whole(node, constants),
    }
}

/// The whole node interpreted row by row.
pub(crate) fn whole(node: &Node, constants: &Constants) -> Column {
    let names = node.columns();
    if names.is_empty() {
        let mut machine = interpret::Machine { row: &(), constants, locals: Vec::new(), as_columns: true };
        return match machine.eval(node) {
            Ok(value) => Column::sound(literal(&value, &node.ty)),
            Err(_) => Column { value: literal(&Value::Null, &node.ty), failed: Some(lit(true)) },
        };
    }
    kernels::tree(node, names, constants)
}

/// A node computed row by row from its children's columns. `fails`: whether it can by itself.
fn by_row(
    node: &Node,
    children: &[&Node],
    constants: &Constants,
    fails: bool,
    run: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
) -> Column {
    let columns: Vec<Column> = children.iter().map(|child| lower(child, constants)).collect();
    let types = children.iter().map(|child| child.ty.clone()).collect();
    let below = columns.iter().fold(None, |all, column| either(all, column.failed.clone()));
    let inputs = columns.into_iter().map(|column| column.value).collect();
    let own = kernels::rows(inputs, types, &node.ty, fails, run);
    Column { value: own.value, failed: either(below, own.failed) }
}

/// Where a value is null; JSON's own null counts.
fn is_null(value: &Expr, node: &Node) -> Expr {
    if node.ty == Type::Json {
        let none = value.clone().str().strip_chars(lit(" \t\n\r")).eq(lit("null"));
        return value.clone().is_null().or(none.fill_null(lit(false)));
    }
    value.clone().is_null()
}

/// The truth of a node; never null.
fn truth(node: &Node, constants: &Constants) -> Column {
    truth_of(lower(node, constants), node)
}

/// The truth of a node whose columns are known.
fn truth_of(Column { value, failed }: Column, node: &Node) -> Column {
    let value = match node.ty {
        Type::Null => value.is_not_null(),
        Type::Bool if !node.nullable && failed.is_none() => value,
        Type::Bool => value.fill_null(lit(false)),
        Type::Int => value.neq(lit(0i64)).fill_null(lit(false)),
        Type::Float => value.neq(lit(0f64)).fill_null(lit(false)),
        Type::Text => value.neq(lit("")).fill_null(lit(false)),
        Type::Date | Type::DateTime { .. } => value.is_not_null(),
        _ => {
            kernels::rows(vec![value], vec![node.ty.clone()], &Type::Bool, false, |args| {
                Ok(Value::Bool(ops::truthy(&args[0])))
            })
            .value
        }
    };
    Column { value, failed }
}

/// A call, by the kernel it was bound with.
fn call(node: &Node, call: &Call, constants: &Constants) -> Column {
    let bound = &call.bound;
    if let Kernel::Rows(_) = bound.kernel {
        let children: Vec<&Node> = call.args.iter().collect();
        let (bound, varying, fixed) = (bound.clone(), call.varying.clone(), constants.clone());
        let fails = bound.fallible;
        return by_row(node, &children, constants, fails, move |args| interpret::run(&bound, &varying, args, &fixed));
    }
    let columns: Vec<Column> = call.args.iter().map(|arg| lower(arg, constants)).collect();
    let below = columns.iter().fold(None, |all, column| either(all, column.failed.clone()));
    let inputs: Vec<Expr> = columns.into_iter().map(|column| column.value).collect();
    let Some(first) = inputs.first().cloned() else {
        return Column::sound(apply(&bound.kernel, inputs, &node.ty, constants));
    };
    let value = apply(&bound.kernel, inputs, &node.ty, constants);
    // The kernel gives null exactly where its input is null or it failed.
    let own = bound.fallible.then(|| first.is_not_null().and(value.clone().is_null()));
    Column { value, failed: either(below, own) }
}
