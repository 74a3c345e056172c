//! A run from lock to record.

use crate::accounts::NodeReport;
use crate::desk::Page;
use crate::error::{NodeError, RunError, state_error};
use crate::event::Event;
use crate::intake::Earlier;
use crate::rejects::lock as guard;
use crate::replay::Replay;
use crate::resuming;
use crate::runner::{Mode, Options, Runner, World};
use chrono::Utc;
use serde_json::Value as Json;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use towpath_connector::{Error, MASK, Result, boundary, redact, redact_json};
use towpath_plan::{NodeKind, Output, Plan, StepPlan};
use towpath_spec::document::MaxRejects;
use towpath_state::{
    Entries, Lock, LockError, NodeRecord, Receipt, Reject, RunId, RunOutcome, RunStart, RunStatus, Scope, Store,
};

/// Runs of a pipeline that are looked at for what they loaded.
const UNSETTLED_RUNS: usize = 1_000;

/// Runs of a pipeline whose rejects are kept.
const KEPT_RUNS: usize = 30;

/// Runs of a pipeline whose open rejects are kept: nobody has taken them up yet.
const KEPT_OPEN: usize = 1_000;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Done,
    /// Done, but rejects are above a limit or outcomes are unknown.
    Rejects,
    /// It failed.
    Failed,
    /// It failed for a passing reason.
    FailedPassing,
    /// It was asked to stop and did so in order.
    Interrupted,
}

impl Status {
    /// The exit code of the command.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Rejects => 3,
            Self::FailedPassing => 75,
            Self::Interrupted => 130,
        }
    }
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its name.
    pub run: String,
    /// What it is remembered under.
    pub scope: Scope,
    /// How it ended.
    pub status: Status,
    /// What each node did.
    pub nodes: Vec<NodeReport>,
    /// The nodes that failed.
    pub errors: Vec<NodeError>,
    /// What is to be told beside: limits that were passed.
    pub remarks: Vec<String>,
}

/// Whether this was built to measure what the journal costs (`TOWPATH_WITHOUT_JOURNAL=1 cargo build`, see `benches/`): then
/// nothing is known of what was sent. No build for use has that.
const WITHOUT_JOURNAL: bool = option_env!("TOWPATH_WITHOUT_JOURNAL").is_some();

/// State as one run sees it: everything it writes carries its lock.
pub(crate) struct StateAccess {
    store: Store,
    lock: Lock,
    scope: Scope,
    run: RunId,
    earlier: Option<Earlier>,
}

impl StateAccess {
    /// The run that is gone on with.
    pub fn earlier(&self) -> Option<&Earlier> {
        self.earlier.as_ref()
    }

    /// What tells this state from another, before this run.
    pub fn basis(&self) -> Result<String> {
        crate::promise::state_of(&self.store, &self.scope, &self.run)
    }

    pub fn cursor(&self, node: &str) -> Result<Option<Json>> {
        self.store.cursor(&self.scope, node).map_err(|error| state_error(&error))
    }

    /// Runs of this pipeline since the last one after which its cursors moved.
    pub fn unsettled(&self) -> Result<Vec<String>> {
        let runs = self.store.runs_of(&self.scope, UNSETTLED_RUNS).map_err(|error| state_error(&error))?;
        let is_done = |run: &towpath_state::RunSummary| {
            run.outcome.as_ref().is_some_and(|outcome| outcome.status == RunStatus::Done)
        };
        let ours = runs.into_iter().filter(|run| run.start.id != self.run);
        // A replay reads no sources: it settles what it did itself, and nothing of the runs before it.
        let open = ours.take_while(|run| !is_done(run) || run.replays.is_some()).filter(|run| !is_done(run));
        Ok(open.map(|run| run.start.id.to_string()).collect())
    }

