//! JSON values as typed rows.

use super::values::{Found, Values};
use super::{Known, has};
use crate::extract::{BATCH_BYTES, BATCH_ROWS, Batches};
use polars::prelude::{Column, DataFrame};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use towpath_connector::{Chunk, Error, Record, RejectedRow, Result};
use towpath_mapping::{Value, values_to_series};

/// Reads all files.
pub(super) fn read(known: &Known, batches: &Batches) -> Result<()> {
    let mut rows = Rows {
        known,
        columns: vec![Vec::new(); known.schema.fields.len()],
        rejects: Vec::new(),
        bytes: 0,
        unknown: BTreeSet::new(),
    };
    for file in &known.files {
        let (mut failed, mut wanted) = (None, true);
        let values = Values { file, options: &known.options };
        values.each(|found| {
            rows.take(file, found);
            if rows.is_full() {
                match rows.chunk() {
                    Ok(chunk) => wanted = batches.send(chunk),
                    Err(error) => failed = Some(error),
                }
            }
            wanted && failed.is_none()
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if !wanted {
            return Ok(());
        }
    }
    let last = rows.chunk()?;
    if last.frame.height() > 0 || !last.rejects.is_empty() {
        let _ = batches.send(last);
    }
    Ok(())
}

struct Rows<'a> {
    known: &'a Known,
    columns: Vec<Vec<Value>>,
    rejects: Vec<RejectedRow>,
    /// A rough measure of what is held.
    bytes: usize,
    /// Fields that are no columns and have been warned of.
    unknown: BTreeSet<String>,
}

impl Rows<'_> {
    fn is_full(&self) -> bool {
        self.columns.first().map_or(0, Vec::len) + self.rejects.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn take(&mut self, file: &Path, found: Found) {
        let place = || format!("{}, {} {}", file.display(), found.unit, found.at);
        let record = match found.value {
            Ok(Json::Object(record)) => record,
            Ok(other) => {
                let mut row = Record::new();
                row.insert("value".into(), other);
                return self.reject(row, None, None, format!("{}: no object", place()));
            }
            Err(reason) => return self.reject(Record::new(), None, None, format!("{}: {reason}", place())),
        };
        self.warn_of_unknown(&record, place);
        let mut values = Vec::with_capacity(self.columns.len());
        for field in &self.known.schema.fields {
            let json = record.get(&field.name).unwrap_or(&Json::Null);
            self.bytes += size(json);
            match Value::from_json(json, &field.ty) {
                Ok(value) => values.push(value),
                Err(reason) => {
                    let value = record.get(&field.name).cloned();
                    return self.reject(record, Some(field.name.clone()), value, format!("{}: {reason}", place()));
                }
            }
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }

    fn reject(&mut self, row: Record, field: Option<String>, value: Option<Json>, reason: String) {
        self.rejects.push(RejectedRow { row, field, value, reason });
    }

    fn warn_of_unknown(&mut self, record: &Record, place: impl Fn() -> String) {
        if record.len() <= self.known.schema.fields.len() && record.keys().all(|name| has(&self.known.schema, name)) {
            return;
        }
        for name in record.keys() {
            if !has(&self.known.schema, name) && self.unknown.insert(name.clone()) {
                tracing::warn!(
                    field = name,
                    "{}: this field was in no sampled record and is left out; declare it in `columns`",
                    place()
                );
            }
        }
    }

    fn chunk(&mut self) -> Result<Chunk> {
        let height = self.columns.first().map_or(0, Vec::len);
        let mut columns = Vec::with_capacity(self.columns.len());
        for (field, values) in self.known.schema.fields.iter().zip(&mut self.columns) {
            let series = values_to_series(&field.name, &field.ty, values).map_err(Error::bug)?;
            columns.push(Column::from(series));
            values.clear();
        }
        self.bytes = 0;
        Ok(Chunk {
            frame: DataFrame::new(height, columns)?,
            rejects: std::mem::take(&mut self.rejects),
            position: None,
        })
    }
}

fn size(json: &Json) -> usize {
    match json {
        Json::String(text) => 16 + text.len(),
        Json::Array(items) => items.iter().map(size).sum::<usize>() + 16,
        Json::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>() + 32,
        _ => 16,
    }
}
