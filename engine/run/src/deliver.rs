//! Delivery to SaaS systems: journal before send, receipt after answer, each record once.
//!
//! What was confirmed before with the same payload is skipped; a record whose outcome is unknown is held, never blindly
//! sent twice.

use crate::accounts::book;
use crate::batches::Batches;
use crate::clock::aside;
use crate::desk::Desk;
use crate::pace::{AnswerTime, Pace};
use crate::payload::{Differing, Hash};
use crate::pour::Incoming;
use crate::records::{Packer, Parcel};
use crate::rejects::{NewReject, lock};
use crate::run::StateAccess;
use crate::runner::{Mode, Runner};
use crate::stage::{Stage, StageWriter};
use crate::verifying::Doubtful;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;
use towpath_connector::{Error, Kind, Operation, OperationInfo, OperationKind, Record, Result, Sink, SinkAsk};
use towpath_mapping::rows_to_frame;
use towpath_plan::{NodeKind, OnUnknown, SinkNode};
use towpath_spec::Schema as Columns;
use towpath_state::{Receipt, RunId};

/// Each sink is carried out once, whoever asks for it.
#[derive(Default)]
pub(crate) struct Deliveries {
    cells: Mutex<HashMap<usize, Cell>>,
}

/// How a sink ended: with its results, where they are read, or with what it failed.
type Cell = Arc<OnceCell<Result<Option<Stage>>>>;

/// Records that are made and looked up in the journal together, for each request that may be under way: while the last of
/// them are waited for, places are free.
const RECORDS_PER_SLOT: usize = 128;

/// Records that are made together at the most when batches are large, but for a single batch that is larger.
const MOST_TOGETHER: usize = 20_000;

/// A sink of an operation while it is carried out.
pub(crate) struct Delivery<'a> {
    pub node: usize,
    pub sink: &'a SinkNode,
    pub operation: Arc<dyn Operation>,
    state: &'a StateAccess,
    target: String,
    pub pace: Pace,
    pub desk: Desk,
    pub answers: AnswerTime,
    /// Records in a row whose outcome is unknown.
    pub unanswered: AtomicUsize,
    /// The run whose rejects are replayed: what was delivered after it is newer.
    replays: Option<RunId>,
    /// The records of the plan the run is held to, and how many of them have come.
    promised: Option<&'a HashSet<Hash>>,
    kept: AtomicUsize,
    results: Option<Mutex<Results>>,
}

/// A batch of records ready to be sent.
struct Packed {
    rows: usize,
    parcels: Vec<Parcel>,
    rejects: Vec<NewReject>,
}

pub(crate) struct Results {
    writer: StageWriter,
    columns: Columns,
    rows: Vec<Record>,
}

impl Runner {
    /// Carries out a sink, once; gives its results where they are read.
    pub(crate) async fn deliver_once(self: &Arc<Self>, node: usize) -> Result<Option<Stage>> {
        let cell = lock(&self.deliveries.cells)?.entry(node).or_default().clone();
        if self.mode == Mode::Plan {
            return cell.get_or_init(|| self.clone().plan_sink(node)).await.clone();
        }
        cell.get_or_init(|| self.clone().carry_out_sink(node)).await.clone()
    }

    async fn carry_out_sink(self: Arc<Self>, node: usize) -> Result<Option<Stage>> {
        let NodeKind::Sink(sink) = &self.plan.nodes[node].kind else {
            return Err(Error::bug("only sinks are delivered to"));
        };
        let incoming = match self.options.replay {
            Some(_) => Incoming::Flow(self.replayed_input(node, sink).await?),
            None => self.incoming(sink).await?,
        };
        self.start(node);
        let carried = async {
            let writer = self.writer(sink.connection).await?;
            let connector = self.connector(sink.connection)?;
            let declared: Vec<_> = connector.descriptor().sink_settings.iter().collect();
            let mut settings = self.settings(&declared, &sink.settings, node)?;
            if !sink.key.is_empty() && connector.descriptor().kind == Kind::Database {
                settings.set("key", sink.key.clone());
            }
            let connect = self.connect(sink.connection)?;
            let ask = SinkAsk {
                operation: sink.operation.as_ref().map(|(name, _)| name.as_str()),
                connection: &connect.settings,
                settings: &settings,
                schema: Some(incoming.columns()),
                base: &self.plan.base,
            };
            match (writer.sink(&ask)?, incoming) {
                (Sink::File(file), incoming) => self.write_file(node, sink, incoming, file).await.map(|()| None),
                (Sink::Table(table), Incoming::Flow(flow)) => self.load(node, flow, table).await.map(|()| None),
                (Sink::Table(table), Incoming::Pour(pour)) => {
                    let flow = self.staged(sink, *pour).await?;
                    self.load(node, flow, table).await.map(|()| None)
                }
                (Sink::Operation(_), Incoming::Pour(_)) => Err(Error::bug("what is sent is staged before")),
                (Sink::Operation(operation), Incoming::Flow(flow)) => {
                    let target = self.target(sink, &connector.descriptor().name, &writer.target());
                    self.deliver(node, sink, flow, operation, target).await
                }
            }
        };
        let carried = carried.await.map_err(|error| self.blame(node, error));
        self.stop(node);
        carried
    }