    pub fn add_rejects(&self, rejects: Vec<Reject>) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let rejects: Vec<Reject> = rejects.into_iter().map(redacted).collect();
        self.store.add_rejects(&self.run, &rejects).map_err(|error| state_error(&error))
    }

    /// Closes what an earlier run has rejected as well, row by row; the rejects of this run are on disk.
    fn close_repeated_rejects(&self) -> Result<()> {
        self.store.close_repeated_rejects(&self.lock, &self.scope).map(drop).map_err(|error| state_error(&error))
    }

    /// A replay has ended: what it took up is closed, or, if it did not end well, is as if it had not been taken up.
    fn end_replay(&self, replay: &Replay, well: bool) -> Result<()> {
        let ended = if well {
            self.store.close_rejects(&self.lock, &self.scope, &replay.ids)
        } else {
            self.store.drop_rejects(&self.lock, &self.scope)
        };
        ended.map(drop).map_err(|error| state_error(&error))
    }

    pub fn sent_before(&self, sink: &str, target: &str, keys: &[[u8; 16]]) -> Result<Vec<Option<Receipt>>> {
        if WITHOUT_JOURNAL {
            return Ok(vec![None; keys.len()]);
        }
        self.store.sent_before(&self.scope, sink, target, keys).map_err(|error| state_error(&error))
    }

    /// Writes receipts, withdrawals and intents of a sink in one transaction; all are on disk when it returns.
    pub fn journal(&self, sink: &str, target: &str, mut page: Page) -> Result<()> {
        if WITHOUT_JOURNAL {
            return Ok(());
        }
        // A record is known by its hash: what is shown of its key may be masked.
        page.intents.iter_mut().for_each(|intent| redact_json(&mut intent.key));
        for receipt in &mut page.receipts {
            redact_json(&mut receipt.fields);
            receipt.message = receipt.message.take().map(|message| redact(&message));
        }
        let entries = Entries { intents: &page.intents, receipts: &page.receipts, withdrawn: &page.withdrawn };
        boundary("before-journal");
        let journalled = self.store.journal(&self.lock, &self.scope, sink, target, &self.run, entries);
        boundary("after-journal");
        journalled.map_err(|error| state_error(&error))
    }

    fn set_cursors(&self, cursors: &[(String, Json)]) -> Result<()> {
        let cursors: Vec<(&str, Json)> = cursors.iter().map(|(node, value)| (node.as_str(), value.clone())).collect();
        boundary("before-cursors");
        let moved = self.store.set_cursors(&self.lock, &self.scope, &cursors);
        boundary("after-cursors");
        moved.map_err(|error| state_error(&error))
    }
}

/// A secret that came in with the data of a reject does not stay in it.
fn redacted(mut reject: Reject) -> Reject {
    redact_json(&mut reject.row);
    reject.reason = redact(&reject.reason);
    reject.value.iter_mut().for_each(redact_json);
    reject
}

/// Carries out a plan.
///
/// # Errors
/// When it could not start, or state could not be written; everything else is in the outcome.
pub async fn run(
    plan: Arc<Plan>,
    options: Options,
    world: World,
    store: Store,
    pipeline_file: &str,
    version: &str,
) -> std::result::Result<Outcome, RunError> {
    crate::missing::nothing_missing(&plan, &world).map_err(RunError::NotStarted)?;
    let closed = towpath_state::private::folder(&options.stages);
    closed.map_err(|error| RunError::NotStarted(Error::from(error).at(options.stages.display())))?;
    if WITHOUT_JOURNAL {
        let message = "this was built without a journal, for measurements alone: all is sent again".to_owned();
        world.observer.event(Event::Warning { node: "run".to_owned(), message });
    }
    let mut state = start(&plan, &options, &world, store.clone(), pipeline_file, version)?;
    // A replay reads no source, and leaves what others read to whoever goes on with it.
    if options.replay.is_none() {
        let found = resuming::earlier(&store, &state.scope, &state.run, &options);
        match found.and_then(|found| resuming::take_over(found, &store, &state.scope, &state.run, &options.stages)) {
            Ok(earlier) => state.earlier = earlier,
            Err(error) => return not_begun(&store, &state.run, error),
        }
    }
    let id = state.run;
    let keep_stage = options.keep_stage;
    let stages = options.stages.join(&options.run);
    let runner = Runner::new(plan, Mode::Run, options, world, Some(state));
    let mut errors = sinks(&runner).await;
    // A cursor moves last: behind it nothing is read again, so that everything before it must be on disk.
    if let Err(error) = runner.flush_rejects() {
        errors.push(NodeError { node: "rejects".into(), error });
    }
    let settled = if errors.is_empty() { settle(&runner) } else { Ok(()) };
    if let Err(error) = settled {
        errors.push(NodeError { node: "run".into(), error });
    }
    if let Err(error) = close_rejects(&runner, errors.is_empty()) {
        errors.push(NodeError { node: "rejects".into(), error });
    }
    runner.tell_doubtful();
    let outcome = conclude(&runner, errors);
    boundary("before-record");
    // First of all: it makes room for what is still to be recorded.
    if !keep_stage {
        resuming::leave(&stages, outcome.status);
    }
    record(&store, &id, &outcome).map_err(|error| RunError::State(state_error(&error)))?;
    // Journal and cursors are for ever; rejects of runs long past are not. If it fails now, the next run will do it.
    let _ = store.prune(KEPT_RUNS, KEPT_OPEN);
    // Tasks that are not done yet may still hold the lock, and the process may end before they do.
    if let Some(state) = &runner.state {
        let _ = state.lock.let_go();
    }
    Ok(outcome)
}

