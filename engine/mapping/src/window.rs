//! Functions over the rows of a group that keep every row: `row_number()`, `lag(x)`, running `sum(x)` and their like.
//!
//! Rows are put into the order of groups and of `order_by` once, every function goes over them once, and what it finds is
//! written where the row was. What only picks a row of the group (`lag`, `first`, `min`, …) works for columns of any type.

mod rows;
#[cfg(test)]
mod tests;

use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Diagnostic, Field, Text, Type, codes};

use crate::aggregate::{Called, aggregate_type};
use crate::compiled::Compiled;
use crate::expr::Node;
use crate::scope::Scope;
use crate::value::Value;

pub use rows::windowed;

const NAMES: [&str; 12] =
    ["row_number", "rank", "dense_rank", "lag", "lead", "first", "last", "count", "sum", "mean", "min", "max"];

/// A column to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The column.
    pub column: String,
    /// Largest first.
    pub descending: bool,
    /// Null before everything else; last when false, whatever the direction.
    pub nulls_first: bool,
}

/// One function of a window.
#[derive(Debug, Clone)]
pub struct WindowValue {
    /// Its type, under the name `value`.
    pub field: Field,
    function: &'static str,
    of: Option<Node>,
    /// How many rows away `lag` and `lead` look.
    away: usize,
    /// As it is written, for errors of the run.
    written: String,
}

impl WindowValue {
    /// What it looks at, when that can fail for a row: such rows have to be rejected beforehand.
    pub fn fallible_argument(&self) -> Option<Compiled> {
        self.argument().filter(Compiled::is_fallible)
    }

    /// What it looks at.
    pub fn argument(&self) -> Option<Compiled> {
        self.of.clone().map(Compiled::of)
    }
}

/// Compiles a function of a `window` step. `is_ordered`: whether the step has an `order_by`.
///
/// # Errors
/// All problems found, each at its place inside the expression.
pub fn compile_window(text: &Text, scope: &Scope, is_ordered: bool) -> Result<WindowValue, Vec<Diagnostic>> {
    let call =
        Called::read(text, scope, "a function of a window such as `row_number()`", "function of a window", &NAMES)?;
    let function = call.function;
    let (of, away) = arguments(&call)?;
    if matches!(function, "rank" | "dense_rank") && !is_ordered {
        let message = format!("`{function}` needs an order to rank by");
        let problem = call.problem(codes::WRONG_ARGUMENTS, call.span.clone(), message);
        return Err(vec![problem.help("write `order_by:` beside `values:`")]);
    }
    let of_type = of.as_ref().map_or(&Type::Null, |node| &node.ty);
    let ty = match function {
        "row_number" | "rank" | "dense_rank" => Type::Int,
        "lag" | "lead" => of_type.clone(),
        _ => aggregate_type(function, of_type).map_err(|message| {
            let range = of.as_ref().map_or(call.span.clone(), |node| node.span.clone());
            vec![call.problem(codes::TYPE_MISMATCH, range, message)]
        })?,
    };
    let nullable = match function {
        "row_number" | "rank" | "dense_rank" | "count" => false,
        "lag" | "lead" => true,
        // The group has at least the row itself; a JSON value may be no number.
        _ => of.as_ref().is_none_or(|node| node.nullable || node.ty == Type::Json),
    };
    let written = text.value.trim().to_owned();
    Ok(WindowValue { field: Field { name: "value".into(), ty, nullable }, function, of, away, written })
}

/// What the function looks at, and how far away.
fn arguments(call: &Called<'_>) -> Result<(Option<Node>, usize), Vec<Diagnostic>> {
    let function = call.function;
    let wrong = |takes: &str| {
        let message = format!("`{function}` takes {takes}");
        Err(vec![call.problem(codes::WRONG_ARGUMENTS, call.span.clone(), message)])
    };
    let shifts = matches!(function, "lag" | "lead");
    if let Some((name, node)) = call.named.iter().find(|(name, _)| !shifts || name != "n") {
        let message = format!("`{function}` takes no argument `{name}`");
        let problem = call.problem(codes::WRONG_ARGUMENTS, node.span.clone(), message);
        return Err(vec![problem.maybe_help(shifts.then(|| did_you_mean(name, ["n"])).flatten())]);
    }
    let by_name = call.named.first().map(|(_, node)| node);
    match (function, call.args.as_slice()) {
        ("row_number" | "rank" | "dense_rank", []) => Ok((None, 0)),
        ("row_number" | "rank" | "dense_rank", _) => wrong("no argument"),
        ("count", []) => Ok((None, 0)),
        ("lag" | "lead", [of]) => Ok((Some(of.clone()), by_name.map_or(Ok(1), |node| away(call, node))?)),
        ("lag" | "lead", [of, rows]) if by_name.is_none() => Ok((Some(of.clone()), away(call, rows)?)),
        ("lag" | "lead", _) => wrong("what to look at, and how many rows away"),
        (_, [of]) => Ok((Some(of.clone()), 0)),
        _ => wrong("one argument"),
    }
}

fn away(call: &Called<'_>, node: &Node) -> Result<usize, Vec<Diagnostic>> {
    if let Some(Value::Int(rows)) = node.as_const()
        && let Ok(rows) = usize::try_from(*rows)
    {
        return Ok(rows);
    }
    let message = format!("`{}` takes a number of rows that is written down, 0 or more", call.function);
    Err(vec![call.problem(codes::WRONG_ARGUMENTS, node.span.clone(), message)])
}
