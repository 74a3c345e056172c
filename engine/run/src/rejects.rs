//! Rejects: rows that cannot go on, kept with node, field, value and reason.

use crate::accounts::book;
use crate::runner::Runner;
use polars::prelude::PolarsResult;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Mutex;
use towpath_connector::{Error, Record, RejectedRow, Result};
use towpath_mapping::rows_to_frame;
use towpath_plan::rejects_schema;
use towpath_state::Reject;

use crate::stage::{Stage, StageWriter};

/// Rejects held before they are written.
const HELD: usize = 2_000;

/// Collects the rejects of all nodes of a run.
#[derive(Default)]
pub(crate) struct Rejects {
    held: Mutex<Vec<Reject>>,
    stages: Mutex<HashMap<usize, StageWriter>>,
}

/// A row on its way to the rejects.
pub(crate) struct NewReject {
    pub step: Option<usize>,
    pub field: Option<String>,
    pub value: Option<Json>,
    pub reason: String,
    pub row: Record,
}

impl From<RejectedRow> for NewReject {
    fn from(rejected: RejectedRow) -> Self {
        let RejectedRow { row, field, value, reason } = rejected;
        Self { step: None, field, value, reason, row }
    }
}

impl Runner {
    /// Keeps rejects of a node and books them.
    pub(crate) fn reject(&self, node: usize, rejects: Vec<NewReject>) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        book(&self.accounts[node].rejected, rejects.len());
        let name = &self.plan.nodes[node].name;
        if self.plan.nodes[node].rejects_read {
            self.stage_rejects(node, name, &rejects)?;
        }
        let Some(state) = &self.state else {
            return Ok(());
        };
        let full = {
            let mut held = lock(&self.rejects.held)?;
            held.extend(rejects.into_iter().map(|reject| Reject {
                node: name.clone(),
                step: reject.step.and_then(|step| u32::try_from(step).ok()),
                field: reject.field,
                value: reject.value,
                reason: reject.reason,
                row: Json::Object(reject.row),
            }));
            if held.len() >= HELD { std::mem::take(&mut *held) } else { Vec::new() }
        };
        state.add_rejects(full)
    }

    /// The same, inside a Polars plan.
    pub(crate) fn reject_in_plan(&self, node: usize, rejects: Vec<NewReject>) -> PolarsResult<()> {
        self.reject(node, rejects).map_err(|error| self.plan_error(node, error))
    }

    fn stage_rejects(&self, node: usize, name: &str, rejects: &[NewReject]) -> Result<()> {
        let rows: Vec<Record> = rejects.iter().map(|reject| reject.as_row(name)).collect();
        let (frame, _) = rows_to_frame(&rows, &rejects_schema()).map_err(Error::bug)?;
        let mut stages = lock(&self.rejects.stages)?;
        let writer = match stages.entry(node) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let folder = self.stage_folder(&format!("{name}.rejects"));
                entry.insert(StageWriter::new(&folder, &format!("{name}.rejects"), &rejects_schema())?)
            }
        };
        writer.push(frame)
    }

    /// The rejects of a node that is done, as a stage.
    pub(crate) fn finish_rejects(&self, node: usize) -> Result<Stage> {
        let name = format!("{}.rejects", self.plan.nodes[node].name);
        let writer = lock(&self.rejects.stages)?.remove(&node);
        match writer {
            Some(writer) => writer.finish(),
            None => StageWriter::new(&self.stage_folder(&name), &name, &rejects_schema())?.finish(),
        }
    }

    /// Writes out what is still held.
    pub(crate) fn flush_rejects(&self) -> Result<()> {
        let held = std::mem::take(&mut *lock(&self.rejects.held)?);
        self.state.as_ref().map_or(Ok(()), |state| state.add_rejects(held))
    }
}

impl NewReject {
    fn as_row(&self, node: &str) -> Record {
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut row = Record::new();
        row.insert("node".into(), node.into());
        // Steps are counted from 1 where people see them.
        row.insert("step".into(), self.step.map(|step| step + 1).into());
        row.insert("field".into(), self.field.clone().into());
        row.insert("value".into(), self.value.as_ref().filter(|value| !value.is_null()).map(text).into());
        row.insert("reason".into(), self.reason.clone().into());
        row.insert("row".into(), Json::Object(self.row.clone()));
        row
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>> {
    mutex.lock().map_err(|_| Error::bug("a thread of the run panicked"))
}
