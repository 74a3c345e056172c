//! A plan of a run: reads what a run would read, judges each record as a run would, and writes nothing.
//!
//! It works on a private copy of the state, so that it can do there whatever a run does. What it holds of an operation
//! cannot send (see [`Unsent`]). A sink that reads what another one is answered is planned only when that one has nothing
//! to send: answers are not guessed.

use crate::accounts::book;
use crate::clock::aside;
use crate::deliver::{Judgement, Results, finish_results, judge, only_creates, refused, together};
use crate::error::{RunError, state_error};
use crate::payload::Hash;
use crate::planned::{Planned, PlannedNode, PlannedSink, RejectSample, Request, SinkPlan, Update};
use crate::promise;
use crate::records::{Packer, Parcel};
use crate::rejects::{NewReject, lock};
use crate::runner::{Mode, Options, Runner, World};
use crate::stage::Stage;
use crate::unsent::Unsent;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use towpath_connector::{Error, Kind, Record, Result, SinkAsk, Sketch, TableLook, redact, redact_json};
use towpath_plan::{NodeKind, Plan, SinkNode};
use towpath_spec::Schema as Columns;
use towpath_state::{Confirmed, Store};

/// Calls that are shown of a sink.
const SAMPLES: usize = 2;

/// Records that are shown of those a sink would change.
const UPDATES: usize = 3;

/// Reasons that are shown of a node.
const REASONS: usize = 3;

/// Rows of a file or table that are counted together.
const ROWS: usize = 20_000;

/// Finds out what a run would do. `state` is a copy that nobody else uses; what is staged goes to the folder of the
/// options and is removed.
///
/// # Errors
/// As those of a run that fails before its sinks: what a source, a lookup or a step failed with.
pub async fn plan_run(
    plan: Arc<Plan>,
    options: Options,
    world: World,
    state: Store,
    pipeline_file: &str,
    version: &str,
) -> std::result::Result<Planned, RunError> {
    crate::missing::nothing_missing(&plan, &world).map_err(RunError::NotStarted)?;
    let access = crate::run::start(&plan, &options, &world, state.clone(), pipeline_file, version)?;
    let basis = access.basis().map_err(RunError::NotStarted)?;
    let stages = options.stages.join(&options.run);
    let runner = Runner::new(plan, Mode::Plan, options, world, Some(access));
    let planned = all_sinks(&runner, &state).await.map(|planned| Planned { state: basis, ..planned });
    // What cannot be removed is only space on disk.
    let _ = std::fs::remove_dir_all(stages);
    planned.map_err(RunError::NotStarted)
}

async fn all_sinks(runner: &Arc<Runner>, state: &Store) -> Result<Planned> {
    for (node, planned) in runner.plan.nodes.iter().enumerate() {
        if matches!(planned.kind, NodeKind::Sink(_)) {
            runner.deliver_once(node).await?;
        }
    }
    runner.flush_rejects()?;
    runner.tell_doubtful();
    let found = std::mem::take(&mut *lock(&runner.planned)?);
    let sinks = found.into_iter().map(|(node, plan)| {
        let planned = &runner.plan.nodes[node];
        let connection = match &planned.kind {
            NodeKind::Sink(sink) => runner.plan.connections[sink.connection].name.clone(),
            _ => String::new(),
        };
        PlannedSink { sink: planned.name.clone(), connection, plan }
    });
    let (pipeline, sends) = (runner.plan.pipeline.clone(), std::mem::take(&mut *lock(&runner.sends)?));
    let (sinks, nodes) = (sinks.collect(), nodes(runner, state)?);
    Ok(Planned { pipeline, sinks, nodes, sends, state: String::new() })
}

