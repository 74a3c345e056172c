//! Values computed over a batch, and which of its rows failed on them.
//!
//! Most expressions that can fail are null where they do. Their marks of failure are therefore not computed beside the
//! values, which would do the work twice, but only for the rows whose value came out null, which are few or none.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, IntoLazy, NewChunkedArray, PlSmallStr, PolarsResult, polars_err,
};

use crate::compiled::{Compiled, Lowered};
use crate::expr::{Kind, Node};
use crate::functions::Kernel;
use crate::scope::Constants;

/// A compiled value with its lowering, by the name its column is to have.
pub struct Computed {
    /// The column's name.
    pub name: String,
    /// What is computed.
    pub value: Compiled,
    lowered: Lowered,
}

impl std::fmt::Debug for Computed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computed").field("name", &self.name).field("value", &self.value).finish_non_exhaustive()
    }
}

impl Computed {
    /// Ready to be computed with the constants of a run.
    pub fn new(name: &str, value: &Compiled, constants: &Constants) -> Self {
        Self { name: name.to_owned(), value: value.clone(), lowered: value.lower(constants) }
    }
}

/// Values of a batch, and which of its rows failed on which of them.
#[derive(Debug)]
pub struct Evaluated {
    /// A column for each value, in order and by its name.
    pub values: Vec<Column>,
    /// For each row the number of the first value that failed on it; empty when none did.
    failed: Vec<Option<usize>>,
}

impl Evaluated {
    /// Row and value of each failure, by row.
    pub fn failures(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.failed.iter().enumerate().filter_map(|(row, value)| value.map(|value| (row, value)))
    }

    /// Whether any row failed.
    pub fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Which rows did not fail; `None` when none did.
    pub fn passed(&self) -> Option<BooleanChunked> {
        let passed = || BooleanChunked::from_iter_values("".into(), self.failed.iter().map(Option::is_none));
        self.has_failures().then(passed)
    }

    fn fail(&mut self, row: usize, value: usize, height: usize) {
        self.failed.resize(height, None);
        let first = self.failed[row].get_or_insert(value);
        *first = (*first).min(value);
    }
}

/// Computes values over a batch in one go.
///
/// # Errors
/// The batch lacks a column, which is a bug of the caller.
pub fn evaluate(frame: &DataFrame, values: &[Computed]) -> PolarsResult<Evaluated> {
    let mut exprs = Vec::with_capacity(values.len());
    for (at, Computed { lowered, .. }) in values.iter().enumerate() {
        exprs.push(lowered.value.clone().alias(format!("v{at}")));
        if let (Some(failed), false) = (&lowered.failed, lowered.null_where_failed) {
            exprs.push(failed.clone().alias(format!("f{at}")));
        }
    }
    let mut evaluated = Evaluated { values: Vec::with_capacity(values.len()), failed: Vec::new() };
    if exprs.is_empty() {
        return Ok(evaluated);
    }
    let height = frame.height();
    let all = frame.clone().lazy().select(exprs).collect()?;
    for (at, computed) in values.iter().enumerate() {
        let value = whole(&all, &format!("v{at}"), height)
            .ok_or_else(|| polars_err!(ColumnNotFound: "v{}", at))?
            .with_name(computed.name.as_str().into());
        match &computed.lowered.failed {
            Some(_) if computed.lowered.null_where_failed => {
                failures_among_nulls(frame, computed, at, &value, &mut evaluated)?
            }
            Some(_) => {
                let flags = whole(&all, &format!("f{at}"), height);
                let flags = flags.ok_or_else(|| polars_err!(ColumnNotFound: "f{}", at))?;
                flagged(flags.bool()?).for_each(|row| evaluated.fail(row, at, height));
            }
            None => {}
        }
        evaluated.values.push(value);
    }
    Ok(evaluated)
}

/// Where all values are literals, Polars gives one row for the whole batch.
fn whole(all: &DataFrame, name: &str, height: usize) -> Option<Column> {
    let column = all.column(name).ok()?;
    Some(if column.len() == height { column.clone() } else { column.new_from_index(0, height) })
}

fn flagged(flags: &BooleanChunked) -> impl Iterator<Item = usize> {
    // Nothing is gone through where nothing is marked.
    let some = flags.any().then_some(flags);
    some.into_iter()
        .flat_map(|flags| flags.iter().enumerate().filter(|(_, flag)| *flag == Some(true)).map(|(row, _)| row))
}

/// Computes the marks of failure of the rows whose value is null.
fn failures_among_nulls(
    frame: &DataFrame,
    computed: &Computed,
    at: usize,
    value: &Column,
    evaluated: &mut Evaluated,
) -> PolarsResult<()> {
    let (Some(failed), true) = (&computed.lowered.failed, value.null_count() > 0) else {
        return Ok(());
    };
    let null = value.is_null();
    let read: Vec<PlSmallStr> = computed.value.columns().iter().map(|name| name.as_str().into()).collect();
    if read.is_empty() {
        // The same for all rows.
        let flags = frame.head(Some(1)).lazy().select([failed.clone().alias("f")]).collect()?;
        if flags.column("f")?.bool()?.any() {
            (0..frame.height()).for_each(|row| evaluated.fail(row, at, frame.height()));
        }
        return Ok(());
    }
    let some = frame.select(read)?.filter(&null)?;
    let height = some.height();
    let flags = some.lazy().select([failed.clone().alias("f")]).collect()?;
    let flags = whole(&flags, "f", height).ok_or_else(|| polars_err!(ColumnNotFound: "f"))?;
    let flags = flags.bool()?;
    if flags.any() {
        let rows = null.iter().enumerate().filter(|(_, null)| *null == Some(true)).map(|(row, _)| row);
        let failed = rows.zip(flags.iter()).filter(|(_, flag)| *flag == Some(true));
        failed.for_each(|(row, _)| evaluated.fail(row, at, frame.height()));
    }
    Ok(())
}

impl Node {
    /// Whether the lowered value is surely null in every row on which the node fails.
    pub(crate) fn is_null_where_failed(&self) -> bool {
        if !self.fallible {
            return true;
        }
        match &self.kind {
            Kind::Call(call) => match (&call.bound.kernel, call.args.split_first()) {
                // What is computed row by row or by Polars may make something of a null below it.
                (Kernel::Rows(_) | Kernel::Polars(_), _) => call.args.iter().all(|arg| !arg.fallible),
                (_, Some((first, others))) => first.is_null_where_failed() && others.iter().all(|arg| !arg.fallible),
                (_, None) => false,
            },
            Kind::If(test, then, other) => {
                !test.fallible && then.is_null_where_failed() && other.is_null_where_failed()
            }
            Kind::Arithmetic(_, left, right) => !left.fallible && !right.fallible,
            _ => false,
        }
    }
}
