//! What all parts of a run share.

use crate::accounts::{Account, NodeReport};
use crate::clock::Clock;
use crate::connect::Connections;
use crate::deliver::Deliveries;
use crate::event::{Event, Observer};
use crate::rejects::{Rejects, lock};
use crate::retry::RetryPolicy;
use crate::stage::Stage;
use chrono::{DateTime, Utc};
use polars::prelude::{PolarsError, polars_err};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use towpath_connector::{Error, Fault, Registry, Result};
use towpath_mapping::{Constants, RunFacts};
use towpath_plan::{NodeKind, Plan, Port};

/// Gives the value of a name, if it has one.
pub type Values = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What is outside of a plan: connectors, values that differ from machine to machine, and those who watch.
#[derive(Clone)]
pub struct World {
    /// The connectors.
    pub registry: Registry,
    /// Values of `env.NAME`.
    pub env: Values,
    /// Values of `secret.NAME`.
    pub secret: Values,
    /// What takes the place of a connection's system, by the connection's name.
    pub overrides: BTreeMap<String, StandIn>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Asks the run to stop in order.
    pub cancel: CancellationToken,
    /// Its time.
    pub clock: Arc<dyn Clock>,
}

impl World {
    /// What a variable (`env`) or secret (`secret`) holds, if it is set; `None` for names of another kind.
    pub(crate) fn outside(&self, root: &str, name: &str) -> Option<Option<String>> {
        match root {
            "env" => Some((self.env)(name)),
            "secret" => Some((self.secret)(name)),
            _ => None,
        }
    }
}

/// A stand-in in the place of a system.
#[derive(Debug, Clone)]
pub struct StandIn {
    /// What the journal knows it by, whatever port it listens on.
    pub(crate) identity: String,
    /// Settings laid over those of the connection.
    pub(crate) settings: Vec<(String, String)>,
}

impl StandIn {
    /// One of a world of stand-ins, with the settings that lead to it.
    pub fn new(world: &str, settings: Vec<(String, String)>) -> Self {
        Self { identity: format!("{} {world}", crate::scope::STAND_INS), settings }
    }
}

/// What a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    Run,
    /// Reads only: sinks are not run, state is not touched.
    Preview,
    /// Reads what a run would read, and finds out what its sinks would do.
    Plan,
}

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of the run.
    pub run: String,
    /// The time `now()` gives, fixed for the whole run.
    pub now: DateTime<Utc>,
    /// At most so many rows of each source; no cursor is kept then.
    pub limit: Option<u64>,
    /// Reads everything, whatever the cursors say.
    pub full_refresh: bool,
    /// The run to go on with, by its name or the beginning of it; the one before, where that makes sense, when none.
    pub resume: Option<String>,
    /// Keeps the stages.
    pub keep_stage: bool,
    /// The folder for stages.
    pub stages: PathBuf,
    /// When requests are tried again.
    pub retry: RetryPolicy,
    /// How long a request may take without a byte coming back, whatever connections say.
    pub timeout: Option<Duration>,
    /// The plan it is held to.
    pub promise: Option<Arc<crate::promise::Promise>>,
    /// The rejects of an earlier run, which take the place of what sources give.
    pub replay: Option<Arc<crate::replay::Replay>>,
}

/// A run in progress.
pub(crate) struct Runner {
    pub plan: Arc<Plan>,
    pub mode: Mode,
    pub options: Options,
    pub constants: Arc<Constants>,
    pub accounts: Vec<Account>,
    pub rejects: Rejects,
    pub connections: Connections,
    pub state: Option<crate::run::StateAccess>,
    pub world: World,
    pub cancel: CancellationToken,
    pub retry: RetryPolicy,
    pub deliveries: Deliveries,
    /// What sinks would do, by their nodes.
    pub planned: Mutex<BTreeMap<usize, crate::planned::SinkPlan>>,
    /// The records they would send, by their names.
    pub sends: Mutex<BTreeMap<String, Vec<[u8; 16]>>>,
    pub cursors: Mutex<Vec<(String, serde_json::Value)>>,
    /// Checks of scanned files that go on beside their scans, by the nodes of the sources.
    pub checks: Mutex<Vec<(usize, crate::scan::Checking)>>,
    /// Sources that are open and not yet read, by their nodes.
    pub opened: Mutex<HashMap<usize, towpath_connector::Source>>,
    outputs: Mutex<HashMap<Port, Arc<OnceCell<Result<Stage>>>>>,
    origins: Mutex<HashMap<String, usize>>,
    doubtful: Mutex<BTreeMap<(usize, String), usize>>,
    failures: Mutex<Vec<(usize, Error)>>,
    folders: AtomicU64,
}

