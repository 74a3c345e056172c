//! Closures of the interpreter run over whole columns.

use std::collections::HashMap;
use std::sync::Arc;

use polars::prelude::arity::{broadcast_binary_elementwise, broadcast_binary_elementwise_values};
use polars::prelude::{
    BooleanChunked, BooleanChunkedBuilder, ChunkTake, ChunkedBuilder, Column as PlColumn, DataType, Expr, Field,
    Float64Chunked, IdxCa, IdxSize, Int32Chunked, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap,
    PolarsError, PolarsResult, Series, StringChunked, StringChunkedBuilder, StructChunked, TimeUnit, map_multiple,
};
use towpath_spec::Type;

use super::Column;
use crate::columns::{Reader, Readers, at, to_polars, values_to_series};
use crate::expr::{Kind, Node};
use crate::functions::{Bytes, Kernel};
use crate::interpret::Machine;
use crate::scope::{Constants, Row};
use crate::value::Value;

fn bug(message: String) -> PolarsError {
    PolarsError::ComputeError(message.into())
}

/// An elementwise expression over one column.
pub(super) fn unary(
    input: Expr,
    dtype: DataType,
    run: impl Fn(&Series) -> PolarsResult<Series> + Send + Sync + 'static,
) -> Expr {
    input.map(
        move |column: PlColumn| {
            let series = column.as_materialized_series();
            Ok(run(series)?.with_name(series.name().clone()).into_column())
        },
        move |_, field| Ok(Field::new(field.name().clone(), dtype.clone())),
    )
}

/// An elementwise expression over several columns; literals come as columns of one value.
pub(super) fn many(
    inputs: Vec<Expr>,
    dtype: DataType,
    run: impl Fn(&[PlColumn]) -> PolarsResult<Series> + Send + Sync + 'static,
) -> Expr {
    map_multiple(
        move |columns: &mut [PlColumn]| {
            let name = columns[0].name().clone();
            Ok(run(columns)?.with_name(name).into_column())
        },
        inputs,
        move |_, fields| Ok(Field::new(fields[0].name().clone(), dtype.clone())),
    )
}

/// Rows of a batch: literals of one value follow the others.
fn height(columns: &[PlColumn]) -> usize {
    columns.iter().map(PlColumn::len).find(|len| *len != 1).unwrap_or(1)
}

const VALUE: &str = "value";
const FAILED: &str = "failed";

fn outcome_type(ty: &Type, fails: bool) -> DataType {
    if !fails {
        return to_polars(ty);
    }
    DataType::Struct(vec![Field::new(VALUE.into(), to_polars(ty)), Field::new(FAILED.into(), DataType::Boolean)])
}

/// Gathers outcomes into one column, or into a struct of value and failure.
fn outcomes(
    ty: &Type,
    fails: bool,
    height: usize,
    mut run: impl FnMut(usize) -> Result<Value, String>,
) -> PolarsResult<Series> {
    let mut values = Vec::with_capacity(height);
    let mut failed = BooleanChunkedBuilder::new(FAILED.into(), if fails { height } else { 0 });
    for row in 0..height {
        // A value that does not fit its column (only JSON holds surprises) is a failure of its row as well.
        let outcome = run(row);
        if fails {
            failed.append_value(outcome.is_err());
        } else if let Err(message) = &outcome {
            return Err(bug(format!("an expression that cannot fail failed: {message}")));
        }
        values.push(outcome.unwrap_or(Value::Null));
    }
    let values = values_to_series(VALUE, ty, &values).map_err(bug)?;
    if !fails {
        return Ok(values);
    }
    let failed = failed.finish().into_series();
    Ok(StructChunked::from_series("outcome".into(), height, [&values, &failed].into_iter())?.into_series())
}

fn split(expr: Expr, fails: bool) -> Column {
    if !fails {
        return Column { value: expr, failed: None };
    }
    Column { value: expr.clone().struct_().field_by_name(VALUE), failed: Some(expr.struct_().field_by_name(FAILED)) }
}

/// A closure over the values of each row.
pub(super) fn rows(
    inputs: Vec<Expr>,
    types: Vec<Type>,
    ty: &Type,
    fails: bool,
    run: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
) -> Column {
    if inputs.is_empty() {
        return match run(&[]) {
            Ok(value) => Column { value: super::literal(&value, ty), failed: None },
            Err(_) => Column { value: super::literal(&Value::Null, ty), failed: Some(polars::prelude::lit(true)) },
        };
    }
    let out = ty.clone();
    let expr = many(inputs, outcome_type(ty, fails), move |columns| {
        let readers = columns
            .iter()
            .zip(&types)
            .map(|(column, ty)| Reader::new(column.as_materialized_series(), ty))
            .collect::<Result<Vec<_>, _>>()
            .map_err(bug)?;
        let mut args = vec![Value::Null; readers.len()];
        outcomes(&out, fails, height(columns), |row| {
            for (arg, reader) in args.iter_mut().zip(&readers) {
                *arg = reader.get(at(reader, row));
            }
            run(&args)
        })
    });
    split(expr, fails)
}

