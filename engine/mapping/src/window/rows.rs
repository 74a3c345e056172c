//! The functions of a window over the rows of a frame.

use polars::prelude::row_encode::_get_rows_encoded_ca;
use polars::prelude::{
    BinaryOffsetChunked, BooleanChunked, ChunkSort, Column, DataFrame, DataType, Float64Chunked, IdxCa, IdxSize,
    Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlSmallStr, PolarsError, PolarsResult, SortOptions,
    TimeUnit,
};
use towpath_spec::Type;

use super::{OrderBy, WindowValue};
use crate::columns::{to_polars, values_to_series};
use crate::evaluate::{Computed, evaluate};
use crate::ops::DECIMAL_LIMIT;
use crate::scope::Constants;
use crate::value::Value;

/// The columns of a window, by name, for every row of a frame in the order of the frame.
///
/// Rows on which an argument fails have to be rejected beforehand.
///
/// # Errors
/// A sum does not fit its type; the frame lacks a column, which is a bug of the caller.
pub fn windowed(
    frame: &DataFrame,
    by: &[String],
    order_by: &[OrderBy],
    values: &[(String, WindowValue)],
    constants: &Constants,
) -> PolarsResult<Vec<Column>> {
    let rows = Rows::new(frame, by, order_by)?;
    values
        .iter()
        .map(|(name, value)| {
            let argument = match value.argument() {
                Some(compiled) => {
                    let computed = [Computed::new("value", &compiled, constants)];
                    evaluate(frame, &computed)?.values.pop()
                }
                None => None,
            };
            let column = rows.column(value, argument.as_ref())?;
            Ok(column.cast(&to_polars(&value.field.ty))?.with_name(name.as_str().into()))
        })
        .collect()
}

/// The rows of a frame in the order of groups and of `order_by`.
struct Rows {
    /// The rows by their numbers in the frame.
    order: Vec<IdxSize>,
    /// Where each group ends in `order`.
    ends: Vec<usize>,
    /// By place in `order`: whether the row is equal in `order_by` to the one before it, in the same group.
    is_peer: Vec<bool>,
    is_ordered: bool,
}

fn encoded(frame: &DataFrame, keys: &[OrderBy]) -> PolarsResult<BinaryOffsetChunked> {
    let columns: Vec<Column> =
        keys.iter().map(|key| frame.column(&key.column).cloned()).collect::<PolarsResult<_>>()?;
    let descending: Vec<bool> = keys.iter().map(|key| key.descending).collect();
    let nulls_last: Vec<bool> = keys.iter().map(|key| !key.nulls_first).collect();
    _get_rows_encoded_ca(PlSmallStr::EMPTY, &columns, &descending, &nulls_last, false)
}

/// A number of a row as an index.
fn index(row: IdxSize) -> usize {
    row as usize
}

impl Rows {
    fn new(frame: &DataFrame, by: &[String], order_by: &[OrderBy]) -> PolarsResult<Self> {
        let height = frame.height();
        let by: Vec<OrderBy> =
            by.iter().map(|column| OrderBy { column: column.clone(), descending: false, nulls_first: false }).collect();
        let all: Vec<OrderBy> = by.iter().chain(order_by).cloned().collect();
        let is_ordered = !order_by.is_empty();
        let mut order: Vec<IdxSize> = (0..height).filter_map(|row| IdxSize::try_from(row).ok()).collect();
        let mut starts = vec![false; height];
        let mut is_peer = vec![false; height];
        if !all.is_empty() && height > 0 {
            let keys = encoded(frame, &all)?;
            let options = SortOptions { maintain_order: true, ..SortOptions::default() };
            order = keys.arg_sort(options).into_no_null_iter().collect();
            let groups = if by.is_empty() { None } else { Some(encoded(frame, &by)?) };
            for place in 1..height {
                let (before, here) = (index(order[place - 1]), index(order[place]));
                starts[place] = groups.as_ref().is_some_and(|groups| groups.get(before) != groups.get(here));
                is_peer[place] = is_ordered && keys.get(before) == keys.get(here);
            }
        }
        let mut ends: Vec<usize> = (1..height).filter(|place| starts[*place]).collect();
        ends.extend((height > 0).then_some(height));
        Ok(Self { order, ends, is_peer, is_ordered })
    }

