//! Records: rows as an operation takes them, with the key and payload they are known by.

use crate::payload::{Differing, Hash, content, differing, hash};
use crate::rejects::NewReject;
use crate::row_steps::rejects_of;
use crate::runner::Runner;
use polars::prelude::*;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::sync::Arc;
use towpath_connector::{Error, OperationInfo, Record, Result};
use towpath_mapping::{Computed, Constants, FrameRows, Row, Value, convert, evaluate, row_to_json};
use towpath_plan::{RecordTemplate, SinkNode};
use towpath_spec::{Field, Schema as Columns, Type};

/// A record ready to be sent.
pub(crate) struct Parcel {
    /// The columns of the key, as the row has them; without a key the record, without its secrets.
    pub key: Record,
    pub key_hash: Hash,
    pub payload: Arc<Record>,
    pub payload_hash: Hash,
    /// What its fields hash to, but for those that are secret or whose changes do not count.
    pub content: Vec<u8>,
    /// Where its row is: only of few records the whole of it is ever asked for.
    batch: Arc<Batch>,
    at: usize,
}

/// Rows as they came.
struct Batch {
    frame: DataFrame,
    columns: Columns,
    left_out: Arc<[String]>,
}

impl Parcel {
    /// Which fields differ from those of one that was sent with this content; none where that is not known.
    pub fn differing(&self, before: &[u8]) -> Option<Differing> {
        differing(before, &self.payload, &self.key_hash, &self.batch.left_out)
    }

    /// The whole row it was made of, for a reject.
    pub fn row(&self) -> Result<Record> {
        row_to_json(&self.batch.frame, &self.batch.columns, self.at).map_err(Error::bug)
    }
}

/// Makes records of rows.
pub(crate) struct Packer {
    template: RecordTemplate,
    leaves: Vec<Computed>,
    /// Columns of the leaves, and their names.
    leaf_columns: Columns,
    names: Vec<String>,
    key: Vec<String>,
    operation: OperationInfo,
    columns: Columns,
    required: Vec<String>,
    ignore_changes: Vec<String>,
    /// Fields of which no hash is kept for themselves: short secrets could be guessed from it.
    left_out: Arc<[String]>,
}

impl Packer {
    pub fn new(sink: &SinkNode, operation: &OperationInfo, columns: &Columns, constants: &Constants) -> Self {
        let template = sink.record.clone().unwrap_or(RecordTemplate::Object(Vec::new()));
        let leaves: Vec<Computed> =
            template.leaves().into_iter().map(|(path, value)| Computed::new(&path, value, constants)).collect();
        let leaf_columns = Columns::new(
            leaves.iter().enumerate().map(|(at, leaf)| Field::new(name(at), leaf.value.field().0.clone())).collect(),
        );
        let names = (0..leaves.len()).map(name).collect();
        let required = operation
            .fields
            .iter()
            .filter(|field| field.required && field.default.is_none())
            .map(|field| field.name.clone())
            .collect();
        let (key, columns, ignore_changes) = (sink.key.clone(), columns.clone(), sink.ignore_changes.clone());
        let left_out = operation.secret_fields().map(str::to_owned).chain(ignore_changes.iter().cloned()).collect();
        let operation = operation.clone();
        Self { template, leaves, leaf_columns, names, key, operation, columns, required, ignore_changes, left_out }
    }

