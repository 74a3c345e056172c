//! Lookups: one request per distinct set of parameters, answers kept, several under way at a time.
//!
//! The rows pass through in batches and go to a stage, from which the plan goes on.

use crate::accounts::book;
use crate::clock::aside;
use crate::flow::{BATCH, Flow};
use crate::rejects::NewReject;
use crate::row_steps::rejects_of;
use crate::runner::Runner;
use crate::stage::StageWriter;
use futures::stream::{self, StreamExt, TryStreamExt};
use polars::prelude::*;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use towpath_connector::{Error, Lookup, Record, Result};
use towpath_mapping::{Computed, FrameRows, Row, Value, evaluate, values_to_series};
use towpath_plan::{LookupPlan, Step};
use towpath_spec::document::Missing;
use towpath_spec::{Field, Schema as Columns};

/// Sets of parameters whose answers are kept when a lookup says `cache: false`: those of one batch only.
type Answers = HashMap<String, Arc<Vec<Record>>>;

struct Work<'a> {
    node: usize,
    step: &'a Step,
    plan: &'a LookupPlan,
    with: Vec<Computed>,
    lookup: Arc<dyn Lookup>,
}

impl Runner {
    pub(crate) async fn lookup_step(
        self: &Arc<Self>,
        node: usize,
        flow: Flow,
        step: &Step,
        plan: &LookupPlan,
    ) -> Result<Flow> {
        let reader = self.reader(plan.connection).await?;
        let with = plan.with.iter().map(|c| Computed::new(&c.name, &c.value, &self.constants)).collect();
        let work = Work { node, step, plan, with, lookup: reader.lookup(&plan.stream)? };
        let name = format!("{}.lookup{}", self.plan.nodes[node].name, step.index + 1);
        let mut writer = StageWriter::new(&self.stage_folder(&name), &name, &step.output)?;
        let mut answers = Answers::new();
        let mut batches = self.batches(flow.frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            if !plan.cache {
                answers.clear();
            }
            let frame = self.look_up(&work, batch, &mut answers).await?;
            aside(|| writer.push(frame))?;
        }
        let stage = aside(|| writer.finish())?;
        Flow::of(&stage)
    }

    async fn look_up(self: &Arc<Self>, work: &Work<'_>, batch: DataFrame, answers: &mut Answers) -> Result<DataFrame> {
        let (batch, params) = aside(|| self.parameters(work, batch))?;
        let mut seen: HashSet<&str> = HashSet::new();
        let missing: Vec<(String, Record)> =
            params.iter().filter(|(key, _)| !answers.contains_key(key) && seen.insert(key)).cloned().collect();
        let asked = stream::iter(missing)
            .map(|(key, params)| async move { Ok::<_, Error>((key, self.ask(work, &params).await?)) })
            .buffer_unordered(work.plan.concurrency);
        let found: Vec<(String, Arc<Vec<Record>>)> = asked.try_collect().await?;
        answers.extend(found);
        aside(|| self.attach(work, &batch, &params, answers))
    }

    /// Each row's parameters; rows for which they cannot be computed are rejects.
    fn parameters(&self, work: &Work<'_>, batch: DataFrame) -> Result<(DataFrame, Vec<(String, Record)>)> {
        let evaluated = evaluate(&batch, &work.with)?;
        let step = Some(work.step.index);
        let rejects = rejects_of(&batch, &work.step.input, &evaluated, &work.with, &self.constants, step)?;
        self.reject(work.node, rejects)?;
        let schema = Columns::new(
            work.with.iter().map(|computed| Field::new(&computed.name, computed.value.field().0.clone())).collect(),
        );
        let mut values = DataFrame::new(batch.height(), evaluated.values.clone())?;
        let mut batch = batch;
        if let Some(passed) = evaluated.passed() {
            values = values.filter(&passed)?;
            batch = batch.filter(&passed)?;
        }
        let params = FrameRows::new(&values, &schema)
            .map_err(Error::bug)?
            .iter()
            .map(|row| {
                let params = row.to_json();
                (Json::Object(params.clone()).to_string(), params)
            })
            .collect();
        Ok((batch, params))
    }

    async fn ask(self: &Arc<Self>, work: &Work<'_>, params: &Record) -> Result<Arc<Vec<Record>>> {
        let mut failed = 0;
        loop {
            self.go_on()?;
            match work.lookup.get(params).await {
                Ok(records) => {
                    book(&self.accounts[work.node].calls, 1);
                    return Ok(Arc::new(records));
                }
                Err(error) => {
                    failed += 1;
                    self.wait_or_fail(work.node, error, failed).await?;
                }
            }
        }
    }