impl Runner {
    pub fn new(
        plan: Arc<Plan>,
        mode: Mode,
        options: Options,
        world: World,
        state: Option<crate::run::StateAccess>,
    ) -> Arc<Self> {
        let params = plan
            .params
            .iter()
            .map(|param| (param.field.name.clone(), param.value.clone().unwrap_or_default()))
            .collect();
        let facts = RunFacts { id: options.run.clone(), pipeline: plan.pipeline.clone(), now: options.now };
        let retry = RetryPolicy { retries: plan.limits.retries, ..options.retry };
        Arc::new(Self {
            mode,
            constants: Arc::new(Constants { params, run: facts }),
            accounts: plan.nodes.iter().map(|_| Account::default()).collect(),
            rejects: Rejects::default(),
            connections: Connections::new(plan.connections.len()),
            state,
            cancel: world.cancel.clone(),
            retry,
            deliveries: Deliveries::default(),
            planned: Mutex::default(),
            sends: Mutex::default(),
            cursors: Mutex::default(),
            checks: Mutex::default(),
            opened: Mutex::default(),
            outputs: Mutex::default(),
            origins: Mutex::default(),
            doubtful: Mutex::default(),
            failures: Mutex::default(),
            folders: AtomicU64::new(0),
            plan,
            options,
            world,
        })
    }

    pub fn tell(&self, event: Event) {
        self.world.observer.event(event);
    }

    pub fn note(&self, node: usize, message: impl Into<String>) {
        let message = towpath_connector::redact(&message.into());
        self.tell(Event::Note { node: self.plan.nodes[node].name.clone(), message });
    }

    pub fn warn(&self, node: usize, message: impl Into<String>) {
        let message = towpath_connector::redact(&message.into());
        self.tell(Event::Warning { node: self.plan.nodes[node].name.clone(), message });
    }

    /// Counts rows for which a check that only warns does not hold.
    pub fn doubtful(&self, node: usize, check: &str, rows: usize) {
        if let Ok(mut doubtful) = self.doubtful.lock() {
            *doubtful.entry((node, check.to_owned())).or_default() += rows;
        }
    }

    /// Tells of the checks that only warn.
    pub fn tell_doubtful(&self) {
        let doubtful = self.doubtful.lock().map(|mut doubtful| std::mem::take(&mut *doubtful)).unwrap_or_default();
        for ((node, check), rows) in doubtful {
            let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
            self.warn(node, format!("check `{check}` does not hold for {rows}"));
        }
    }

    /// Tells that rows went through a node.
    pub fn progress(&self, node: usize, rows: usize) {
        self.tell(Event::Rows { node: self.plan.nodes[node].name.clone(), rows: rows as u64 });
    }

    pub fn start(&self, node: usize) {
        if self.accounts[node].start() {
            let node = &self.plan.nodes[node];
            self.tell(Event::Started { node: node.name.clone(), kind: node.kind.name() });
        }
    }

    pub fn stop(&self, node: usize) {
        self.accounts[node].stop();
        self.tell(Event::Finished { report: self.report(node) });
    }

    pub fn report(&self, node: usize) -> NodeReport {
        let counts = self.accounts[node].counts();
        let node = &self.plan.nodes[node];
        let is_file = matches!(&node.kind, NodeKind::Sink(sink) if sink.operation.is_none());
        NodeReport { node: node.name.clone(), kind: node.kind.name(), is_file, counts }
    }

    /// The place in which an output that several read, or that is asked for twice, is kept once it is there.
    pub fn output(&self, port: Port) -> Result<Arc<OnceCell<Result<Stage>>>> {
        Ok(lock(&self.outputs)?.entry(port).or_default().clone())
    }

    /// A fresh folder for a stage of this run.
    pub fn stage_folder(&self, name: &str) -> PathBuf {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        self.options.stages.join(&self.options.run).join(format!("{number:03}-{name}"))
    }

    /// An error on its way through Polars, which carries only text.
    pub fn plan_error(&self, node: usize, error: Error) -> PolarsError {
        let number = self.failures.lock().map_or(0, |mut failures| {
            failures.push((node, error));
            failures.len() - 1
        });
        polars_err!(ComputeError: "towpath failure {}", number)
    }

    /// The error that came out of Polars: ours again, or Polars' own.
    pub fn out_of_plan(&self, error: PolarsError) -> Error {
        let text = error.to_string();
        let number = text.split("towpath failure ").nth(1).and_then(|rest| {
            rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse::<usize>().ok())
        });
        let ours = number.and_then(|number| {
            let failures = self.failures.lock().ok()?;
            failures.get(number).map(|(node, error)| (*node, error.clone()))
        });
        match ours {
            Some((node, error)) => self.blame(node, error),
            None => error.into(),
        }
    }

    /// Remembers the node an error came up at first.
    pub fn origin(&self, node: usize, error: &Error) {
        if let Ok(mut origins) = self.origins.lock() {
            origins.entry(error.message.clone()).or_insert(node);
        }
    }

    /// The node an error came up at; `otherwise` when nobody said so.
    pub fn origin_of(&self, error: &Error, otherwise: usize) -> usize {
        self.origins.lock().ok().and_then(|origins| origins.get(&error.message).copied()).unwrap_or(otherwise)
    }

    /// An error when the run was asked to stop.
    pub fn go_on(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(interrupted()) } else { Ok(()) }
    }
}

/// What every part of an interrupted run ends with.
pub(crate) fn interrupted() -> Error {
    Error::new(Fault::User, "interrupted")
}
