//! Columns of text, as XML gives them, turned into columns of the declared types.
//!
//! Column by column rather than row by row: a history of millions of records passes through here.

use crate::plan::{ColumnPlan, StreamPlan};
use crate::written::in_case;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, IntoSeries,
    NewChunkedArray, Series, StringChunked,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use towpath_connector::{Chunk, Error, Record, RejectedRow, Result};
use towpath_mapping::{to_polars, values_to_series};
use towpath_spec::Type;

/// Values that do not fit, by row.
type Misfits = BTreeMap<usize, (String, String)>;

impl StreamPlan {
    /// A batch of text columns in the types of the stream; rows that do not fit are rejects.
    ///
    /// # Errors
    /// The batch does not have the stream's columns.
    pub(crate) fn typed(&self, text: &DataFrame) -> Result<Chunk> {
        let mut misfits = Misfits::new();
        let mut columns = Vec::with_capacity(self.columns.len());
        for plan in &self.columns {
            let series = text.column(&plan.name)?.as_materialized_series();
            columns.push(Column::from(plan.series(series, &mut misfits)?));
        }
        let mut frame = DataFrame::new(text.height(), columns)?;
        if misfits.is_empty() {
            return Ok(Chunk { frame, ..Chunk::default() });
        }
        let keep: BooleanChunked = (0..text.height()).map(|row| !misfits.contains_key(&row)).collect();
        frame = frame.filter(&keep)?;
        let rejects = misfits
            .into_iter()
            .map(|(row, (field, reason))| {
                let record = row_of(text, row);
                RejectedRow { value: record.get(&field).cloned(), field: Some(field), reason, row: record }
            })
            .collect();
        Ok(Chunk { frame, rejects, position: None })
    }
}

fn row_of(text: &DataFrame, row: usize) -> Record {
    text.columns()
        .iter()
        .map(|column| {
            let value = column.get(row).ok().and_then(|value| value.get_str().map(Json::from));
            (column.name().to_string(), value.unwrap_or(Json::Null))
        })
        .collect()
}

impl ColumnPlan {
    fn series(&self, series: &Series, misfits: &mut Misfits) -> Result<Series> {
        let Ok(text) = series.str() else {
            // A list of text stays one.
            return Ok(series.clone());
        };
        let name = self.name.as_str().into();
        Ok(match &self.ty {
            Type::Text => self.text(text).into_series(),
            Type::Int => {
                Int64Chunked::from_iter_options(name, self.parse(text, misfits, |t| t.parse().ok(), "a whole number"))
                    .into_series()
            }
            Type::Float => {
                Float64Chunked::from_iter_options(name, self.parse(text, misfits, |t| t.parse().ok(), "a number"))
                    .into_series()
            }
            Type::Bool => BooleanChunked::from_iter_options(name, {
                self.parse(text, misfits, |t| self.truth(t).or_else(|| boolean(t)), "true or false")
            })
            .into_series(),
            Type::Date => Int32Chunked::from_iter_options(name, self.parse(text, misfits, |t| self.date(t), "a date"))
                .into_series()
                .cast(&DataType::Date)?,
            ty @ Type::DateTime { .. } => {
                Int64Chunked::from_iter_options(name, self.parse(text, misfits, |t| self.instant(t), "a time"))
                    .into_series()
                    .cast(&to_polars(ty))?
            }
            ty => self.general(text, ty, misfits)?,
        })
    }

    /// The text of a cell, unless it stands for null.
    fn cell<'a>(&self, cell: Option<&'a str>) -> Option<&'a str> {
        let text = cell?;
        let text = if self.trim { text.trim() } else { text };
        (!self.is_null(text)).then_some(text)
    }

    fn text(&self, text: &StringChunked) -> StringChunked {
        if !self.trim && self.nulls.is_empty() && self.case.is_none() {
            return text.clone();
        }
        let mut out: StringChunked = match self.case {
            None => text.iter().map(|cell| self.cell(cell)).collect(),
            case => text.iter().map(|cell| self.cell(cell).and_then(|cell| in_case(case, cell))).collect(),
        };
        out.rename(text.name().clone());
        out
    }

    fn parse<T>(
        &self,
        text: &StringChunked,
        misfits: &mut Misfits,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> std::vec::IntoIter<Option<T>> {
        let mut values = Vec::with_capacity(text.len());
        for (row, cell) in text.iter().enumerate() {
            // Nothing but text can be blank.
            let Some(cell) = self.cell(cell).filter(|cell| !cell.is_empty()) else {
                values.push(None);
                continue;
            };
            let value = parse(cell);
            if value.is_none() {
                self.misfit(misfits, row, format!("`{cell}` is not {expected}"));
            }
            values.push(value);
        }
        values.into_iter()
    }

    /// Types that are rare in XML, value by value.
    fn general(&self, text: &StringChunked, ty: &Type, misfits: &mut Misfits) -> Result<Series> {
        let mut values = Vec::with_capacity(text.len());
        for (row, cell) in text.iter().enumerate() {
            let value = cell.map_or(Ok(towpath_mapping::Value::Null), |cell| self.convert(&Json::from(cell)));
            values.push(value.unwrap_or_else(|reason| {
                self.misfit(misfits, row, reason);
                towpath_mapping::Value::Null
            }));
        }
        values_to_series(&self.name, ty, &values).map_err(Error::bug)
    }

    /// The first misfit of a row is the one it is rejected for.
    fn misfit(&self, misfits: &mut Misfits, row: usize, reason: String) {
        misfits.entry(row).or_insert_with(|| (self.name.clone(), reason));
    }
}

/// `xs:boolean`, and as other vendors write it.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "True" | "TRUE" => Some(true),
        "false" | "0" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}
