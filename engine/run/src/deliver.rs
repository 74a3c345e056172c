//! Delivery to SaaS systems: journal before send, receipt after answer, each record once.
//!
//! What was confirmed before with the same payload is skipped; a record whose outcome is unknown is held, never blindly
//! sent twice.

use crate::accounts::book;
use crate::desk::Desk;
use crate::payload::Hash;
use crate::records::{Packer, Parcel};
use crate::rejects::{NewReject, lock};
use crate::run::StateAccess;
use crate::runner::Runner;
use crate::stage::{Stage, StageWriter};
use futures::stream::{self, StreamExt};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;
use towpath_connector::{Answer, Effect, Error, Operation, OperationKind, Record, Result, Sink, SinkAsk, Writer};
use towpath_mapping::rows_to_frame;
use towpath_plan::{NodeKind, OnUnknown, SinkNode};
use towpath_spec::Schema as Columns;
use towpath_spec::document::{OnError, Rate};
use towpath_state::{Intent, Outcome, Receipt, ReceiptIn};

/// Each sink is carried out once, whoever asks for it.
#[derive(Default)]
pub(crate) struct Deliveries {
    cells: Mutex<HashMap<usize, Cell>>,
}

/// How a sink ended: with its results, where they are read, or with what it failed.
type Cell = Arc<OnceCell<Result<Option<Stage>>>>;

/// Records whose intents are written together, for each request that may be under way.
const RECORDS_PER_SLOT: usize = 64;

/// So many records in a row of unknown outcome, and the run stops: an outage would put all the rest in doubt.
const UNANSWERED: usize = 20;

struct Delivery<'a> {
    node: usize,
    sink: &'a SinkNode,
    operation: Arc<dyn Operation>,
    state: &'a StateAccess,
    target: String,
    packer: Packer,
    pace: Pace,
    desk: Desk,
    /// Records in a row whose outcome is unknown.
    unanswered: AtomicUsize,
    results: Option<Mutex<Results>>,
}

struct Results {
    writer: StageWriter,
    columns: Columns,
    rows: Vec<Record>,
}

/// How one record ended.
enum End {
    Delivered(Record),
    Refused(String),
    Unknown(Error),
    /// It was surely not acted on; the run cannot go on.
    Failed(Error),
    /// Its turn never came.
    NotSent,
}

impl Runner {
    /// Carries out a sink, once; gives its results where they are read.
    pub(crate) async fn deliver_once(self: &Arc<Self>, node: usize) -> Result<Option<Stage>> {
        let cell = lock(&self.deliveries.cells)?.entry(node).or_default().clone();
        cell.get_or_init(|| self.clone().carry_out_sink(node)).await.clone()
    }