pub(crate) fn start(
    plan: &Plan,
    options: &Options,
    world: &World,
    store: Store,
    pipeline_file: &str,
    version: &str,
) -> std::result::Result<StateAccess, RunError> {
    let run: RunId = options
        .run
        .parse()
        .map_err(|_| RunError::NotStarted(Error::bug(format!("`{}` is not the name of a run", options.run))))?;
    let scope = crate::scope::scope(plan, world);
    if let Some(replay) = options.replay.as_ref().filter(|replay| replay.scope != scope) {
        let message = format!("run {} was of {}, and this would be {scope}", replay.of, replay.scope);
        let help = "say the same `--env`, and of stand-ins the same as then, or run the pipeline again";
        return Err(RunError::NotStarted(Error::user(message).help(help)));
    }
    let lock = store.lock(&scope, &run).map_err(|error| match &error {
        LockError::Held { .. } => RunError::Locked(Error::user(error.to_string()).help(error.help())),
        LockError::State(inner) => RunError::State(state_error(inner)),
    })?;
    if let Some(promise) = &options.promise {
        // Under the lock: nobody changes it any more.
        let now = crate::promise::state_of(&store, &scope, &run).map_err(RunError::NotStarted)?;
        if now != promise.state {
            let message = format!("the state of {scope} is not what it was when the plan was made");
            let help = "a run, or a command on state, came between; make the plan again, and look at it";
            return Err(RunError::NotStarted(Error::user(message).help(help)));
        }
    }
    let params: serde_json::Map<String, Json> = plan
        .params
        .iter()
        .map(|param| {
            let value = param.value.as_ref().map_or(Json::Null, |value| value.to_json());
            let hidden = plan.feeds_secret(&param.field.name) && !value.is_null();
            (param.field.name.clone(), if hidden { MASK.into() } else { value })
        })
        .collect();
    let begun = RunStart {
        id: run,
        scope: scope.clone(),
        pipeline_file: pipeline_file.to_owned(),
        started_at: Utc::now(),
        params: Json::Object(params),
        towpath_version: version.to_owned(),
    };
    store
        .begin_run(&begun)
        .and_then(|()| options.replay.as_ref().map_or(Ok(()), |replay| store.mark_replay(&run, &replay.of)))
        .map_err(|error| RunError::State(state_error(&error)))?;
    Ok(StateAccess { store, lock, scope, run, earlier: None })
}

/// Ends a run that cannot begin, as there is nothing to go on with.
fn not_begun(store: &Store, run: &RunId, error: Error) -> std::result::Result<Outcome, RunError> {
    let failed = RunOutcome {
        status: RunStatus::Failed,
        exit_code: Some(i32::from(Status::Failed.exit_code())),
        finished_at: Utc::now(),
        error: Some(error.message.clone()),
    };
    store.finish_run(run, &failed, &[]).map_err(|error| RunError::State(state_error(&error)))?;
    Err(RunError::NotStarted(error))
}

