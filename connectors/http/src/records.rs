//! Records of an answer that is held as a whole, and rows of them.

use crate::plan::{ColumnPlan, RecordsPlan, StreamPlan};
use polars::prelude::{BooleanChunked, Column, DataFrame, IntoSeries, Series, StringChunkedBuilder};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use towpath_connector::{Chunk, Error, Record, RejectedRow, Result};
use towpath_mapping::{Value, values_to_series};
use towpath_spec::Type;

impl StreamPlan {
    /// The records of an answer. A single value that means `no such record` gives none.
    pub(crate) fn records<'a>(&self, answer: &'a Json) -> Vec<Cow<'a, Json>> {
        let (path, value) = match &self.records {
            RecordsPlan::Json { path, value, .. } => (path, value),
            // A list of objects, or one.
            RecordsPlan::Csv { .. } | RecordsPlan::File => (&None, &None),
            RecordsPlan::Text { value } => (&None, &Some(value.clone())),
            RecordsPlan::Xml(_) => return Vec::new(),
        };
        let found = match path {
            Some(path) => path.all(answer),
            None => vec![answer],
        };
        // `$.items` and `$.items[*]` both mean the items.
        let found: Vec<&Json> = match found.as_slice() {
            [Json::Array(items)] => items.iter().collect(),
            _ => found,
        };
        found
            .into_iter()
            .filter(|record| !record.is_null() && !self.policy.is_absent(record))
            .map(|record| match value {
                Some(name) if !record.is_object() => {
                    Cow::Owned(Json::Object(Map::from_iter([(name.clone(), record.clone())])))
                }
                _ => Cow::Borrowed(record),
            })
            .collect()
    }

    /// Rows of records; a record that does not fit the columns is a reject.
    ///
    /// # Errors
    /// Never in practice: values are converted before.
    pub(crate) fn rows(&self, records: &[Cow<'_, Json>]) -> Result<Chunk> {
        let mut misfits = Misfits::new();
        for (row, record) in records.iter().enumerate().filter(|(_, record)| !record.is_object()) {
            misfits.insert(row, no_object(record));
        }
        // Column by column: what is done for one is the same for all rows.
        let columns = self.columns.iter().map(|column| Ok(column.of_records(records, &mut misfits)?.into()));
        let mut frame = DataFrame::new(records.len(), columns.collect::<Result<Vec<Column>>>()?)?;
        if !misfits.is_empty() {
            let keep: BooleanChunked = (0..records.len()).map(|row| !misfits.contains_key(&row)).collect();
            frame = frame.filter(&keep)?;
        }
        Ok(Chunk { frame, rejects: misfits.into_values().collect(), position: None })
    }

    /// A record's values in the order of the columns.
    fn row(&self, record: &Json) -> std::result::Result<Vec<Value>, Box<RejectedRow>> {
        if !record.is_object() {
            return Err(Box::new(no_object(record)));
        }
        self.columns.iter().map(|column| value_of(column, record)).collect()
    }

    /// A record with the names and types of the stream's columns.
    ///
    /// # Errors
    /// A value that does not fit its column.
    pub(crate) fn record(&self, record: &Json) -> Result<Record> {
        let values = self.row(record).map_err(|reject| {
            let field = reject.field.map(|field| format!(" field `{field}`:")).unwrap_or_default();
            Error::data(format!("{}:{field} {}", self.name, reject.reason))
        })?;
        Ok(self.columns.iter().zip(values).map(|(column, value)| (column.name.clone(), value.to_json())).collect())
    }
}

/// Records that do not fit, by row.
type Misfits = BTreeMap<usize, RejectedRow>;

fn no_object(record: &Json) -> RejectedRow {
    RejectedRow {
        row: Map::from_iter([("record".to_owned(), record.clone())]),
        field: None,
        value: Some(record.clone()),
        reason: "a record is no JSON object".to_owned(),
    }
}

impl ColumnPlan {
    /// Its values of all records; null where one does not fit, which is told.
    fn of_records(&self, records: &[Cow<'_, Json>], misfits: &mut Misfits) -> Result<Series> {
        let general = |row: usize, record: &Json, misfits: &mut Misfits| {
            value_of(self, record).unwrap_or_else(|reject| {
                // The first column that does not fit is the one it is rejected for.
                misfits.entry(row).or_insert(*reject);
                Value::Null
            })
        };
        if self.ty == Type::Text {
            let mut texts = StringChunkedBuilder::new(self.name.as_str().into(), records.len());
            for (row, record) in records.iter().enumerate() {
                match self.plain(record) {
                    Some(Json::String(text)) => texts.append_value(if self.trim { text.trim() } else { text }),
                    _ => match general(row, record, misfits) {
                        Value::Text(text) => texts.append_value(&*text),
                        _ => texts.append_null(),
                    },
                }
            }
            return Ok(texts.finish().into_series());
        }
        let mut values = Vec::with_capacity(records.len());
        for (row, record) in records.iter().enumerate() {
            values.push(match (self.plain(record), &self.ty) {
                (Some(Json::Bool(truth)), Type::Bool) => Value::Bool(*truth),
                (Some(Json::Number(number)), Type::Int) if number.is_i64() => {
                    number.as_i64().map_or(Value::Null, Value::Int)
                }
                (Some(Json::Number(number)), Type::Float) if number.is_f64() => {
                    number.as_f64().map_or(Value::Null, Value::Float)
                }
                _ => general(row, record, misfits),
            });
        }
        values_to_series(&self.name, &self.ty, &values).map_err(Error::bug)
    }
}

fn value_of(column: &ColumnPlan, record: &Json) -> std::result::Result<Value, Box<RejectedRow>> {
    let Some(found) = column.find(record) else { return Ok(Value::Null) };
    column.convert(&found).map_err(|reason| {
        Box::new(RejectedRow {
            row: record.as_object().cloned().unwrap_or_default(),
            field: Some(column.name.clone()),
            value: Some(found.into_owned()),
            reason,
        })
    })
}