    /// Places in `order` of each group.
    fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends.iter().copied()).map(|(start, end)| start..end)
    }

    fn column(&self, value: &WindowValue, of: Option<&Column>) -> PolarsResult<Column> {
        let Some(of) = of else {
            return Ok(self.counted(value.function));
        };
        match value.function {
            "lag" | "lead" => of.take(&self.shifted(value.function == "lag", value.away)),
            "first" => of.take(&self.ends_of_groups(|group| group.start)),
            "last" => of.take(&self.ends_of_groups(|group| group.end - 1)),
            "min" | "max" => of.take(&self.extremes(of, value.function == "max")?),
            "count" => {
                let there = of.is_not_null();
                let counts = self.running(
                    0_i64,
                    |count, row| {
                        *count += i64::from(there.get(row) == Some(true));
                        Ok(())
                    },
                    |count| Ok(Some(*count)),
                )?;
                Ok(ints(counts))
            }
            "mean" => self.mean(of),
            _ => self.sum(value, of),
        }
    }

    /// Numbers that need no argument.
    fn counted(&self, function: &str) -> Column {
        let mut out = vec![None; self.order.len()];
        for group in self.groups() {
            let (start, size) = (group.start, group.len());
            let (mut rank, mut dense) = (0, 0);
            for place in group {
                let number = place - start + 1;
                if !self.is_peer[place] || number == 1 {
                    rank = number;
                    dense += 1;
                }
                let found = match function {
                    "row_number" => number,
                    "rank" => rank,
                    "dense_rank" => dense,
                    _ if self.is_ordered => number,
                    _ => size,
                };
                out[index(self.order[place])] = i64::try_from(found).ok();
            }
        }
        ints(out)
    }

    /// The rows so many before or behind.
    fn shifted(&self, back: bool, away: usize) -> IdxCa {
        let mut out = vec![None; self.order.len()];
        for group in self.groups() {
            let (start, end) = (group.start, group.end);
            for place in group {
                let other = if back { place.checked_sub(away) } else { place.checked_add(away) };
                let other = other.filter(|other| (start..end).contains(other));
                out[index(self.order[place])] = other.map(|other| self.order[other]);
            }
        }
        picked(out)
    }

    /// For each row the row of its group at a place.
    fn ends_of_groups(&self, place: impl Fn(&std::ops::Range<usize>) -> usize) -> IdxCa {
        let mut out = vec![None; self.order.len()];
        for group in self.groups() {
            let row = self.order[place(&group)];
            self.order[group].iter().for_each(|at| out[index(*at)] = Some(row));
        }
        picked(out)
    }

    /// Goes over each group; gives for each row what was found up to it, or of the whole group when there is no order.
    fn running<S: Clone, T: Clone>(
        &self,
        start: S,
        mut step: impl FnMut(&mut S, usize) -> PolarsResult<()>,
        found: impl Fn(&S) -> PolarsResult<Option<T>>,
    ) -> PolarsResult<Vec<Option<T>>> {
        let mut out = vec![None; self.order.len()];
        for group in self.groups() {
            let mut state = start.clone();
            for row in &self.order[group.clone()] {
                step(&mut state, index(*row))?;
                if self.is_ordered {
                    out[index(*row)] = found(&state)?;
                }
            }
            if !self.is_ordered {
                let found = found(&state)?;
                self.order[group].iter().for_each(|row| out[index(*row)].clone_from(&found));
            }
        }
        Ok(out)
    }

    /// The rows with the least or largest value so far. As in `min` and `max` of a group, NaN counts only when there is nothing else.
    fn extremes(&self, of: &Column, largest: bool) -> PolarsResult<IdxCa> {
        let there = of.is_not_null();
        let is_nan: Option<BooleanChunked> = if of.dtype().is_float() { Some(of.is_nan()?) } else { None };
        let frame = DataFrame::new(of.len(), vec![of.clone().with_name("value".into())])?;
        let key = OrderBy { column: "value".into(), descending: false, nulls_first: true };
        let keys = encoded(&frame, &[key])?;
        let is_nan = |row: usize| is_nan.as_ref().is_some_and(|nan| nan.get(row) == Some(true));
        let better = |row: usize, best: usize| match (is_nan(row), is_nan(best)) {
            (false, true) => true,
            (true, _) => false,
            _ if largest => keys.get(row) > keys.get(best),
            _ => keys.get(row) < keys.get(best),
        };
        let best = self.running(
            None::<usize>,
            |best, row| {
                if there.get(row) == Some(true) && best.is_none_or(|best| better(row, best)) {
                    *best = Some(row);
                }
                Ok(())
            },
            |best| Ok(best.and_then(|row| IdxSize::try_from(row).ok())),
        )?;
        Ok(picked(best))
    }

    fn mean(&self, of: &Column) -> PolarsResult<Column> {
        let values = of.cast(&DataType::Float64)?;
        let values = values.f64()?;
        let means = self.running(
            (0_u32, 0.0),
            |(count, sum), row| {
                if let Some(value) = values.get(row) {
                    *count += 1;
                    *sum += value;
                }
                Ok(())
            },
            |(count, sum)| Ok((*count > 0).then(|| sum / f64::from(*count))),
        )?;
        Ok(floats(means))
    }

    fn sum(&self, value: &WindowValue, of: &Column) -> PolarsResult<Column> {
        let ty = &value.field.ty;
        if *ty == Type::Float {
            let values = of.cast(&DataType::Float64)?;
            let values = values.f64()?;
            let sums = self.running(
                None::<f64>,
                |sum, row| {
                    if let Some(value) = values.get(row) {
                        *sum = Some(sum.unwrap_or(0.0) + value);
                    }
                    Ok(())
                },
                |sum| Ok(*sum),
            )?;
            return Ok(floats(sums));
        }
        let too_large =
            |bound: &str| PolarsError::ComputeError(format!("{}: the sum is beyond {bound}", value.written).into());
        if let Type::Decimal { scale, .. } = ty {
            let of = of.as_materialized_series();
            let values = of.decimal()?.physical();
            let sums = self.running(
                None::<i128>,
                |sum, row| {
                    if let Some(value) = values.get(row) {
                        let next = sum.unwrap_or(0).checked_add(value);
                        *sum = Some(next.ok_or_else(|| too_large("38 digits"))?);
                    }
                    Ok(())
                },
                |sum| match sum {
                    Some(sum) if sum.abs() >= DECIMAL_LIMIT => Err(too_large("38 digits")),
                    sum => Ok(*sum),
                },
            )?;
            let decimal =
                |sum: Option<i128>| sum.map_or(Value::Null, |unscaled| Value::Decimal { unscaled, scale: *scale });
            let values: Vec<Value> = sums.into_iter().map(decimal).collect();
            let series = values_to_series("value", ty, &values);
            return Ok(series.map_err(|message| PolarsError::ComputeError(message.into()))?.into_column());
        }
        let values = of.to_physical_repr().cast(&DataType::Int64)?;
        let values = values.i64()?;
        let sums = self.running(
            None::<i128>,
            |sum, row| {
                if let Some(value) = values.get(row) {
                    *sum = Some(sum.unwrap_or(0) + i128::from(value));
                }
                Ok(())
            },
            |sum| sum.map(|sum| i64::try_from(sum).map_err(|_| too_large("64 bits"))).transpose(),
        )?;
        if *ty == Type::Duration {
            let sums = Int64Chunked::from_iter_options("value".into(), sums.into_iter());
            return Ok(sums.into_duration(TimeUnit::Microseconds).into_series().into_column());
        }
        Ok(ints(sums))
    }
}

fn ints(values: Vec<Option<i64>>) -> Column {
    Int64Chunked::from_iter_options("value".into(), values.into_iter()).into_series().into_column()
}

fn floats(values: Vec<Option<f64>>) -> Column {
    Float64Chunked::from_iter_options("value".into(), values.into_iter()).into_series().into_column()
}

fn picked(rows: Vec<Option<IdxSize>>) -> IdxCa {
    IdxCa::from_iter_options("rows".into(), rows.into_iter())
}