/// Runs all sinks side by side, as many as the pipeline's limit lets; those that do not hang together go on when one
/// fails.
async fn sinks(runner: &Arc<Runner>) -> Vec<NodeError> {
    let side_by_side = runner.plan.limits.concurrency.unwrap_or(Semaphore::MAX_PERMITS);
    // What a sink needs of another one it asks for itself, so that none waits for one that has no turn.
    let turns = Arc::new(Semaphore::new(side_by_side));
    let mut running = JoinSet::new();
    for (node, planned) in runner.plan.nodes.iter().enumerate() {
        let due = runner.options.replay.as_ref().is_none_or(|replay| replay.reaches(node));
        if matches!(planned.kind, NodeKind::Sink(_)) && due {
            let (runner, turns) = (runner.clone(), turns.clone());
            running.spawn(async move {
                // The semaphore is never closed.
                let _turn = turns.acquire().await.ok();
                (node, runner.deliver_once(node).await)
            });
        }
    }
    let mut errors: Vec<NodeError> = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (node, error) = match ended {
            Ok((_, Ok(_))) => continue,
            Ok((node, Err(error))) => (runner.plan.nodes[runner.origin_of(&error, node)].name.clone(), error),
            Err(panic) => ("run".to_owned(), Error::bug(format!("a task panicked: {panic}"))),
        };
        // A node that several sinks need fails once.
        if !errors.iter().any(|known| known.error.message == error.message) {
            runner.tell(Event::Failed { node: node.clone(), error: error.clone() });
            errors.push(NodeError { node, error });
        }
    }
    errors
}

/// Everything is delivered: the books are checked, then the cursors move.
fn settle(runner: &Arc<Runner>) -> Result<()> {
    for (node, planned) in runner.plan.nodes.iter().enumerate() {
        let counts = runner.accounts[node].counts();
        if !counts.balances() {
            let message = format!("the books of `{}` do not balance: {counts:?}", planned.name);
            return Err(Error::bug(message));
        }
    }
    // A replay has read no source: what it gave is not what its readers took, and no cursor has moved.
    if runner.options.replay.is_some() {
        return Ok(());
    }
    edges(runner)?;
    // Where something is in doubt or too much was refused, it is read again: what was delivered is not sent twice.
    if !remarks(runner).is_empty() {
        return Ok(());
    }
    let cursors = std::mem::take(&mut *guard(&runner.cursors)?);
    match &runner.state {
        Some(state) if !cursors.is_empty() => state.set_cursors(&cursors),
        _ => Ok(()),
    }
}

/// Closes the rejects that this run has taken up, or given again.
fn close_rejects(runner: &Runner, well: bool) -> Result<()> {
    let Some(state) = &runner.state else { return Ok(()) };
    match &runner.options.replay {
        Some(replay) => state.end_replay(replay, well),
        None => state.close_repeated_rejects(),
    }
}

/// What a node gave is what its readers took. A step that stops early is content with less, so that then nothing is said.
fn edges(runner: &Runner) -> Result<()> {
    let plan = &runner.plan;
    let stops_early = |node: &NodeKind| match node {
        NodeKind::Transform(transform) => transform
            .steps
            .iter()
            .any(|step| matches!(step.plan, StepPlan::Limit(_) | StepPlan::Join(_) | StepPlan::Sql(_))),
        _ => false,
    };
    if runner.options.limit.is_some() || plan.nodes.iter().any(|node| stops_early(&node.kind)) {
        return Ok(());
    }
    for (at, node) in plan.nodes.iter().enumerate() {
        let input = match &node.kind {
            NodeKind::Source(_) => continue,
            NodeKind::Transform(transform) => transform.input,
            NodeKind::Sink(sink) => sink.input,
        };
        if input.output != Output::Rows || !runner.accounts[at].has_started() {
            continue;
        }
        let (given, taken) = (runner.accounts[input.node].counts().rows_out, runner.accounts[at].counts().rows_in);
        if given != taken {
            let from = &plan.nodes[input.node].name;
            return Err(Error::bug(format!("`{from}` gave {given} rows and `{}` took {taken}", node.name)));
        }
    }
    Ok(())
}