    async fn deliver(
        self: &Arc<Self>,
        node: usize,
        sink: &SinkNode,
        flow: crate::flow::Flow,
        operation: Arc<dyn Operation>,
        target: String,
    ) -> Result<Option<Stage>> {
        let state = self.state.as_ref().ok_or_else(|| Error::bug("a sink without a journal"))?;
        let packer = Arc::new(Packer::new(sink, operation.info(), &flow.columns, &self.constants));
        let results = self.results(node, sink)?;
        let desk = Desk::open(self, &self.plan.nodes[node].name, &target, sink.concurrency)?;
        let delivery = Delivery {
            node,
            sink,
            operation,
            state,
            target,
            pace: Pace::new(sink.rate, self.world.clock.clone()),
            desk,
            answers: AnswerTime::default(),
            unanswered: AtomicUsize::new(0),
            replays: self.options.replay.as_ref().map(|replay| replay.of),
            promised: self.options.promise.as_ref().and_then(|promise| promise.of(&self.plan.nodes[node].name)),
            kept: AtomicUsize::new(0),
            results,
        };
        let mut batches = self.batches(flow.frame, together(sink))?;
        let mut packed = self.pack(&mut batches, &packer).await?;
        while let Some(Packed { rows, parcels, rejects }) = packed {
            book(&self.accounts[node].rows_in, rows);
            self.reject(node, rejects)?;
            // The next batch is made ready while this one is sent.
            let (sent, next) = tokio::join!(self.send_batch(&delivery, parcels), self.pack(&mut batches, &packer));
            sent?;
            self.progress(node, rows);
            self.go_on()?;
            packed = next?;
        }
        let missing = delivery.promised.map_or(0, HashSet::len).saturating_sub(delivery.kept.into_inner());
        if missing > 0 {
            self.warn(node, format!("{missing} of the records that were planned did not come any more"));
        }
        delivery.results.map(finish_results).transpose()
    }

    /// The records of the next batch; `None` at the end.
    async fn pack(self: &Arc<Self>, batches: &mut Batches, packer: &Arc<Packer>) -> Result<Option<Packed>> {
        let Some(batch) = batches.next().await? else { return Ok(None) };
        let (runner, packer, rows) = (self.clone(), packer.clone(), batch.height());
        let packing = tokio::task::spawn_blocking(move || packer.pack(&runner, &batch));
        let packed = packing.await.map_err(|panic| Error::bug(format!("making records panicked: {panic}")))?;
        packed.map(|(parcels, rejects)| Some(Packed { rows, parcels, rejects }))
    }

    /// What the journal knows the other system by. A stand-in is the same one whatever port it listens on.
    pub(crate) fn target(&self, sink: &SinkNode, connector: &str, writer: &str) -> String {
        let operation = sink.operation.as_ref().map_or("", |(name, _)| name.as_str());
        let connection = &self.plan.connections[sink.connection].name;
        if let Some(stand_in) = self.world.overrides.get(connection) {
            return format!("{connector} {} {operation}", stand_in.identity);
        }
        format!("{connector} {writer} {operation}")
    }

    pub(crate) fn results(&self, node: usize, sink: &SinkNode) -> Result<Option<Mutex<Results>>> {
        let (Some(columns), true) = (&sink.results, self.plan.nodes[node].results_read) else {
            return Ok(None);
        };
        let name = format!("{}.results", self.plan.nodes[node].name);
        let writer = StageWriter::new(&self.stage_folder(&name), &name, columns)?;
        Ok(Some(Mutex::new(Results { writer, columns: columns.clone(), rows: Vec::new() })))
    }

