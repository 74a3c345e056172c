//! Steps over more rows than memory holds: done part by part, with the same result.
//!
//! Rows whose keys are equal have to meet, so they are dealt out by the hash of their key to parts on disk, each small enough
//! for memory; the step is done on one part after the other; and what comes out is merged into the order it would have
//! had. For that every row carries its number with it. A sort is done on as much as memory holds at a time, and merged.
//!
//! Polars' own spilling does not bound memory in the release this is built on. A single key with more rows than memory holds is
//! not helped by this: its rows have to meet.

use crate::clock::aside;
use crate::flow::{BATCH, Flow};
use crate::memory;
use crate::merging::{Key, encoded, merge};
use crate::runner::Runner;
use crate::stage::{Stage, StageWriter};
use crate::table_steps;
use polars::prelude::*;
use std::sync::Arc;
use towpath_connector::{Error, Result};
use towpath_mapping::{Aggregate, OrderBy};
use towpath_plan::{Step, StepPlan};
use towpath_spec::document::JoinHow;
use towpath_spec::{Field, Schema as Columns, Type};
use xxhash_rust::xxh3::xxh3_64;

/// More parts than this would be files that are opened and closed more than read.
const MOST_PARTS: u64 = 256;

/// Segments smaller than this cost more than they save.
const SMALLEST_SEGMENT: u64 = 64 << 10;

/// How a step is done in parts.
pub(crate) struct Parts {
    /// Their number.
    count: usize,
    /// Bytes one of them may take.
    bytes: u64,
    /// The step, with the numbers of rows among its columns.
    step: Step,
    /// The column with the number of a row, here and in the other input of a join.
    row: String,
    other_row: String,
    /// What the step's rows are dealt out by, here and there; nothing for a sort.
    keys: Option<(Vec<String>, Vec<String>)>,
    /// The order of what comes out.
    order: Vec<Key>,
}

impl Parts {
    /// How a step is to be done; `None`: at once, as it fits in memory or is none of those that can be divided.
    pub fn of(step: &Step, flow: &Flow, others: &[Flow], limit: u64) -> Option<Self> {
        let need = need(step, flow, others)?;
        if need <= limit / 2 {
            return None;
        }
        // Beside a part there is what the merge holds, and what the allocator has not given back.
        let bytes = (limit / 8).max(1);
        let count = usize::try_from((need / bytes).clamp(2, MOST_PARTS)).unwrap_or(2);
        let names =
            || std::iter::once(flow).chain(others).flat_map(|flow| flow.columns.names()).chain(step.output.names());
        let row = unused("row_number", &names().collect::<Vec<_>>());
        let other_row = unused("other_row_number", &names().collect::<Vec<_>>());
        let mut parts = Self { count, bytes, step: step.clone(), row, other_row, keys: None, order: Vec::new() };
        parts.prepare();
        Some(parts)
    }

    /// Puts the numbers of rows into the step, and says what is dealt out by and what comes out in which order.
    fn prepare(&mut self) {
        let field = |name: &str| Field::new(name, Type::Int);
        let (row, other_row) = (self.row.clone(), self.other_row.clone());
        let all: Vec<String> = self.step.input.names().map(str::to_owned).collect();
        self.step.input.fields.push(field(&row));
        let output = &mut self.step.output.fields;
        let mut order = Vec::new();
        self.keys = match &mut self.step.plan {
            StepPlan::Aggregate { by, values } => {
                values.push((row.clone(), Aggregate::first_of(&field(&row))));
                output.push(field(&row));
                Some((by.clone(), Vec::new()))
            }
            StepPlan::Distinct { on, order_by, .. } => {
                output.push(field(&row));
                if on.is_empty() {
                    *on = all;
                }
                order = order_of(order_by);
                Some((on.clone(), Vec::new()))
            }
            StepPlan::Sort(keys) => {
                output.push(field(&row));
                order = order_of(keys);
                None
            }
            StepPlan::Join(join) => {
                output.push(field(&row));
                join.with_schema.fields.push(field(&other_row));
                if !matches!(join.how, JoinHow::Semi | JoinHow::Anti) {
                    output.push(field(&other_row));
                }
                Some(join.on.iter().cloned().unzip())
            }
            _ => None,
        };
        // What a row of the other side alone gave comes last: it has no number here.
        order.push(Key::ascending(&row));
        if self.step.output.get(&other_row).is_some() {
            order.push(Key::ascending(&other_row));
        }
        self.order = order;
    }