fn conclude(runner: &Runner, errors: Vec<NodeError>) -> Outcome {
    let nodes: Vec<NodeReport> = (0..runner.plan.nodes.len())
        .filter(|node| runner.accounts[*node].has_started())
        .map(|node| {
            runner.accounts[node].stop_if_running();
            runner.report(node)
        })
        .collect();
    let remarks = remarks(runner);
    let status = if runner.cancel.is_cancelled() && !errors.is_empty() {
        Status::Interrupted
    } else if errors.iter().any(|failed| !failed.error.is_passing()) {
        Status::Failed
    } else if !errors.is_empty() {
        Status::FailedPassing
    } else if !remarks.is_empty() {
        Status::Rejects
    } else {
        Status::Done
    };
    let scope = crate::scope::scope(&runner.plan, &runner.world);
    Outcome { run: runner.options.run.clone(), scope, status, nodes, errors, remarks }
}

/// Limits that were passed. A sink's limit counts its own rejects and those of every node that leads to it.
fn remarks(runner: &Runner) -> Vec<String> {
    let mut remarks = Vec::new();
    for (node, planned) in runner.plan.nodes.iter().enumerate() {
        let NodeKind::Sink(sink) = &planned.kind else {
            continue;
        };
        let counts = runner.accounts[node].counts();
        if counts.unknown > 0 {
            let (has, is) = if counts.unknown == 1 { ("has", "is") } else { ("have", "are") };
            let records = count(counts.unknown, "record");
            remarks.push(format!("of `{}`, {records} {has} an unknown outcome and {is} held", planned.name));
        }
        if counts.filtered > 0 {
            let records = count(counts.filtered, "record");
            remarks.push(format!("of `{}`, {records} not in the plan: left for a later run", planned.name));
        }
        let Some(limit) = sink.max_rejects else {
            continue;
        };
        let upstream = runner.plan.upstream(node);
        let rejected: u64 =
            counts.rejected + upstream.iter().map(|node| runner.accounts[*node].counts().rejected).sum::<u64>();
        let rows = counts.rows_in + rejected - counts.rejected;
        let (over, allowed) = match limit {
            MaxRejects::Rows(rows) => (rejected > rows, rows.to_string()),
            // More than so many in a hundred of all rows that were on their way to this sink.
            MaxRejects::Percent(percent) => (rejected as f64 * 100.0 > percent * rows as f64, format!("{percent}%")),
        };
        if over {
            remarks.push(format!(
                "{} on the way to `{}` {} its limit of {allowed} (of {})",
                count(rejected, "reject"),
                planned.name,
                if rejected == 1 { "passes" } else { "pass" },
                count(rows, "row")
            ));
        }
    }
    remarks
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn record(store: &Store, run: &RunId, outcome: &Outcome) -> towpath_state::Result<()> {
    let nodes: Vec<NodeRecord> = outcome
        .nodes
        .iter()
        .map(|report| NodeRecord {
            node: report.node.clone(),
            kind: report.kind.to_owned(),
            rows_in: report.counts.rows_in,
            rows_out: report.counts.rows_out,
            filtered: report.counts.filtered,
            rejected: report.counts.rejected,
            skipped: report.counts.skipped,
            bytes: report.counts.bytes,
            millis: report.counts.millis,
            extra: serde_json::json!({
                "merged": report.counts.merged,
                "added": report.counts.added,
                "unknown": report.counts.unknown,
                "calls": report.counts.calls,
            }),
        })
        .collect();
    let status = match outcome.status {
        Status::Done => RunStatus::Done,
        Status::Rejects => RunStatus::Rejects,
        Status::Failed | Status::FailedPassing => RunStatus::Failed,
        Status::Interrupted => RunStatus::Interrupted,
    };
    let error = outcome.errors.first().map(|failed| failed.error.message.clone());
    let ended =
        RunOutcome { status, exit_code: Some(i32::from(outcome.status.exit_code())), finished_at: Utc::now(), error };
    store.finish_run(run, &ended, &nodes)
}