struct BatchRow<'a> {
    readers: &'a Readers,
    row: usize,
}

impl Row for BatchRow<'_> {
    fn get(&self, name: &str) -> Value {
        self.readers.get(name, self.row)
    }
}

/// A whole tree interpreted on each row of the columns it reads.
pub(super) fn tree(node: &Node, names: Vec<String>, constants: &Constants) -> Column {
    let mut types = Vec::with_capacity(names.len());
    for name in &names {
        let mut ty = Type::Json;
        node.walk(&mut |inner| {
            if matches!(&inner.kind, Kind::Column(column) if column == name) {
                ty = inner.ty.clone();
            }
        });
        types.push(ty);
    }
    let inputs = names.iter().map(|name| polars::prelude::col(name.as_str())).collect();
    let (node, constants) = (Arc::new(node.clone()), constants.clone());
    let (out, fails) = (node.ty.clone(), node.fallible);
    let expr = many(inputs, outcome_type(&out, fails), move |columns| {
        let mut readers = Readers { columns: indexmap::IndexMap::new() };
        for ((name, column), ty) in names.iter().zip(columns).zip(&types) {
            let series = column.as_materialized_series();
            readers.columns.insert(name.clone(), Reader::new(series, ty).map_err(bug)?);
        }
        outcomes(&out, fails, height(columns), |row| {
            let row = BatchRow { readers: &readers, row };
            let mut machine = Machine { row: &row, constants: &constants, locals: Vec::new(), as_columns: true };
            machine.eval(&node).map_err(|reason| reason.message)
        })
    });
    split(expr, fails)
}

/// A bound function's kernel over its arguments.
pub(crate) fn apply(kernel: &Kernel, inputs: Vec<Expr>, ty: &Type, constants: &Constants) -> Expr {
    let dtype = to_polars(ty);
    let first = || inputs.first().cloned().unwrap_or_else(|| polars::prelude::lit(polars::prelude::NULL));
    match kernel {
        Kernel::Polars(build) => build(inputs, constants),
        Kernel::Rows(_) => first(),
        Kernel::Text(run) => text(first(), run.clone()),
        Kernel::TextTable(table) => text_table(first(), table),
        Kernel::TextToInt(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                Ok(Int64Chunked::from_iter_options(
                    "".into(),
                    s.str()?.iter().map(|cell| cell.and_then(|text| run(text).ok())),
                )
                .into_series())
            })
        }
        Kernel::TextToFloat(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                Ok(Float64Chunked::from_iter_options(
                    "".into(),
                    s.str()?.iter().map(|cell| cell.and_then(|text| run(text).ok())),
                )
                .into_series())
            })
        }
        Kernel::TextToBool(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                let cells = s.str()?.iter().map(|cell| cell.and_then(|text| run(text).ok()));
                Ok(BooleanChunked::from_iter_options("".into(), cells).into_series())
            })
        }
        Kernel::TextToDate(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                Ok(Int32Chunked::from_iter_options(
                    "".into(),
                    s.str()?.iter().map(|cell| cell.and_then(|text| run(text).ok())),
                )
                .into_date()
                .into_series())
            })
        }
        Kernel::TextToInstant(run) => {
            let (run, out) = (run.clone(), dtype.clone());
            unary(first(), dtype, move |s| {
                let micros = Int64Chunked::from_iter_options(
                    "".into(),
                    s.str()?.iter().map(|cell| cell.and_then(|text| run(text).ok())),
                );
                micros.into_datetime(TimeUnit::Microseconds, None).into_series().cast_zone(&out)
            })
        }
        Kernel::IntToText(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                let physical = s.to_physical_repr();
                let cells = physical.i64()?.iter().map(|cell| cell.and_then(|i| run(i).ok()));
                Ok(StringChunked::from_iter_options("".into(), cells).into_series())
            })
        }
        Kernel::DaysToText(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                let cells = s.date()?.physical().iter().map(|cell| cell.and_then(|days| run(days).ok()));
                Ok(StringChunked::from_iter_options("".into(), cells).into_series())
            })
        }
        Kernel::FloatToInt(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                let cells = s.f64()?.iter().map(|cell| cell.and_then(|x| run(x).ok()));
                Ok(Int64Chunked::from_iter_options("".into(), cells).into_series())
            })
        }
        Kernel::FloatToFloat(run) => {
            let run = run.clone();
            unary(first(), dtype, move |s| {
                let cells = s.f64()?.iter().map(|cell| cell.map(|x| run(x)));
                Ok(Float64Chunked::from_iter_options("".into(), cells).into_series())
            })
        }
    }
}

