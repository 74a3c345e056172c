//! Aggregates over the rows of a group: `count()`, `sum(x)` and their like.

use std::ops::Range;

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

const NAMES: [&str; 13] =
    ["count", "sum", "min", "max", "mean", "median", "std", "any", "all", "first", "last", "collect", "count_distinct"];

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
    /// The first value of a column.
    pub fn first_of(column: &Field) -> Self {
        let of = Node {
            kind: crate::expr::Kind::Column(column.name.clone()),
            ty: column.ty.clone(),
            nullable: column.nullable,
            fallible: false,
            span: 0..0,
        };
        let field = Field { name: "value".into(), ..column.clone() };
        let columns = vec![column.name.clone()];
        Self { field, function: "first", of: Some(of), written: format!("first({})", column.name), columns }
    }

    /// Names of the columns it reads.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What it aggregates.
    pub fn argument(&self) -> Option<Compiled> {
        self.of.clone().map(Compiled::of)
    }

    /// What it aggregates, when that can fail for a row: such rows have to be rejected beforehand.
    pub fn fallible_argument(&self) -> Option<Compiled> {
        self.of.clone().filter(|of| of.fallible).map(Compiled::of)
    }

    /// Whether it is a number of rows or values, which is 0 where there are none.
    pub fn is_count(&self) -> bool {
        matches!(self.function, "count" | "count_distinct")
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
        // Of no values at all it is null, as in SQL.
        let unless_none = |of: Expr, value: Expr| {
            let any = of.count().gt(lit(0));
            polars::prelude::when(any).then(value).otherwise(lit(polars::prelude::NULL)).cast(to_polars(&self.field.ty))
        };
        match self.function {
            "count" => value.count().cast(DataType::Int64),
            // The sum of no values at all is null, as in SQL, not zero.
            "sum" if matches!(of.ty, Type::Int | Type::Duration | Type::Decimal { .. }) => {
                lower::exact_sum(value, &self.field.ty, &self.written)
            }
            "sum" => {
                let value = numbers(value);
                unless_none(value.clone(), value.sum())
            }
            "min" => value.min(),
            "max" => value.max(),
            "mean" => numbers(value).mean().cast(DataType::Float64),
            "median" => value.cast(DataType::Float64).median(),
            "std" => value.cast(DataType::Float64).std(1),
            "any" => unless_none(value.clone(), value.any(true)),
            "all" => unless_none(value.clone(), value.all(true)),
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
/// Nulls are left out by all but `count()`, `first` and `last`; of no values at all, all but the counts and `collect` are null.
///
/// # Errors
/// All problems found, each at its place inside the expression.
pub fn compile_aggregate(text: &Text, scope: &Scope) -> Result<Aggregate, Vec<Diagnostic>> {
    let call = Called::read(text, scope, "an aggregate such as `sum(amount)`", "aggregate", &NAMES)?;
    let function = call.function;
    let of = match call.args.as_slice() {
        [] if function == "count" => None,
        [of] if call.named.is_empty() => Some(of.clone()),
        _ => {
            let message = format!("`{function}` takes one argument");
            return Err(vec![call.problem(towpath_spec::codes::WRONG_ARGUMENTS, call.span.clone(), message)]);
        }
    };
    let ty = match aggregate_type(function, of.as_ref().map_or(&Type::Null, |node| &node.ty)) {
        Ok(ty) => ty,
        Err(message) => {
            let range = of.map_or(0..text.value.len(), |node| node.span);
            return Err(vec![call.problem(towpath_spec::codes::TYPE_MISMATCH, range, message)]);
        }
    };
    let nullable = !matches!(function, "count" | "count_distinct" | "collect")
        && (!matches!(function, "min" | "max" | "first" | "last") || of.as_ref().is_none_or(|node| node.nullable));
    let columns = of.as_ref().map(Node::columns).unwrap_or_default();
    let written = text.value.trim().to_owned();
    Ok(Aggregate { field: Field { name: "value".into(), ty, nullable }, function, of, written, columns })
}

/// One call of a function over several rows, its arguments checked.
pub(crate) struct Called<'a> {
    text: &'a Text,
    scope: &'a Scope<'a>,
    pub function: &'static str,
    pub args: Vec<Node>,
    /// Arguments by name.
    pub named: Vec<(String, Node)>,
    /// Bytes of the text it was written as.
    pub span: Range<usize>,
}

impl<'a> Called<'a> {
    /// `expected` says what is to stand here, `what` what such a function is called.
    pub fn read(
        text: &'a Text,
        scope: &'a Scope<'a>,
        expected: &str,
        what: &str,
        names: &[&'static str],
    ) -> Result<Self, Vec<Diagnostic>> {
        let parsed = parse::expression(text, scope.files)?;
        let unknown = |range: Range<usize>, message: String, help: Option<String>| {
            let span = scope.files.inside(text, range.start, range.end);
            vec![Diagnostic::error(towpath_spec::codes::UNKNOWN_FUNCTION, span, message).maybe_help(help)]
        };
        let all = || {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}(…)`")).collect();
            Some(format!("one of {}", names.join(", ")))
        };
        let ast::Expr::Call(call) = &parsed else {
            return Err(unknown(span_of(&parsed), format!("expected {expected}"), all()));
        };
        let ast::Expr::Var(var) = &call.expr else {
            return Err(unknown(span_of(&call.expr), format!("expected {expected}"), all()));
        };
        let Some(function) = names.iter().copied().find(|name| *name == var.id) else {
            let help = did_you_mean(var.id, names.iter().copied());
            return Err(unknown(bytes(var.span()), format!("unknown {what} `{}`", var.id), help));
        };
        let span = span_of(&parsed);
        let mut called = Self { text, scope, function, args: Vec::new(), named: Vec::new(), span };
        let mut problems = Vec::new();
        for arg in &call.args {
            let mut checker = Checker::new(scope, text);
            let (name, expr) = match arg {
                ast::CallArg::Pos(expr) => (None, expr),
                ast::CallArg::Kwarg(name, expr) => (Some(*name), expr),
                ast::CallArg::PosSplat(expr) | ast::CallArg::KwargSplat(expr) => {
                    let message = format!("`{function}` takes no list of arguments");
                    problems.push(called.problem(towpath_spec::codes::WRONG_ARGUMENTS, span_of(expr), message));
                    continue;
                }
            };
            let node = checker.expr(expr);
            problems.append(&mut checker.problems);
            match (node, name) {
                (Some(node), None) => called.args.push(node),
                (Some(node), Some(name)) => called.named.push((name.to_owned(), node)),
                (None, _) => {}
            }
        }
        if problems.is_empty() { Ok(called) } else { Err(problems) }
    }

    /// A problem at bytes of the text.
    pub fn problem(&self, code: towpath_spec::Code, range: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::error(code, self.scope.files.inside(self.text, range.start, range.end), message)
    }
}

pub(crate) fn aggregate_type(function: &str, of: &Type) -> Result<Type, String> {
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
        "any" | "all" => match of {
            Type::Bool | Type::Null => Type::Bool,
            _ => return takes("true or false, such as `total > 0`"),
        },
        "mean" | "median" | "std" => match of {
            Type::Json if function != "mean" => return takes("numbers"),
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