    /// Bytes of a segment, so that one of each part fits in memory together.
    fn segment_bytes(&self) -> usize {
        usize::try_from((self.bytes / self.count as u64).max(SMALLEST_SEGMENT)).unwrap_or(usize::MAX)
    }
}

/// About how many bytes a step takes when it is done at once; `None` where it cannot be divided.
fn need(step: &Step, flow: &Flow, others: &[Flow]) -> Option<u64> {
    let of = |flow: &Flow, columns: &Columns| {
        flow.rows.saturating_mul(memory::width(columns).saturating_add(memory::ROW_OVERHEAD))
    };
    Some(match &step.plan {
        StepPlan::Aggregate { by, values } if !by.is_empty() => {
            // What is not read is not kept.
            let read = |name: &str| {
                by.iter().chain(values.iter().flat_map(|(_, value)| value.columns())).any(|column| column == name)
            };
            let fields = flow.columns.fields.iter().filter(|field| read(&field.name)).cloned().collect();
            of(flow, &Columns::new(fields))
        }
        StepPlan::Distinct { .. } | StepPlan::Sort(_) => of(flow, &flow.columns),
        StepPlan::Join(join) if is_by_key(join.how) => {
            others.iter().fold(of(flow, &flow.columns), |sum, other| sum.saturating_add(of(other, &other.columns)))
        }
        _ => return None,
    })
}

/// Whether rows only meet where their keys are equal.
fn is_by_key(how: JoinHow) -> bool {
    matches!(how, JoinHow::Left | JoinHow::Inner | JoinHow::Full | JoinHow::Semi | JoinHow::Anti)
}

fn order_of(keys: &[OrderBy]) -> Vec<Key> {
    let key =
        |key: &OrderBy| Key { column: key.column.clone(), descending: key.descending, nulls_last: !key.nulls_first };
    keys.iter().map(key).collect()
}

/// A name that no column has.
fn unused(name: &str, taken: &[&str]) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name.as_str()) {
        name.push('_');
    }
    name
}

impl Runner {
    /// Carries a step out in parts; gives its rows.
    pub(crate) async fn in_parts(
        self: &Arc<Self>,
        node: usize,
        frame: LazyFrame,
        others: Vec<Flow>,
        parts: Parts,
        output: &Columns,
    ) -> Result<LazyFrame> {
        let name = format!("{}.step{}", self.plan.nodes[node].name, parts.step.index + 1);
        let step = &parts.step;
        let message = format!(
            "step {} ({}) takes more memory than `limits.memory` allows: it is done in parts on disk",
            step.index + 1,
            step.name
        );
        self.note(node, message);
        let runs = match &parts.keys {
            None => self.sorted_runs(&name, frame, &parts).await?,
            Some((here, there)) => {
                let columns = &parts.step.input;
                let dealt = self.deal(&name, (frame, columns), here, &parts.row, &parts).await?;
                let mut other = Vec::new();
                for flow in others {
                    let mut columns = flow.columns;
                    columns.fields.push(Field::new(&parts.other_row, Type::Int));
                    other = self.deal(&name, (flow.frame, &columns), there, &parts.other_row, &parts).await?;
                }
                self.one_after_the_other(&name, dealt, other, &parts).await?
            }
        };
        let into = StageWriter::new(&self.stage_folder(&name), &name, &parts.step.output)?;
        let merged = aside(|| merge(&runs, &parts.order, into, &|| self.go_on()))?;
        runs.into_iter().for_each(Stage::remove);
        // The numbers of rows have served.
        let columns: Vec<Expr> = output.names().map(|name| Expr::Column(name.into())).collect();
        Ok(merged.scan()?.select(columns))
    }

    fn part(&self, name: &str, columns: &Columns, parts: &Parts) -> Result<StageWriter> {
        Ok(StageWriter::new(&self.stage_folder(name), name, columns)?.with_segments_of(parts.segment_bytes()))
    }

