//! What every row of a slice gets, before its own columns.

use super::plan::Take;
use polars::prelude::{Column, DataFrame};
use serde_json::Value as Json;
use towpath_connector::{Error, Result};
use towpath_mapping::{Value, values_to_series};

/// Columns of one row each.
#[derive(Clone, Default)]
pub(crate) struct Taken(Vec<Column>);

impl Taken {
    /// From a row of the parent.
    ///
    /// # Errors
    /// The parent does not have the columns.
    pub(crate) fn of_row(take: &[Take], parent: &DataFrame, row: usize) -> Result<Self> {
        let column = |take: &Take| {
            let column = parent.column(&take.from)?.new_from_index(row, 1);
            Ok(column.with_name(take.column.as_str().into()))
        };
        take.iter().map(column).collect::<Result<_>>().map(Self)
    }

    /// From values, by what they are taken from; null for what is not there.
    ///
    /// # Errors
    /// A value that is not of the column's type.
    pub(crate) fn of_values<'a>(take: &'a [Take], value: impl Fn(&'a Take) -> Option<&'a Json>) -> Result<Self> {
        let column = |take: &'a Take| {
            let value = match value(take) {
                Some(value) => Value::from_json(value, &take.ty)
                    .map_err(|reason| Error::user(format!("column `{}`: {reason}", take.column)))?,
                None => Value::Null,
            };
            values_to_series(&take.column, &take.ty, &[value]).map(Column::from).map_err(Error::bug)
        };
        take.iter().map(column).collect::<Result<_>>().map(Self)
    }

    /// A frame with them in front.
    ///
    /// # Errors
    /// The frame has a column of their name.
    pub(crate) fn before(&self, frame: DataFrame) -> Result<DataFrame> {
        if self.0.is_empty() {
            return Ok(frame);
        }
        let height = frame.height();
        let mut columns: Vec<Column> = self.0.iter().map(|column| column.new_from_index(0, height)).collect();
        columns.extend(frame.into_columns());
        Ok(DataFrame::new(height, columns)?)
    }
}
