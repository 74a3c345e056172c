//! Frames as rows, and rows of JSON as frames.

use indexmap::IndexMap;
use polars::prelude::{DataFrame, IntoColumn};
use serde_json::{Map, Value as Json};
use towpath_spec::Schema;

use crate::cast::json_to;
use crate::columns::{Reader, Readers, values_to_series};
use crate::scope::Row;
use crate::value::Value;

/// A frame read row by row.
#[derive(Debug)]
pub struct FrameRows<'a> {
    readers: Readers,
    schema: &'a Schema,
    height: usize,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.columns.keys()).finish()
    }
}

/// One row of a [`FrameRows`].
#[derive(Debug, Clone, Copy)]
pub struct FrameRow<'a> {
    rows: &'a FrameRows<'a>,
    row: usize,
}

impl<'a> FrameRows<'a> {
    /// Reads the columns a schema names; one the frame lacks is null.
    ///
    /// # Errors
    /// Names a column that cannot be read as its type.
    pub fn new(frame: &DataFrame, schema: &'a Schema) -> Result<Self, String> {
        let mut columns = IndexMap::new();
        for field in &schema.fields {
            let reader = match frame.column(&field.name) {
                Ok(column) => Reader::new(column.as_materialized_series(), &field.ty)?,
                Err(_) => Reader::Null,
            };
            columns.insert(field.name.clone(), reader);
        }
        Ok(Self { readers: Readers { columns }, schema, height: frame.height() })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.height
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.height == 0
    }

    /// A row by its number.
    pub fn row(&self, row: usize) -> FrameRow<'_> {
        FrameRow { rows: self, row }
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = FrameRow<'_>> {
        (0..self.height).map(|row| self.row(row))
    }
}

impl FrameRow<'_> {
    /// The row as a JSON object.
    pub fn to_json(&self) -> Map<String, Json> {
        let fields = &self.rows.schema.fields;
        fields.iter().map(|field| (field.name.clone(), self.get(&field.name).to_json())).collect()
    }
}

impl Row for FrameRow<'_> {
    fn get(&self, name: &str) -> Value {
        self.rows.readers.columns.get(name).map_or(Value::Null, |reader| reader.get(self.row))
    }
}

/// One row of a frame as a JSON object. For many rows take [`FrameRows`] or [`frame_to_json_rows`].
///
/// # Errors
/// Names a column that cannot be read as its type.
pub fn row_to_json(frame: &DataFrame, schema: &Schema, row: usize) -> Result<Map<String, Json>, String> {
    Ok(FrameRows::new(&frame.slice(i64::try_from(row).unwrap_or(i64::MAX), 1), schema)?.row(0).to_json())
}

/// All rows of a frame as JSON objects.
///
/// # Errors
/// Names a column that cannot be read as its type.
pub fn frame_to_json_rows(frame: &DataFrame, schema: &Schema) -> Result<Vec<Map<String, Json>>, String> {
    Ok(FrameRows::new(frame, schema)?.iter().map(|row| row.to_json()).collect())
}

/// A cell that does not fit its column; it is null in the frame.
#[derive(Debug, Clone, PartialEq)]
pub struct BadCell {
    /// Number of the row, from 0.
    pub row: usize,
    /// Name of the column.
    pub column: String,
    /// What was there.
    pub value: Json,
    /// Why it does not fit.
    pub reason: String,
}

/// JSON rows as a frame of a schema, in its order; keys the schema does not name are left out.
///
/// Odd spellings that lose nothing are taken (`"12"` or `12.0` for an int, `5` for text, `"true"` for a bool); what does
/// not fit is reported.
///
/// # Errors
/// When the frame itself cannot be built, which is a bug.
pub fn rows_to_frame(rows: &[Map<String, Json>], schema: &Schema) -> Result<(DataFrame, Vec<BadCell>), String> {
    let mut columns = Vec::with_capacity(schema.fields.len());
    let mut bad = Vec::new();
    for field in &schema.fields {
        let mut values = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let cell = row.get(&field.name).unwrap_or(&Json::Null);
            values.push(json_to(cell, &field.ty).unwrap_or_else(|reason| {
                bad.push(BadCell { row: at, column: field.name.clone(), value: cell.clone(), reason });
                Value::Null
            }));
        }
        columns.push(values_to_series(&field.name, &field.ty, &values)?.into_column());
    }
    bad.sort_by_key(|cell| cell.row);
    DataFrame::new(rows.len(), columns).map(|frame| (frame, bad)).map_err(|error| error.to_string())
}
