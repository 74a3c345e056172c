//! Aggregates over the rows of a group: `count()`, `sum(x)` and their like.

use minijinja::machinery::ast;
use polars::prelude::{DataType, Expr, len, lit};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Diagnostic, Field, Text, Type};

use crate::check::{Checker, bytes, span_of};
use crate::columns::to_polars;
use crate::compiled::Compiled;
use crate::expr::Node;
use crate::lower;
use crate::parse;
use crate::scope::{Constants, Scope};

const NAMES: [&str; 9] = ["count", "sum", "min", "max", "mean", "first", "last", "collect", "count_distinct"];

/// One aggregate of a group.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Its type, under the name `value`.
    pub field: Field,
    function: &'static str,
    of: Option<Node>,
    /// As it is written, for errors of the run.
    written: String,
    columns: Vec<String>,
}

impl Aggregate {
    /// Names of the columns it reads.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What it aggregates, when that can fail for a row: such rows have to be rejected beforehand.
    pub fn fallible_argument(&self) -> Option<Compiled> {
        self.of.clone().filter(|of| of.fallible).map(Compiled::of)
    }

    /// As a Polars aggregation over all rows, for a `select`.
    pub fn lower_over_all(&self, constants: &Constants) -> Expr {
        let value = self.lower(constants);
        if self.function == "collect" { value.implode(true) } else { value }
    }

    /// As a Polars aggregation, for the expressions of a group-by.
    pub fn lower(&self, constants: &Constants) -> Expr {
        let Some(of) = &self.of else {
            return len().cast(DataType::Int64);
        };
        let value = lower::lower(of, constants).value;
        let numbers = |value: Expr| {
            if of.ty == Type::Json { value.cast(DataType::Float64) } else { value }
        };
        match self.function {
            "count" => value.count().cast(DataType::Int64),
            // The sum of no values at all is null, as in SQL, not zero.
            "sum" if matches!(of.ty, Type::Int | Type::Duration | Type::Decimal { .. }) => {
                lower::exact_sum(value, &self.field.ty, &self.written)
            }
            "sum" => {
                let value = numbers(value);
                let any = value.clone().count().gt(lit(0));
                polars::prelude::when(any)
                    .then(value.sum())
                    .otherwise(lit(polars::prelude::NULL))
                    .cast(to_polars(&self.field.ty))
            }
            "min" => value.min(),
            "max" => value.max(),
            "mean" => numbers(value).mean().cast(DataType::Float64),
            "first" => value.first(),
            "last" => value.last(),
            "collect" => {
                // In a group-by, an expression of several values already is a list per group.
                value.drop_nulls()
            }
            _ => value.drop_nulls().n_unique().cast(DataType::Int64),
        }
    }
}

/// Compiles an aggregate of an `aggregate` step.
///
/// Nulls are left out by all but `count()`, `first` and `last`; of no values at all, `sum`, `min`, `max` and `mean` are null.
///
/// # Errors
/// All problems found, each at its place inside the expression.
pub fn compile_aggregate(text: &Text, scope: &Scope) -> Result<Aggregate, Vec<Diagnostic>> {
    let parsed = parse::expression(text, scope.files)?;
    let place = |range: std::ops::Range<usize>| scope.files.inside(text, range.start, range.end);
    let wrong = |code, range, message: String, help: Option<String>| {
        Err(vec![Diagnostic::error(code, place(range), message).maybe_help(help)])
    };
    let expected = || Some(format!("one of {}", NAMES.map(|name| format!("`{name}(…)`")).join(", ")));
    let ast::Expr::Call(call) = &parsed else {
        return wrong(
            towpath_spec::codes::UNKNOWN_FUNCTION,
            span_of(&parsed),
            "expected an aggregate such as `sum(amount)`".into(),
            expected(),
        );
    };
    let ast::Expr::Var(var) = &call.expr else {
        return wrong(
            towpath_spec::codes::UNKNOWN_FUNCTION,
            span_of(&call.expr),
            "expected the name of an aggregate".into(),
            expected(),
        );
    };
    let Some(function) = NAMES.into_iter().find(|name| *name == var.id) else {
        let help = did_you_mean(var.id, NAMES);
        return wrong(
            towpath_spec::codes::UNKNOWN_FUNCTION,
            bytes(var.span()),
            format!("unknown aggregate `{}`", var.id),
            help,
        );
    };
    let of = match (call.args.as_slice(), function) {
        ([], "count") => None,
        ([ast::CallArg::Pos(expr)], _) => {
            let mut checker = Checker::new(scope, text);
            match checker.expr(expr) {
                Some(node) if checker.problems.is_empty() => Some(node),
                _ => return Err(checker.problems),
            }
        }
        _ => {
            let message = format!("`{function}` takes one argument");
            return wrong(towpath_spec::codes::WRONG_ARGUMENTS, span_of(&parsed), message, None);
        }
    };
    let ty = match aggregate_type(function, of.as_ref().map_or(&Type::Null, |node| &node.ty)) {
        Ok(ty) => ty,
        Err(message) => {
            let range = of.map_or(0..text.value.len(), |node| node.span);
            return wrong(towpath_spec::codes::TYPE_MISMATCH, range, message, None);
        }
    };
    let nullable = !matches!(function, "count" | "count_distinct" | "collect")
        && (matches!(function, "sum" | "mean") || of.as_ref().is_none_or(|node| node.nullable));
    let columns = of.as_ref().map(Node::columns).unwrap_or_default();
    let written = text.value.trim().to_owned();
    Ok(Aggregate { field: Field { name: "value".into(), ty, nullable }, function, of, written, columns })
}

fn aggregate_type(function: &str, of: &Type) -> Result<Type, String> {
    let takes = |what: &str| Err(format!("`{function}` takes {what}, found {of}"));
    Ok(match function {
        "count" | "count_distinct" => Type::Int,
        "sum" => match of {
            Type::Int | Type::Float | Type::Duration => of.clone(),
            Type::Decimal { scale, .. } => Type::Decimal { precision: 38, scale: *scale },
            Type::Bool => Type::Int,
            Type::Json => Type::Float,
            _ => return takes("numbers"),
        },
        "mean" => match of {
            Type::Int | Type::Float | Type::Decimal { .. } | Type::Bool | Type::Json => Type::Float,
            _ => return takes("numbers"),
        },
        "min" | "max" => match of {
            Type::List(_) | Type::Struct(_) | Type::Json => {
                return takes("values that have an order");
            }
            other => other.clone(),
        },
        "collect" => Type::List(Box::new(of.clone())),
        _ => of.clone(),
    })
}
