//! `towpath rejects replay`.

use super::{run, runs};
use crate::args::{ReplayArgs, RunArgs, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::{screen, table, world};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;
use towpath_connector::{MASK, Registry};
use towpath_plan::Plan;
use towpath_run::{Replay, Status};
use towpath_state::{RejectFilter, RunId, RunSummary, Store};

/// Rejects that are to be replayed.
pub struct TakenUp {
    run: RunSummary,
    node: Option<String>,
}

/// Replays the rejects of a run, or of all runs of a pipeline; each in a run of its own.
pub fn replay(args: &ReplayArgs, store: &Store, shared: &Shared) -> Ended {
    let due = match &args.run {
        Some(name) => {
            let name = runs::resolve(store, Some(name))?.unwrap_or_default();
            vec![store.run(&name)?.summary]
        }
        None => of_pipeline(args, store, shared)?,
    };
    let runtime = world::runtime()?;
    let cancel = CancellationToken::new();
    runtime.block_on(async {
        world::stop_on_signals(cancel.clone());
        let mut worst = 0;
        for run in due {
            let (code, interrupted) = match one(run, args, shared, cancel.clone()).await {
                Ok(status) => (status.exit_code(), status == Status::Interrupted),
                // The rejects of other runs are not to blame.
                Err(failure) => (failure.tell(shared), false),
            };
            worst = run::worse(worst, code);
            if interrupted {
                break;
            }
        }
        Ok(ExitCode::from(worst))
    })
}

async fn one(
    run: RunSummary,
    args: &ReplayArgs,
    shared: &Shared,
    cancel: CancellationToken,
) -> Result<Status, Failure> {
    let (file, shared) = as_it_was(&run, args, shared)?;
    let taken = TakenUp { run, node: args.node.clone() };
    run::one(&run_args(args), &shared, &file, Some(&taken), cancel).await
}

/// The runs of a pipeline that have open rejects, the oldest first: those against stand-ins, or the others.
fn of_pipeline(args: &ReplayArgs, store: &Store, shared: &Shared) -> Result<Vec<RunSummary>, Failure> {
    let file = args.pipeline.as_deref().unwrap_or(Path::new(""));
    let (pipeline, _) = Workspace::around(file)?.pipeline(file)?;
    let name = pipeline.map(|pipeline| pipeline.name.value).unwrap_or_default();
    let open = RejectFilter { pipeline: Some(&name), node: args.node.as_deref(), ..RejectFilter::default() };
    let mut found: Vec<RunId> = store.find_rejects(open, usize::MAX)?.into_iter().map(|reject| reject.run).collect();
    found.sort_unstable();
    found.dedup();
    let mut due = Vec::new();
    for run in found {
        let summary = store.run(run.as_str())?.summary;
        let (environment, of_stand_ins) = towpath_run::environment(&summary.start.scope);
        if of_stand_ins == args.sandbox && shared.env.as_ref().is_none_or(|env| environment == env) {
            due.push(summary);
        }
    }
    if due.is_empty() {
        let of = if args.sandbox { " of runs against stand-ins" } else { "" };
        eprintln!("pipeline `{name}` has no open rejects{of}");
    }
    Ok(due)
}

/// The file, environment and parameters of a run, where the command line does not say otherwise.
fn as_it_was(run: &RunSummary, args: &ReplayArgs, shared: &Shared) -> Result<(PathBuf, Shared), Failure> {
    let file = args.pipeline.clone().unwrap_or_else(|| PathBuf::from(&run.start.pipeline_file));
    let mut shared = shared.clone();
    let (environment, of_stand_ins) = towpath_run::environment(&run.start.scope);
    if of_stand_ins && !args.sandbox {
        let message = format!("run {} was against stand-ins", run.start.id);
        return Err(Failure::usage(message, "add `--sandbox`, and what else was said of them"));
    }
    if shared.env.is_none() && !environment.is_empty() {
        shared.env = Some(environment.to_owned());
    }
    for (name, value) in run.start.params.as_object().into_iter().flatten() {
        if value.is_null() || shared.params.iter().any(|(known, _)| known == name) {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if text == MASK {
            let message = format!("the value that run {} had for the parameter `{name}` is a secret", run.start.id);
            return Err(Failure::usage(message, format!("say it again: `--param {name}=…`")));
        }
        shared.params.push((name.clone(), text));
    }
    Ok((file, shared))
}

fn run_args(args: &ReplayArgs) -> RunArgs {
    RunArgs {
        resume: None,
        pipelines: Vec::new(),
        sandbox: args.sandbox,
        full_refresh: true,
        limit: None,
        explain: false,
        plan: None,
        keep_stage: false,
        timeout: args.timeout,
        seed: args.seed.clone(),
    }
}

impl TakenUp {
    /// What can be replayed; what cannot is named. None if nothing can.
    pub fn replay(&self, store: &Store, plan: &Plan, registry: &Registry) -> Result<Option<Replay>, Failure> {
        let start = &self.run.start;
        let open = RejectFilter { run: Some(start.id.as_str()), node: self.node.as_deref(), ..RejectFilter::default() };
        let rejects = store.find_rejects(open, usize::MAX)?;
        if rejects.is_empty() {
            let of = self.node.as_ref().map(|node| format!(" of `{node}`")).unwrap_or_default();
            let message = format!("run {} has no open rejects{of}", start.id);
            return Err(Failure::usage(message, "`towpath rejects list` shows those that are open"));
        }
        let (replay, left_out) = Replay::of(plan, registry, (start.id, start.scope.clone()), rejects);
        for left in left_out {
            let rows = table::grouped(left.rows as u64);
            let is = if left.rows == 1 { "reject is" } else { "rejects are" };
            screen::warning(&format!("{rows} {is} not replayed, of `{}`: {}", left.node, left.why));
        }
        if replay.rows() == 0 {
            screen::error(&format!("no reject of run {} can be replayed", start.id), None);
            return Ok(None);
        }
        Ok(Some(replay))
    }
}