    async fn carry_out_sink(self: Arc<Self>, node: usize) -> Result<Option<Stage>> {
        let NodeKind::Sink(sink) = &self.plan.nodes[node].kind else {
            return Err(Error::bug("only sinks are delivered to"));
        };
        let flow = self.flow(sink.input).await?;
        self.start(node);
        let carried = async {
            let writer = self.writer(sink.connection).await?;
            let connector = self.connector(sink.connection)?;
            let declared: Vec<_> = connector.descriptor().sink_settings.iter().collect();
            let settings = self.settings(&declared, &sink.settings, node)?;
            let connect = self.connect(sink.connection)?;
            let ask = SinkAsk {
                operation: sink.operation.as_ref().map(|(name, _)| name.as_str()),
                connection: &connect.settings,
                settings: &settings,
                schema: Some(&flow.columns),
                base: &self.plan.base,
            };
            match writer.sink(&ask)? {
                Sink::File(file) => self.write_file(node, flow, file).await.map(|()| None),
                Sink::Operation(operation) => {
                    let target = self.target(sink, &connector.descriptor().name, &*writer);
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
        let packer = Packer::new(sink, operation.info(), &flow.columns, &self.constants);
        let results = self.results(node, sink)?;
        let desk = Desk::open(self, &self.plan.nodes[node].name, &target)?;
        let delivery = Delivery {
            node,
            sink,
            operation,
            state,
            target,
            packer,
            pace: Pace::new(sink.rate),
            desk,
            unanswered: AtomicUsize::new(0),
            results,
        };
        let mut batches = self.batches(flow.frame, (sink.concurrency * RECORDS_PER_SLOT).max(1_000))?;
        while let Some(batch) = batches.next().await? {
            book(&self.accounts[node].rows_in, batch.height());
            let (parcels, rejects) = tokio::task::block_in_place(|| delivery.packer.pack(self, &batch))?;
            self.reject(node, rejects)?;
            self.send_batch(&delivery, parcels).await?;
            self.progress(node, batch.height());
            self.go_on()?;
        }
        delivery.results.map(finish_results).transpose()
    }

    /// What the journal knows the other system by. A stand-in is the same one whatever port it listens on.
    fn target(&self, sink: &SinkNode, connector: &str, writer: &dyn Writer) -> String {
        let operation = sink.operation.as_ref().map_or("", |(name, _)| name.as_str());
        let connection = &self.plan.connections[sink.connection].name;
        if let Some(stand_in) = self.world.overrides.get(connection) {
            return format!("{connector} {} {operation}", stand_in.identity);
        }
        format!("{connector} {} {operation}", writer.target())
    }

    fn results(&self, node: usize, sink: &SinkNode) -> Result<Option<Mutex<Results>>> {
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
            let due = tokio::task::block_in_place(|| self.due(delivery, now))?;
            self.send_all(delivery, due).await?;
            waiting = later;
        }
        tokio::task::block_in_place(|| delivery.write_results())
    }

    /// Which records are to be sent; the others are booked as what they are.
    fn due(&self, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<Vec<Parcel>> {
        let keys: Vec<Hash> = parcels.iter().map(|parcel| parcel.key_hash).collect();
        let known = delivery.state.sent_before(self.sink_name(delivery), &delivery.target, &keys)?;
        let account = &self.accounts[delivery.node];
        let mut due = Vec::with_capacity(parcels.len());
        for (parcel, receipt) in parcels.into_iter().zip(known) {
            match delivery.judge(&parcel, receipt.as_ref()) {
                Judgement::Send => due.push(parcel),
                Judgement::Unchanged(fields) => {
                    book(&account.skipped, 1);
                    delivery.result(&parcel, "unchanged", None, fields)?;
                }
                Judgement::Changed(message) => {
                    delivery.result(&parcel, "refused", Some(&message), Record::new())?;
                    self.reject(delivery.node, vec![refused(parcel, message)])?;
                }
                Judgement::Held(message) => {
                    book(&account.unknown, 1);
                    delivery.result(&parcel, "unknown", Some(&message), Record::new())?;
                    let key = Json::Object(parcel.key.clone());
                    self.warn(delivery.node, format!("{key} is held: {message}"));
                }
            }
        }
        Ok(due)
    }

    fn sink_name(&self, delivery: &Delivery<'_>) -> &str {
        &self.plan.nodes[delivery.node].name
    }

    async fn send_all(self: &Arc<Self>, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<()> {
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let halted = || self.cancel.is_cancelled() || failure.lock().is_ok_and(|failure| failure.is_some());
        let mut sent = stream::iter(parcels)
            .map(|parcel| async {
                let end = if halted() { End::NotSent } else { self.journalled(delivery, &parcel).await };
                if let (End::Failed(error), Ok(mut failure)) = (&end, failure.lock()) {
                    failure.get_or_insert_with(|| error.clone());
                }
                (parcel, end)
            })
            .buffer_unordered(delivery.sink.concurrency)
            .ready_chunks(256);
        while let Some(ends) = sent.next().await {
            let settled = tokio::task::block_in_place(|| self.settle_ends(delivery, ends));
            // Nothing new is sent then, but what is under way is waited for.
            if let (Err(error), Ok(mut failure)) = (settled, failure.lock()) {
                failure.get_or_insert(error);
            }
        }
        drop(sent);
        let failed = lock(&failure)?.take();
        failed.map_or_else(|| self.go_on(), Err)
    }

    /// Sends a record, its intent being on disk before and its receipt after.
    async fn journalled(self: &Arc<Self>, delivery: &Delivery<'_>, parcel: &Parcel) -> End {
        let intent = Intent {
            key_hash: parcel.key_hash,
            key: Json::Object(parcel.key.clone()),
            payload_hash: parcel.payload_hash,
        };
        // Waiting for its turn is not yet sending it.
        tokio::select! {
            () = delivery.pace.wait() => {}
            () = self.cancel.cancelled() => return End::NotSent,
        }
        if let Err(error) = delivery.desk.intend(intent).await {
            return End::Failed(error);
        }
        let end = self.send(delivery, parcel).await;
        let (outcome, fields, message) = match &end {
            End::Delivered(fields) => (Outcome::Confirmed, fields.clone(), None),
            End::Refused(message) => (Outcome::Refused, Record::new(), Some(message.clone())),
            End::Unknown(error) => (Outcome::Unknown, Record::new(), Some(error.message.clone())),
            End::Failed(error) => (Outcome::Refused, Record::new(), Some(format!("not sent: {error}"))),
            End::NotSent => return end,
        };
        let receipt = ReceiptIn { key_hash: parcel.key_hash, outcome, fields: Json::Object(fields), message };
        match delivery.desk.receive(receipt).await {
            Ok(()) => end,
            Err(error) => End::Failed(error),
        }
    }

    async fn send(self: &Arc<Self>, delivery: &Delivery<'_>, parcel: &Parcel) -> End {
        let mut failed = 0;
        // What any of the tries may have done counts, not only the last one's.
        let mut maybe = false;
        loop {
            match delivery.operation.send(&parcel.payload).await {
                Ok(Answer::Confirmed { fields }) => return End::Delivered(fields),
                Ok(Answer::Refused { message }) => return End::Refused(message),
                Err(error) => {
                    maybe |= error.effect == Effect::Unknown;
                    // Never again in the same breath: at the next run a lookup may know better, and `resend` counts.
                    if maybe && !delivery.operation.info().idempotent {
                        return End::Unknown(error);
                    }
                    failed += 1;
                    if let Err(error) = self.wait_or_fail(delivery.node, error, failed).await {
                        return if maybe { End::Unknown(error) } else { End::Failed(error) };
                    }
                    tokio::select! {
                        () = delivery.pace.wait() => {}
                        () = self.cancel.cancelled() => {
                            let error = crate::runner::interrupted();
                            return if maybe { End::Unknown(error) } else { End::Failed(error) };
                        }
                    }
                }
            }
        }
    }

    /// Books what came back.
    fn settle_ends(&self, delivery: &Delivery<'_>, ends: Vec<(Parcel, End)>) -> Result<()> {
        let account = &self.accounts[delivery.node];
        let mut rejects = Vec::new();
        let mut fail = None;
        for (parcel, end) in ends {
            match end {
                End::Delivered(fields) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.rows_out, 1);
                    book(&account.calls, 1);
                    delivery.result(&parcel, "delivered", None, fields)?;
                }
                End::Refused(message) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.calls, 1);
                    delivery.result(&parcel, "refused", Some(&message), Record::new())?;
                    if delivery.sink.on_error == OnError::Fail {
                        fail = Some(Error::data(format!("the record was refused: {message}")));
                    }
                    rejects.push(refused(parcel, message));
                }
                End::Unknown(error) => {
                    book(&account.unknown, 1);
                    delivery.result(&parcel, "unknown", Some(&error.message), Record::new())?;
                    let key = Json::Object(parcel.key.clone());
                    let message = format!("{key} was sent and its outcome is unknown; it is held: {}", error.message);
                    self.warn(delivery.node, message);
                    if delivery.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= UNANSWERED {
                        let message =
                            format!("{UNANSWERED} records in a row had no clear answer, the last: {}", error.message);
                        fail = Some(
                            Error::passing(message).help("the other system seems to be down; run again when it is up"),
                        );
                    }
                }
                End::Failed(_) | End::NotSent => {}
            }
        }
        self.reject(delivery.node, rejects)?;
        fail.map_or(Ok(()), Err)
    }
}