    /// Deals rows out by the hash of their key. `columns` are those of the frame and the number of the row.
    async fn deal(
        self: &Arc<Self>,
        name: &str,
        (frame, columns): (LazyFrame, &Columns),
        by: &[String],
        row: &str,
        parts: &Parts,
    ) -> Result<Vec<Stage>> {
        let by: Vec<Key> = by.iter().map(|column| Key::ascending(column)).collect();
        let mut writers: Vec<StageWriter> =
            (0..parts.count).map(|_| self.part(name, columns, parts)).collect::<Result<_>>()?;
        let mut first = 0;
        let mut batches = self.batches(frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            aside(|| {
                let batch = numbered(batch, row, &mut first)?;
                for (writer, rows) in writers.iter_mut().zip(hands(&batch, &by, parts.count)?) {
                    writer.push(batch.take(&IdxCa::from_vec(PlSmallStr::EMPTY, rows))?)?;
                }
                Ok::<_, Error>(())
            })?;
        }
        aside(|| writers.into_iter().map(StageWriter::finish).collect())
    }

    /// Does the step on each part.
    async fn one_after_the_other(
        self: &Arc<Self>,
        name: &str,
        dealt: Vec<Stage>,
        other: Vec<Stage>,
        parts: &Parts,
    ) -> Result<Vec<Stage>> {
        let mut runs = Vec::with_capacity(dealt.len());
        let mut other = other.into_iter();
        for part in dealt {
            let other = other.next();
            let frame = part.scan()?;
            let others = match &other {
                Some(stage) => vec![(stage.scan()?, stage.columns().clone())],
                None => Vec::new(),
            };
            let done = table_steps::apply(self, frame, &parts.step, others)?;
            runs.push(self.run_of(name, done, parts).await?);
            part.remove();
            other.into_iter().for_each(Stage::remove);
        }
        Ok(runs)
    }

    /// As many rows as memory holds at a time, sorted.
    async fn sorted_runs(self: &Arc<Self>, name: &str, frame: LazyFrame, parts: &Parts) -> Result<Vec<Stage>> {
        let limit = usize::try_from(parts.bytes).unwrap_or(usize::MAX);
        let mut runs = Vec::new();
        let mut held: Option<DataFrame> = None;
        let mut first = 0;
        let mut batches = self.batches(frame, BATCH)?;
        loop {
            let batch = batches.next().await?;
            let is_last = batch.is_none();
            if let Some(batch) = batch {
                self.go_on()?;
                let batch = numbered(batch, &parts.row, &mut first)?;
                match &mut held {
                    Some(held) => drop(held.vstack_mut(&batch)?),
                    None => held = Some(batch),
                }
            }
            if let Some(rows) = held.take_if(|held| is_last || held.estimated_size() >= limit) {
                let sorted = table_steps::apply(self, rows.lazy(), &parts.step, Vec::new())?;
                runs.push(self.run_of(name, sorted, parts).await?);
            }
            if is_last {
                return Ok(runs);
            }
        }
    }

    async fn run_of(self: &Arc<Self>, name: &str, frame: LazyFrame, parts: &Parts) -> Result<Stage> {
        let mut writer = self.part(name, &parts.step.output, parts)?;
        let mut batches = self.batches(frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            aside(|| writer.push(batch))?;
        }
        aside(|| writer.finish())
    }
}

/// A batch with the numbers of its rows.
fn numbered(mut batch: DataFrame, name: &str, first: &mut i64) -> Result<DataFrame> {
    let next = *first + i64::try_from(batch.height()).map_err(|_| Error::bug("too large a batch"))?;
    batch.with_column(Column::new(name.into(), (*first..next).collect::<Vec<i64>>()))?;
    *first = next;
    Ok(batch)
}

/// The rows each part gets of a batch. Equal keys have equal encodings, whatever way they are written: 0.0 and -0.0, all NaN.
fn hands(batch: &DataFrame, by: &[Key], count: usize) -> Result<Vec<Vec<IdxSize>>> {
    let mut hands = vec![Vec::with_capacity(batch.height() / count); count];
    let keys = encoded(batch, by)?;
    for at in 0..batch.height() {
        let hash = xxh3_64(keys.get(at).unwrap_or_default());
        let part = usize::try_from(hash % count as u64).unwrap_or(0);
        hands[part].push(IdxSize::try_from(at).map_err(|_| Error::bug("too large a batch"))?);
    }
    Ok(hands)
}