    /// Sends the records of a batch. Records of one key go one after the other.
    async fn send_batch(self: &Arc<Self>, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<()> {
        let mut waiting = parcels;
        while !waiting.is_empty() {
            let mut seen: HashSet<Hash> = HashSet::new();
            let (now, later): (Vec<Parcel>, Vec<Parcel>) =
                waiting.into_iter().partition(|parcel| seen.insert(parcel.key_hash));
            let (mut due, doubtful) = aside(|| self.due(delivery, now))?;
            if !doubtful.is_empty() {
                due.extend(self.verify_all(delivery, doubtful).await?);
            }
            self.send_all(delivery, due).await?;
            waiting = later;
        }
        aside(|| delivery.write_results())
    }

    /// Which records are to be sent, and which are to be verified before; the others are booked as what they are.
    fn due(&self, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<(Vec<Parcel>, Vec<Doubtful>)> {
        let keys: Vec<Hash> = parcels.iter().map(|parcel| parcel.key_hash).collect();
        let known = delivery.state.sent_before(self.sink_name(delivery), &delivery.target, &keys)?;
        let mut due = Vec::with_capacity(parcels.len());
        let mut doubtful = Vec::new();
        for (parcel, receipt) in parcels.into_iter().zip(known) {
            match delivery.judge(&parcel, receipt.as_ref()) {
                Judgement::Send | Judgement::Verify if !delivery.keeps_promise(&parcel) => {
                    book(&self.accounts[delivery.node].filtered, 1);
                    delivery.result(&parcel, "not planned", None, Record::new())?;
                }
                Judgement::Send => due.push(parcel),
                Judgement::Verify => doubtful.extend(receipt.map(|receipt| Doubtful { parcel, receipt })),
                Judgement::Unchanged(fields) => self.unchanged(delivery, &parcel, fields)?,
                Judgement::Changed(message) => self.changed(delivery, parcel, message)?,
                Judgement::Held(message) => self.hold(delivery, &parcel, &message)?,
            }
        }
        Ok((due, doubtful))
    }

    /// Books a record that is there as it is to be.
    pub(crate) fn unchanged(&self, delivery: &Delivery<'_>, parcel: &Parcel, fields: Record) -> Result<()> {
        book(&self.accounts[delivery.node].skipped, 1);
        delivery.result(parcel, "unchanged", None, fields)
    }

    /// Books a record that is there with other content and cannot be changed.
    pub(crate) fn changed(&self, delivery: &Delivery<'_>, parcel: Parcel, message: String) -> Result<()> {
        delivery.result(&parcel, "refused", Some(&message), Record::new())?;
        self.reject(delivery.node, vec![refused(parcel, message)?])
    }

    /// Books a record that is not sent because nobody knows what became of it.
    pub(crate) fn hold(&self, delivery: &Delivery<'_>, parcel: &Parcel, message: &str) -> Result<()> {
        book(&self.accounts[delivery.node].unknown, 1);
        delivery.result(parcel, "unknown", Some(message), Record::new())?;
        let key = Json::Object(parcel.key.clone());
        self.warn(delivery.node, format!("{key} is held: {message}"));
        Ok(())
    }

    fn sink_name(&self, delivery: &Delivery<'_>) -> &str {
        &self.plan.nodes[delivery.node].name
    }
}

/// How many records are made and looked up together: whole batches where a call takes several.
pub(crate) fn together(sink: &SinkNode) -> usize {
    let records = (sink.concurrency * RECORDS_PER_SLOT).max(1_000);
    if sink.batch == 1 {
        return records;
    }
    records.max((sink.concurrency * sink.batch).min(MOST_TOGETHER)).next_multiple_of(sink.batch)
}

/// A reject that names the record by its key.
///
/// # Errors
/// The row it was made of cannot be read.
pub(crate) fn refused(parcel: Parcel, message: String) -> Result<NewReject> {
    let names: Vec<&str> = parcel.key.keys().map(String::as_str).collect();
    let is_whole = parcel.key.keys().eq(parcel.payload.keys());
    let value = match parcel.key.values().next() {
        Some(value) if names.len() == 1 => value.clone(),
        _ => Json::Object(parcel.key.clone()),
    };
    // Without a key of its own a record is known by all of itself, which is no name for a field.
    let field = (!is_whole).then(|| names.join(", "));
    Ok(NewReject { step: None, field, value: Some(value), reason: message, row: parcel.row()? })
}

pub(crate) fn finish_results(results: Mutex<Results>) -> Result<Stage> {
    let results = results.into_inner().map_err(|_| Error::bug("a thread of the run panicked"))?;
    results.writer.finish()
}

/// What is to be done with a record, given what the journal knows.
pub(crate) enum Judgement {
    Send,
    /// Whether it is there has to be looked up first.
    Verify,
    Unchanged(Record),
    Changed(String),
    Held(String),
}

/// What is to be done with a record: the same for a run and for a plan of one.
pub(crate) fn judge(info: &OperationInfo, sink: &SinkNode, parcel: &Parcel, receipt: Option<&Receipt>) -> Judgement {
    let Some(receipt) = receipt else {
        return Judgement::Send;
    };
    let resend = info.idempotent || sink.on_unknown == OnUnknown::Resend;
    if !receipt.outcome.is_settled() && !resend {
        if sink.on_unknown == OnUnknown::Verify {
            return Judgement::Verify;
        }
        return Judgement::Held(format!("its outcome is unknown since run {}", receipt.run));
    }
    if receipt.holds(&parcel.payload_hash) {
        return Judgement::Unchanged(fields_of(receipt));
    }
    match &receipt.confirmed {
        Some(confirmed) if only_creates(info) => {
            let differing = parcel.differing(&confirmed.content);
            Judgement::Changed(other_content(info, &confirmed.run, differing))
        }
        _ => Judgement::Send,
    }
}

/// The fields of the answer a record was confirmed with.
fn fields_of(receipt: &Receipt) -> Record {
    receipt.confirmed.as_ref().and_then(|confirmed| confirmed.fields.as_object()).cloned().unwrap_or_default()
}

pub(crate) fn only_creates(info: &OperationInfo) -> bool {
    info.kind == OperationKind::Create
}

/// Why a record cannot be sent that is there with other content.
pub(crate) fn other_content(info: &OperationInfo, run: &RunId, differing: Option<Differing>) -> String {
    let fields = differing.map(|differing| differing.told()).filter(|fields| !fields.is_empty());
    let fields = fields.map_or_else(String::new, |fields| format!(" (what differs: {fields})"));
    format!("this key was delivered by run {run} with other content{fields}, and {} can only create", info.name)
}

impl Delivery<'_> {
    /// Whether a record that is replayed was delivered since by a later run: what that sent is not to be undone.
    fn is_older(&self, receipt: &Receipt) -> bool {
        let delivered = receipt.confirmed.as_ref().map(|confirmed| confirmed.run);
        delivered.zip(self.replays).is_some_and(|(delivered, of)| delivered.as_str() > of.as_str())
    }

    /// What is to be done with a record.
    fn judge(&self, parcel: &Parcel, receipt: Option<&Receipt>) -> Judgement {
        let older = receipt.filter(|receipt| self.is_older(receipt));
        match (judge(self.operation.info(), self.sink, parcel, receipt), older) {
            (Judgement::Send | Judgement::Changed(_), Some(receipt)) => Judgement::Unchanged(fields_of(receipt)),
            (judgement, _) => judgement,
        }
    }

    /// Whether a record may be sent by the plan the run is held to, if it is held to one.
    fn keeps_promise(&self, parcel: &Parcel) -> bool {
        let Some(promised) = self.promised else { return true };
        let is_promised = promised.contains(&crate::promise::record(&parcel.key_hash, &parcel.payload_hash));
        self.kept.fetch_add(usize::from(is_promised), Ordering::Relaxed);
        is_promised
    }

    /// Keeps what became of a record for those who read the results.
    pub fn result(&self, parcel: &Parcel, outcome: &str, message: Option<&str>, fields: Record) -> Result<()> {
        match &self.results {
            Some(results) => lock(results)?.keep(self.sink, parcel, outcome, message, fields),
            None => return Ok(()),
        }
        Ok(())
    }

    fn write_results(&self) -> Result<()> {
        match &self.results {
            Some(results) => lock(results)?.write(),
            None => Ok(()),
        }
    }
}

impl Results {
    /// Keeps what became of a record.
    pub fn keep(&mut self, sink: &SinkNode, parcel: &Parcel, outcome: &str, message: Option<&str>, fields: Record) {
        let mut row = fields;
        if !sink.key.is_empty() {
            row.extend(parcel.key.clone());
        }
        row.insert("outcome".into(), outcome.into());
        row.insert("message".into(), message.into());
        self.rows.push(row);
    }

    /// Brings what was kept into the stage.
    pub fn write(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let (frame, bad) = rows_to_frame(&rows, &self.columns).map_err(Error::bug)?;
        if let Some(bad) = bad.first() {
            let message = format!("the answer's field `{}` is not as described: {}", bad.column, bad.reason);
            return Err(Error::data(message).help("correct the type of the field under `results` of the definition"));
        }
        self.writer.push(frame)
    }
}