/// The nodes that were read, with what they would reject.
fn nodes(runner: &Runner, state: &Store) -> Result<Vec<PlannedNode>> {
    let reasons = state.reject_counts(&runner.options.run).map_err(|error| state_error(&error))?;
    let started = (0..runner.plan.nodes.len()).filter(|node| runner.accounts[*node].has_started());
    Ok(started
        .map(|node| {
            let (name, counts) = (&runner.plan.nodes[node].name, runner.accounts[node].counts());
            let reasons = reasons.iter().filter(|count| count.node == *name).take(REASONS);
            let reasons = reasons.map(|count| RejectSample { reason: count.reason.clone(), times: count.rows });
            PlannedNode {
                node: name.clone(),
                rows: counts.rows_in,
                rejected: counts.rejected,
                reasons: reasons.collect(),
            }
        })
        .collect())
}

impl Runner {
    /// Plans a sink; gives its results where they are read and known.
    pub(crate) async fn plan_sink(self: Arc<Self>, node: usize) -> Result<Option<Stage>> {
        let NodeKind::Sink(sink) = &self.plan.nodes[node].kind else {
            return Err(Error::bug("only sinks are planned"));
        };
        let waits = self.waits_on(node).await?;
        let (plan, results) = if waits.is_empty() {
            self.start(node);
            let planned = self.look_at(node, sink).await.map_err(|error| self.blame(node, error));
            self.stop(node);
            planned?
        } else {
            (SinkPlan::Waits { on: waits }, None)
        };
        lock(&self.planned)?.insert(node, plan);
        Ok(results)
    }

    /// The sinks a sink depends on that would do something, so that nobody knows what they are answered.
    async fn waits_on(self: &Arc<Self>, node: usize) -> Result<Vec<String>> {
        let mut waits = Vec::new();
        for above in self.plan.upstream(node) {
            if above == node || !matches!(self.plan.nodes[above].kind, NodeKind::Sink(_)) {
                continue;
            }
            Box::pin(self.deliver_once(above)).await?;
            if lock(&self.planned)?.get(&above).is_none_or(|plan| !plan.is_settled()) {
                waits.push(self.plan.nodes[above].name.clone());
            }
        }
        Ok(waits)
    }

    async fn look_at(self: &Arc<Self>, node: usize, sink: &SinkNode) -> Result<(SinkPlan, Option<Stage>)> {
        let flow = self.flow(sink.input).await?;
        if sink.operation.is_some() {
            let unsent = self.unsent(node, sink, &flow.columns).await?;
            return self.look_at_records(node, sink, flow, unsent).await;
        }
        let connector = self.connector(sink.connection)?;
        let declared: Vec<_> = connector.descriptor().sink_settings.iter().collect();
        let settings = self.settings(&declared, &sink.settings, node)?;
        let connection = self.connect(sink.connection)?.settings;
        let setting = |name: &str| settings.text(name).or_else(|| connection.text(name)).map(|text| redact(&text));
        let mut look = self.look_of(node, sink, &flow.columns)?;
        let mut batches = self.batches(flow.frame, ROWS)?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await? {
            rows += batch.height() as u64;
            book(&self.accounts[node].rows_in, batch.height());
            if let Some(look) = &mut look {
                let taken = aside(|| look.take(&batch))?;
                rows -= taken.rejects.len() as u64;
                self.reject(node, taken.rejects.into_iter().map(NewReject::from).collect())?;
            }
            self.go_on()?;
        }
        let plan = if connector.descriptor().kind == Kind::Files {
            let path = setting("path");
            let replaces = path.as_ref().is_some_and(|path| self.plan.base.join(path).exists());
            SinkPlan::File { path, rows, replaces }
        } else {
            let differences = match &mut look {
                Some(look) => Some(aside(|| look.differences())?),
                None => None,
            };
            SinkPlan::Table { table: setting("table"), mode: setting("mode"), rows, differences }
        };
        Ok((plan, None))
    }

    /// What compares rows with a table, where a sink is one.
    fn look_of(&self, node: usize, sink: &SinkNode, columns: &Columns) -> Result<Option<Box<dyn TableLook>>> {
        let connector = self.connector(sink.connection)?;
        if connector.descriptor().kind != Kind::Database {
            return Ok(None);
        }
        let connect = self.connect(sink.connection)?;
        let declared: Vec<_> = connector.descriptor().sink_settings.iter().collect();
        let mut settings = self.settings(&declared, &sink.settings, node)?;
        if !sink.key.is_empty() {
            settings.set("key", sink.key.clone());
        }
        let ask = SinkAsk {
            operation: None,
            connection: &connect.settings,
            settings: &settings,
            schema: Some(columns),
            base: &self.plan.base,
        };
        let writer = connector.writer(&connect)?;
        aside(|| writer.look(&ask))
    }