    /// Adds the taken columns to the rows for which something was found.
    fn attach(
        &self,
        work: &Work<'_>,
        batch: &DataFrame,
        params: &[(String, Record)],
        answers: &Answers,
    ) -> Result<DataFrame> {
        let plan = work.plan;
        let rows = FrameRows::new(batch, &work.step.input).map_err(Error::bug)?;
        let mut taken: Vec<Vec<Value>> = plan.take.iter().map(|_| Vec::with_capacity(batch.height())).collect();
        let mut keep = Vec::with_capacity(batch.height());
        let mut rejects = Vec::new();
        for (row, (key, params)) in params.iter().enumerate() {
            let answer = answers.get(key).map(|records| records.as_slice()).unwrap_or_default();
            let mut reject = |reason: String, field: Option<String>, value: Option<Json>| {
                let row = rows.row(row).to_json();
                rejects.push(NewReject { step: Some(work.step.index), field, value, reason, row });
            };
            let matched = self.choose(plan, &rows.row(row), answer);
            let values = match matched {
                Ok(Some(record)) => self.take(plan, record),
                Ok(None) => match plan.missing {
                    Missing::Null => Ok(plan.take.iter().map(|_| Value::Null).collect()),
                    Missing::Reject => Err((not_found(plan, params, answer), None, None)),
                    Missing::Fail => {
                        let connection = &self.plan.connections[plan.connection].name;
                        let help = if params.is_empty() {
                            format!("check the settings of connection `{connection}`: they alone say what is looked up")
                        } else {
                            "say `missing: reject` to put such rows aside and go on".to_owned()
                        };
                        return Err(Error::data(not_found(plan, params, answer)).help(help));
                    }
                },
                Err(reason) => Err((reason, None, None)),
            };
            match values {
                Ok(values) => {
                    keep.push(true);
                    taken.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
                }
                Err((reason, field, value)) => {
                    let field = field.or_else(|| single(params).map(|(name, _)| name.clone()));
                    let value = value.or_else(|| single(params).map(|(_, value)| value.clone()));
                    reject(reason, field, value);
                    keep.push(false);
                }
            }
        }
        self.reject(work.node, rejects)?;
        let kept = batch.filter(&BooleanChunked::from_iter_values("".into(), keep.into_iter()))?;
        let mut columns: Vec<Column> = kept.columns().to_vec();
        for (take, values) in plan.take.iter().zip(&taken) {
            let series = values_to_series(&take.column, &take.ty, values).map_err(Error::bug)?;
            match columns.iter_mut().find(|column| column.name().as_str() == take.column) {
                Some(old) => *old = series.into(),
                None => columns.push(series.into()),
            }
        }
        Ok(DataFrame::new(kept.height(), columns)?)
    }

    /// The first record for which the match holds.
    fn choose<'r>(
        &self,
        plan: &LookupPlan,
        row: &dyn Row,
        records: &'r [Record],
    ) -> std::result::Result<Option<&'r Record>, String> {
        let whole = |record: &&Record| {
            plan.take.iter().all(|take| !take.is_key || record.get(&take.field).is_some_and(|value| !value.is_null()))
        };
        let Some(matching) = &plan.matching else { return Ok(records.iter().find(whole)) };
        for record in records.iter().filter(whole) {
            let value = Value::from_json(&Json::Object(record.clone()), &plan.record)?;
            let joined = WithRecord { row, record: value };
            match matching.interpret(&joined, &self.constants) {
                Ok(Value::Bool(true)) => return Ok(Some(record)),
                Ok(_) => {}
                Err(reason) => {
                    return Err(format!("`match` could not be computed: {}", reason.message));
                }
            }
        }
        Ok(None)
    }

    fn take(&self, plan: &LookupPlan, record: &Record) -> std::result::Result<Vec<Value>, Failure> {
        plan.take
            .iter()
            .map(|take| {
                let json = record.get(&take.field).unwrap_or(&Json::Null);
                Value::from_json(json, &take.ty).map_err(|reason| {
                    let message = format!("field `{}` of `{}`: {reason}", take.field, plan.stream);
                    (message, Some(take.field.clone()), Some(json.clone()))
                })
            })
            .collect()
    }
}

/// Reason, field, value.
type Failure = (String, Option<String>, Option<Json>);

fn single(params: &Record) -> Option<(&String, &Json)> {
    params.iter().next().filter(|_| params.len() == 1)
}

fn not_found(plan: &LookupPlan, params: &Record, answer: &[Record]) -> String {
    let params: Vec<String> = params.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let asked = if params.is_empty() { String::new() } else { format!(" for {}", params.join(", ")) };
    match answer.len() {
        0 => format!("{} has no record{asked}", plan.stream),
        1 => format!("{} has a record{asked}, but it does not match", plan.stream),
        many => format!("{} has {many} records{asked}, but none matches", plan.stream),
    }
}

/// A row with the record of a lookup's answer in scope.
struct WithRecord<'a> {
    row: &'a dyn Row,
    record: Value,
}

impl Row for WithRecord<'_> {
    fn get(&self, name: &str) -> Value {
        if name == "record" { self.record.clone() } else { self.row.get(name) }
    }
}