/// Looks texts up. The table's texts are there once, rows only point at them.
fn text_table(input: Expr, table: &HashMap<String, String>) -> Expr {
    let places: PlHashMap<String, IdxSize> = table.keys().cloned().zip(0..).collect();
    let texts = StringChunked::from_iter_values("".into(), table.values().map(String::as_str));
    unary(input, DataType::String, move |series| {
        let cells = series.str()?.iter().map(|cell| cell.and_then(|text| places.get(text).copied()));
        Ok(texts.take(&IdxCa::from_iter_options("".into(), cells))?.into_series())
    })
}

/// Text in, text out.
pub(super) fn text(input: Expr, run: Bytes) -> Expr {
    unary(input, DataType::String, move |series| {
        let cells = series.str()?;
        let mut out = StringChunkedBuilder::new("".into(), cells.len());
        for cell in cells.iter() {
            match cell.map(|text| run(text)) {
                Some(Ok(text)) => out.append_value(text),
                _ => out.append_null(),
            }
        }
        Ok(out.finish().into_series())
    })
}

/// Two columns of 64-bit integers (or what is one physically) to one; null where either is or where `run` gives none.
pub(super) fn ints(
    left: Expr,
    right: Expr,
    dtype: DataType,
    run: impl Fn(i64, i64) -> Option<i64> + Send + Sync + 'static,
) -> Expr {
    let out = dtype.clone();
    many(vec![left, right], dtype, move |columns| {
        let (left, right) = (physical(&columns[0]), physical(&columns[1]));
        let cells: Int64Chunked =
            broadcast_binary_elementwise(left.i64()?, right.i64()?, |l: Option<i64>, r: Option<i64>| run(l?, r?));
        cells.into_series().cast_zone(&out)
    })
}

/// A column of ints compared with one of floats; nulls are the closure's to settle.
pub(super) fn int_with_float(
    ints: Expr,
    floats: Expr,
    test: impl Fn(Option<i64>, Option<f64>) -> bool + Send + Sync + 'static,
) -> Expr {
    many(vec![ints, floats], DataType::Boolean, move |columns| {
        let (ints, floats) = (columns[0].as_materialized_series(), columns[1].as_materialized_series());
        let out: BooleanChunked = broadcast_binary_elementwise(ints.i64()?, floats.f64()?, |i, x| Some(test(i, x)));
        Ok(out.into_series())
    })
}

/// Two columns of floats to one, likewise.
pub(super) fn floats(left: Expr, right: Expr, run: impl Fn(f64, f64) -> Option<f64> + Send + Sync + 'static) -> Expr {
    many(vec![left, right], DataType::Float64, move |columns| {
        let (left, right) = (columns[0].as_materialized_series(), columns[1].as_materialized_series());
        let out: Float64Chunked =
            broadcast_binary_elementwise(left.f64()?, right.f64()?, |l: Option<f64>, r: Option<f64>| run(l?, r?));
        Ok(out.into_series())
    })
}

/// Two columns of floats to one; null where either is.
pub(super) fn sound_floats(left: Expr, right: Expr, run: impl Fn(f64, f64) -> f64 + Send + Sync + 'static) -> Expr {
    many(vec![left, right], DataType::Float64, move |columns| {
        let (left, right) = (columns[0].as_materialized_series(), columns[1].as_materialized_series());
        let out: Float64Chunked = broadcast_binary_elementwise_values(left.f64()?, right.f64()?, &run);
        Ok(out.into_series())
    })
}

fn physical(column: &PlColumn) -> Series {
    column.as_materialized_series().to_physical_repr().into_owned()
}

trait CastZone {
    fn cast_zone(&self, dtype: &DataType) -> PolarsResult<Series>;
}

impl CastZone for Series {
    /// Integers or zoneless datetimes as the datetime, duration or integer type `dtype`, bits unchanged.
    fn cast_zone(&self, dtype: &DataType) -> PolarsResult<Series> {
        let micros = self.to_physical_repr().i64()?.clone();
        Ok(match dtype {
            DataType::Datetime(unit, zone) => micros.into_datetime(*unit, zone.clone()).into_series(),
            DataType::Duration(unit) => micros.into_duration(*unit).into_series(),
            _ => micros.into_series(),
        })
    }
}