    async fn look_at_records(
        self: &Arc<Self>,
        node: usize,
        sink: &SinkNode,
        flow: crate::flow::Flow,
        unsent: Unsent,
    ) -> Result<(SinkPlan, Option<Stage>)> {
        let packer = Packer::new(sink, unsent.info(), &flow.columns, &self.constants);
        let results = self.results(node, sink)?;
        let mut look = Look {
            runner: self,
            node,
            sink,
            unsent,
            results,
            sent: HashMap::new(),
            sends: Vec::new(),
            tally: Tally::default(),
        };
        let mut batches = self.batches(flow.frame, together(sink))?;
        while let Some(batch) = batches.next().await? {
            book(&self.accounts[node].rows_in, batch.height());
            aside(|| {
                let (parcels, rejects) = packer.pack(self, &batch)?;
                self.reject(node, rejects)?;
                look.judge(parcels)
            })?;
            self.progress(node, batch.height());
            self.go_on()?;
        }
        let plan = look.plan();
        lock(&self.sends)?.insert(self.plan.nodes[node].name.clone(), std::mem::take(&mut look.sends));
        let stage = look.results.map(finish_results).transpose()?;
        Ok((plan, stage))
    }
}

/// What is found out of a sink's records.
struct Look<'a> {
    runner: &'a Runner,
    node: usize,
    sink: &'a SinkNode,
    unsent: Unsent,
    results: Option<Mutex<Results>>,
    /// Payloads of keys that would be sent: the journal of the run would know them.
    sent: HashMap<Hash, Hash>,
    /// The records that a run would send, or look up first.
    sends: Vec<Hash>,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    create: u64,
    update: u64,
    changed: BTreeMap<String, u64>,
    updates: Vec<Update>,
    unchanged: u64,
    held: u64,
    verify: u64,
    calls: u64,
    samples: Vec<Request>,
}

impl Tally {
    /// Counts a record that was delivered with other content.
    fn update(&mut self, parcel: &Parcel, before: &Confirmed) {
        self.update += 1;
        let Some(differing) = parcel.differing(&before.content) else { return };
        for name in &differing.fields {
            *self.changed.entry(name.clone()).or_default() += 1;
        }
        if self.updates.len() < UPDATES {
            let mut key = Json::Object(parcel.key.clone());
            redact_json(&mut key);
            let fields = differing.fields.into_iter().map(|name| {
                let mut value = parcel.payload.get(&name).cloned().unwrap_or_default();
                redact_json(&mut value);
                (name, value)
            });
            self.updates.push(Update {
                key,
                delivered_by: before.run.to_string(),
                fields: fields.collect(),
                gone: differing.gone,
            });
        }
    }
}

