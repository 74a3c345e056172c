//! Records of a JSON answer, and rows of them.

use crate::plan::{ColumnPlan, RecordsPlan, StreamPlan};
use polars::prelude::{Column, DataFrame};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use towpath_connector::{Chunk, Error, Record, RejectedRow, Result};
use towpath_mapping::{Value, values_to_series};

impl StreamPlan {
    /// The records of an answer. A single value that means `no such record` gives none.
    pub(crate) fn records<'a>(&self, answer: &'a Json) -> Vec<Cow<'a, Json>> {
        let RecordsPlan::Json { path, value } = &self.records else { return Vec::new() };
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
        let mut columns: Vec<Vec<Value>> = self.columns.iter().map(|_| Vec::with_capacity(records.len())).collect();
        let mut rejects = Vec::new();
        for record in records {
            match self.row(record) {
                Ok(values) => columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value)),
                Err(reject) => rejects.push(*reject),
            }
        }
        let height = records.len() - rejects.len();
        let series: Vec<Column> = self
            .columns
            .iter()
            .zip(&columns)
            .map(|(plan, values)| values_to_series(&plan.name, &plan.ty, values).map(Column::from))
            .collect::<std::result::Result<_, _>>()
            .map_err(Error::bug)?;
        Ok(Chunk { frame: DataFrame::new(height, series)?, rejects, position: None })
    }

    /// A record's values in the order of the columns.
    fn row(&self, record: &Json) -> std::result::Result<Vec<Value>, Box<RejectedRow>> {
        if !record.is_object() {
            return Err(Box::new(RejectedRow {
                row: Map::from_iter([("record".to_owned(), record.clone())]),
                field: None,
                value: Some(record.clone()),
                reason: "a record is no JSON object".to_owned(),
            }));
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
