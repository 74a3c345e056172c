//! Sums that are exact, or end the run: Polars' own wrap around without a word.
//!
//! Every value is cut into pieces of 32 bits, whose sums over up to 2^31 rows fit 64 bits, and the sums are put
//! together in 128 bits with the carries checked. So Polars' own streaming sums do the work over the rows, intermediate
//! sums may be of any size, and only what a sum comes to in the end has to fit.

use polars::prelude::{
    ChunkApply, Column as PlColumn, DataType, Expr, Int64Chunked, IntoSeries, NewChunkedArray, PolarsError,
    PolarsResult, Series,
};
use towpath_spec::Type;

use super::kernels::{many, unary};
use crate::columns::{to_polars, values_to_series};
use crate::ops::DECIMAL_LIMIT;
use crate::value::Value;

const BITS: usize = 32;
const MASK: i128 = (1 << BITS) - 1;

/// The sum of ints, durations or decimals of type `ty`, null for no values at all. `written` names it in the error.
pub(crate) fn exact_sum(value: Expr, ty: &Type, written: &str) -> Expr {
    let (value, pieces) = match ty {
        Type::Decimal { .. } => (value, 4),
        _ => (value.cast(DataType::Int64), 2),
    };
    let mut sums = vec![value.clone().count().cast(DataType::Int64)];
    for place in 0..pieces {
        let last = place + 1 == pieces;
        sums.push(unary(value.clone(), DataType::Int64, move |series| piece(series, place, last)).sum());
    }
    let (ty, written) = (ty.clone(), written.to_owned());
    many(sums, to_polars(&ty), move |columns| together(columns, &ty, &written))
}

/// One piece of each value; the last one keeps the sign.
fn piece(series: &Series, place: usize, last: bool) -> PolarsResult<Series> {
    let cut = |value: i128| {
        let shifted = value >> (BITS * place);
        // What is left of 64 or 128 bits is 32 bits either way.
        (if last { shifted } else { shifted & MASK }) as i64
    };
    let name = series.name().clone();
    let pieces = if series.dtype().is_decimal() {
        Int64Chunked::from_iter_options(name, series.decimal()?.physical().iter().map(|value| value.map(cut)))
    } else {
        series.i64()?.apply_values(|value| cut(value.into()))
    };
    Ok(pieces.into_series())
}

/// The sums of the pieces as one number; `None`: it is beyond 128 bits.
fn joined(pieces: &[i64]) -> Option<i128> {
    let (last, lower) = pieces.split_last()?;
    let (mut total, mut carry) = (0, 0);
    for (place, piece) in lower.iter().enumerate() {
        carry += i128::from(*piece);
        total |= (carry & MASK) << (BITS * place);
        carry >>= BITS;
    }
    (carry + i128::from(*last)).checked_mul(1 << (BITS * lower.len()))?.checked_add(total)
}

/// The number of values and the sums of their pieces as the sums themselves.
fn together(columns: &[PlColumn], ty: &Type, written: &str) -> PolarsResult<Series> {
    let columns = columns.iter().map(PlColumn::i64).collect::<PolarsResult<Vec<_>>>()?;
    let Some((counts, sums)) = columns.split_first() else {
        return Err(PolarsError::ComputeError("a sum without columns".into()));
    };
    let mut values = Vec::with_capacity(counts.len());
    let mut pieces = vec![0; sums.len()];
    for (row, count) in counts.iter().enumerate() {
        if count.unwrap_or(0) == 0 {
            values.push(Value::Null);
            continue;
        }
        for (piece, sum) in pieces.iter_mut().zip(sums) {
            *piece = sum.get(row).unwrap_or(0);
        }
        values.push(joined(&pieces).and_then(|total| fitting(total, ty)).ok_or_else(|| {
            let bound = if matches!(ty, Type::Decimal { .. }) { "38 digits" } else { "64 bits" };
            PolarsError::ComputeError(format!("{written}: the sum is beyond {bound}").into())
        })?);
    }
    values_to_series("sum", ty, &values).map_err(|message| PolarsError::ComputeError(message.into()))
}

fn fitting(total: i128, ty: &Type) -> Option<Value> {
    match ty {
        Type::Decimal { scale, .. } => {
            (total.abs() < DECIMAL_LIMIT).then_some(Value::Decimal { unscaled: total, scale: *scale })
        }
        Type::Duration => i64::try_from(total).ok().map(Value::Duration),
        _ => i64::try_from(total).ok().map(Value::Int),
    }
}