impl Look<'_> {
    fn judge(&mut self, parcels: Vec<Parcel>) -> Result<()> {
        let state = self.runner.state.as_ref().ok_or_else(|| Error::bug("a plan without a journal"))?;
        let keys: Vec<Hash> = parcels.iter().map(|parcel| parcel.key_hash).collect();
        let known = state.sent_before(&self.runner.plan.nodes[self.node].name, &self.unsent.target, &keys)?;
        let mut due = Vec::new();
        for (parcel, receipt) in parcels.into_iter().zip(known) {
            if let Some(before) = self.sent.get(&parcel.key_hash).copied() {
                self.again(parcel, before, &mut due)?;
                continue;
            }
            match judge(self.unsent.info(), self.sink, &parcel, receipt.as_ref()) {
                Judgement::Send => {
                    match receipt.and_then(|receipt| receipt.confirmed) {
                        Some(before) => self.tally.update(&parcel, &before),
                        None => self.tally.create += 1,
                    }
                    self.send(parcel, &mut due);
                }
                Judgement::Verify => {
                    self.tally.verify += 1;
                    self.sends.push(promise::record(&parcel.key_hash, &parcel.payload_hash));
                }
                Judgement::Unchanged(fields) => {
                    self.tally.unchanged += 1;
                    if let Some(results) = &self.results {
                        lock(results)?.keep(self.sink, &parcel, "unchanged", None, fields);
                    }
                }
                Judgement::Changed(message) => self.refuse(parcel, message)?,
                Judgement::Held(message) => {
                    self.tally.held += 1;
                    if let Some(results) = &self.results {
                        lock(results)?.keep(self.sink, &parcel, "unknown", Some(&message), Record::new());
                    }
                }
            }
        }
        if let Some(results) = &self.results {
            lock(results)?.write()?;
        }
        self.tally.calls += due.len().div_ceil(self.sink.batch.max(1)) as u64;
        self.sample(&due)
    }

    /// A record whose key came before in the same run.
    fn again(&mut self, parcel: Parcel, before: Hash, due: &mut Vec<Parcel>) -> Result<()> {
        if before == parcel.payload_hash {
            self.tally.unchanged += 1;
        } else if only_creates(self.unsent.info()) {
            let name = &self.unsent.info().name;
            self.refuse(parcel, format!("this key comes twice with different content, and {name} can only create"))?;
        } else {
            self.tally.update += 1;
            self.send(parcel, due);
        }
        Ok(())
    }

    fn send(&mut self, parcel: Parcel, due: &mut Vec<Parcel>) {
        self.sent.insert(parcel.key_hash, parcel.payload_hash);
        self.sends.push(promise::record(&parcel.key_hash, &parcel.payload_hash));
        due.push(parcel);
    }

    fn refuse(&mut self, parcel: Parcel, message: String) -> Result<()> {
        if let Some(results) = &self.results {
            lock(results)?.keep(self.sink, &parcel, "refused", Some(&message), Record::new());
        }
        self.runner.reject(self.node, vec![refused(parcel, message)?])
    }

    fn sample(&mut self, due: &[Parcel]) -> Result<()> {
        for call in due.chunks(self.sink.batch.max(1)).take(SAMPLES - self.tally.samples.len()) {
            let records: Vec<Record> = call.iter().map(|parcel| self.unsent.info().masked(&parcel.payload)).collect();
            // What makes no call is refused when it is sent: the record tells more than nothing.
            let sketch = self.unsent.sketch(&records).unwrap_or_default();
            self.tally.samples.push(request(&call[0].key, &records[0], sketch));
        }
        Ok(())
    }

    fn plan(&mut self) -> SinkPlan {
        let tally = std::mem::take(&mut self.tally);
        let rate = self.sink.rate.filter(|rate| rate.requests > 0.0);
        let info = self.unsent.info();
        SinkPlan::Operation {
            operation: info.name.clone(),
            create: tally.create,
            update: tally.update,
            changed: tally.changed.into_iter().collect(),
            updates: tally.updates,
            unchanged: tally.unchanged,
            held: tally.held,
            verify: tally.verify,
            reject: self.runner.accounts[self.node].counts().rejected,
            calls: tally.calls,
            // The first call does not wait.
            seconds: rate.map(|rate| tally.calls.saturating_sub(1) as f64 * rate.per_seconds / rate.requests),
            concurrency: self.sink.concurrency,
            sends_email: info.sends_email,
            samples: tally.samples,
        }
    }
}

fn request(key: &Record, record: &Record, sketch: Option<Sketch>) -> Request {
    let mut key = Json::Object(key.clone());
    redact_json(&mut key);
    match sketch {
        Some(Sketch { method, url, headers, body }) => {
            Request { key, method: Some(method), url: Some(url), headers, body }
        }
        None => {
            let mut record = Json::Object(record.clone());
            redact_json(&mut record);
            Request { key, method: None, url: None, headers: Vec::new(), body: Some(record.to_string()) }
        }
    }
}