/// A reject that names the record by its key.
fn refused(parcel: Parcel, message: String) -> NewReject {
    let names: Vec<&str> = parcel.key.keys().map(String::as_str).collect();
    let is_whole = parcel.key == parcel.payload;
    let value = match parcel.key.values().next() {
        Some(value) if names.len() == 1 => value.clone(),
        _ => Json::Object(parcel.key.clone()),
    };
    // Without a key of its own a record is known by all of itself, which is no name for a field.
    let field = (!is_whole).then(|| names.join(", "));
    NewReject { step: None, field, value: Some(value), reason: message, row: parcel.row }
}

fn finish_results(results: Mutex<Results>) -> Result<Stage> {
    let results = results.into_inner().map_err(|_| Error::bug("a thread of the run panicked"))?;
    results.writer.finish()
}

/// What is to be done with a record, given what the journal knows.
enum Judgement {
    Send,
    Unchanged(Record),
    Changed(String),
    Held(String),
}

impl Delivery<'_> {
    fn judge(&self, parcel: &Parcel, receipt: Option<&Receipt>) -> Judgement {
        let Some(receipt) = receipt else {
            return Judgement::Send;
        };
        let resend = self.operation.info().idempotent || self.sink.on_unknown == OnUnknown::Resend;
        if !receipt.outcome.is_settled() && !resend {
            return Judgement::Held(format!("its outcome is unknown since run {}", receipt.run));
        }
        if receipt.holds(&parcel.payload_hash) {
            let fields = receipt.confirmed.as_ref().and_then(|confirmed| confirmed.fields.as_object());
            return Judgement::Unchanged(fields.cloned().unwrap_or_default());
        }
        match &receipt.confirmed {
            Some(confirmed) if self.operation.info().kind == OperationKind::Create => Judgement::Changed(format!(
                "this key was delivered by run {} with other content, and {} can only create",
                confirmed.run,
                self.operation.info().name
            )),
            _ => Judgement::Send,
        }
    }

    fn result(&self, parcel: &Parcel, outcome: &str, message: Option<&str>, fields: Record) -> Result<()> {
        let Some(results) = &self.results else {
            return Ok(());
        };
        let mut row = fields;
        if !self.sink.key.is_empty() {
            row.extend(parcel.key.clone());
        }
        row.insert("outcome".into(), outcome.into());
        row.insert("message".into(), message.into());
        lock(results)?.rows.push(row);
        Ok(())
    }

    fn write_results(&self) -> Result<()> {
        let Some(results) = &self.results else {
            return Ok(());
        };
        let mut results = lock(results)?;
        let rows = std::mem::take(&mut results.rows);
        let (frame, bad) = rows_to_frame(&rows, &results.columns).map_err(Error::bug)?;
        if let Some(bad) = bad.first() {
            let message = format!("the answer's field `{}` is not as described: {}", bad.column, bad.reason);
            return Err(Error::data(message).help("correct the type of the field under `results` of the definition"));
        }
        results.writer.push(frame)
    }
}

/// Keeps requests apart, so that no more than so many go out in so many seconds.
struct Pace {
    gap: Option<Duration>,
    next: tokio::sync::Mutex<tokio::time::Instant>,
}

impl Pace {
    fn new(rate: Option<Rate>) -> Self {
        let gap = rate
            .filter(|rate| rate.requests > 0.0)
            .map(|rate| Duration::from_secs_f64(rate.per_seconds / rate.requests));
        Self { gap, next: tokio::sync::Mutex::new(tokio::time::Instant::now()) }
    }

    async fn wait(&self) {
        let Some(gap) = self.gap else { return };
        let at = {
            let mut next = self.next.lock().await;
            let at = (*next).max(tokio::time::Instant::now());
            *next = at + gap;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}