    /// The records of a batch, and the rows that make none.
    pub fn pack(&self, runner: &Runner, batch: &DataFrame) -> Result<(Vec<Parcel>, Vec<NewReject>)> {
        let evaluated = evaluate(batch, &self.leaves)?;
        let mut rejects = rejects_of(batch, &self.columns, &evaluated, &self.leaves, &runner.constants, None)?;
        let failed: std::collections::HashSet<usize> = evaluated.failures().map(|(row, _)| row).collect();
        let leaves: Vec<Column> =
            evaluated.values.into_iter().enumerate().map(|(at, column)| column.with_name(name(at).into())).collect();
        let leaves = DataFrame::new(batch.height(), leaves)?;
        let values = FrameRows::new(&leaves, &self.leaf_columns).map_err(Error::bug)?;
        let rows = FrameRows::new(batch, &self.columns).map_err(Error::bug)?;
        let (columns, left_out) = (self.columns.clone(), self.left_out.clone());
        let origin = Arc::new(Batch { frame: batch.clone(), columns, left_out });
        let mut parcels = Vec::with_capacity(batch.height());
        for row in (0..batch.height()).filter(|row| !failed.contains(row)) {
            let whole = rows.row(row);
            let key: Record = self.key.iter().map(|name| (name.clone(), whole.get(name).to_json())).collect();
            if let Some((name, _)) = key.iter().find(|(_, value)| value.is_null()) {
                let reason = format!("`{name}` is null, and it is part of the sink's key");
                let field = Some(name.clone());
                rejects.push(NewReject { step: None, field, value: None, reason, row: whole.to_json() });
                continue;
            }
            match self.record(&values.row(row)) {
                Ok(payload) => parcels.push(self.parcel(key, payload, (&origin, row))),
                Err((field, value, reason)) => {
                    rejects.push(NewReject {
                        step: None,
                        field: Some(field),
                        value: Some(value),
                        reason,
                        row: whole.to_json(),
                    });
                }
            }
        }
        Ok((parcels, rejects))
    }

    fn parcel(&self, key: Record, payload: Record, (batch, at): (&Arc<Batch>, usize)) -> Parcel {
        // Without a key it is known by all of itself, of which people are shown what they may see.
        let (key, key_hash) = match self.key.as_slice() {
            [] => (self.operation.masked(&payload), hash(&payload)),
            _ => {
                let key_hash = hash(&key);
                (key, key_hash)
            }
        };
        let payload_hash = match self.ignore_changes.as_slice() {
            [] => hash(&payload),
            ignored => {
                let mut compared = payload.clone();
                compared.retain(|name, _| !ignored.contains(name));
                hash(&compared)
            }
        };
        let content = content(&payload, &key_hash, &self.left_out);
        Parcel { key, key_hash, payload: Arc::new(payload), payload_hash, content, batch: batch.clone(), at }
    }

    fn record(&self, leaves: &dyn Row) -> std::result::Result<Record, (String, Json, String)> {
        let mut at = 0;
        let record = match build(&self.template, leaves, &self.names, &mut at, "")? {
            Json::Object(record) => record,
            other => return Err((String::new(), other, "the record is not an object".into())),
        };
        match self.required.iter().find(|name| record.get(*name).is_some_and(Json::is_null)) {
            Some(field) => Err((field.clone(), Json::Null, format!("field `{field}` must not be null"))),
            None => Ok(record),
        }
    }
}

fn name(leaf: usize) -> String {
    format!("l{leaf}")
}

fn build(
    template: &RecordTemplate,
    leaves: &dyn Row,
    names: &[String],
    at: &mut usize,
    path: &str,
) -> std::result::Result<Json, (String, Json, String)> {
    Ok(match template {
        RecordTemplate::Leaf { wanted, .. } => {
            let value = names.get(*at).map_or(Value::Null, |name| leaves.get(name));
            *at += 1;
            fit(value, wanted.as_ref()).map_err(|(value, reason)| (path.to_owned(), value, reason))?
        }
        RecordTemplate::List(items) => {
            let items = items.iter().map(|item| build(item, leaves, names, at, path));
            Json::Array(items.collect::<std::result::Result<_, _>>()?)
        }
        RecordTemplate::Object(fields) => {
            let mut out = Record::with_capacity(fields.len());
            for (name, field) in fields {
                let inner = if path.is_empty() { Cow::from(name) } else { format!("{path}.{name}").into() };
                out.insert(name.clone(), build(field, leaves, names, at, &inner)?);
            }
            Json::Object(out)
        }
    })
}

/// The value in the type the operation's field has.
fn fit(value: Value, wanted: Option<&Type>) -> std::result::Result<Json, (Json, String)> {
    match wanted {
        _ if value.is_null() => Ok(Json::Null),
        None | Some(Type::Json | Type::Struct(_) | Type::List(_) | Type::DateTime { .. }) => Ok(value.to_json()),
        Some(wanted) if value.type_of() == *wanted => Ok(value.to_json()),
        Some(wanted) => {
            let json = value.to_json();
            convert(&value, wanted).map(|value| value.to_json()).map_err(|reason| (json, reason))
        }
    }
}
