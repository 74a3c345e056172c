//! `towpath run`.

use super::rejects_replay::TakenUp;
use super::state_held;
use crate::args::{RunArgs, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::plan_file::{self, Basis};
use crate::secrets::Secrets;
use crate::stand_ins::{self, StandIns};
use crate::world;
use crate::{fields, progress, screen, summary};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use towpath_connector::Kind;
use towpath_plan::{Node, NodeKind, Plan};
use towpath_run::{Outcome, Status};

/// Runs pipelines one after the other; the worst exit code is the command's.
pub fn run(args: &RunArgs, shared: &Shared) -> Ended {
    if args.plan.is_some() && args.pipelines.len() > 1 {
        return Err(Failure::usage("a plan is of one pipeline", "name just that one beside `--plan`"));
    }
    // A mistake in the last file is found before the first one is run.
    for pipeline in args.pipelines.iter().skip(1) {
        Workspace::around(pipeline)?.plan_or_fail(pipeline, &Shared { quiet: true, ..shared.clone() })?;
    }
    let runtime = world::runtime()?;
    let cancel = CancellationToken::new();
    runtime.block_on(async {
        world::stop_on_signals(cancel.clone());
        let mut worst = 0;
        for pipeline in &args.pipelines {
            let (code, interrupted) = match one(args, shared, pipeline, None, cancel.clone()).await {
                Ok(status) => (status.exit_code(), status == Status::Interrupted),
                // The other pipelines are not to blame.
                Err(failure) => (failure.tell(shared), false),
            };
            worst = worse(worst, code);
            if interrupted {
                break;
            }
        }
        Ok(ExitCode::from(worst))
    })
}

/// Which of two exit codes says more.
pub fn worse(one: u8, other: u8) -> u8 {
    let rank = |code: u8| match code {
        0 => 0,
        3 => 1,
        75 => 2,
        1 => 3,
        _ => 4,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// Runs one pipeline, or replays rejects through it.
pub async fn one(
    args: &RunArgs,
    shared: &Shared,
    pipeline: &Path,
    rejects: Option<&TakenUp>,
    cancel: CancellationToken,
) -> Result<Status, Failure> {
    let mut workspace = Workspace::around(pipeline)?;
    let plan = workspace.plan_or_fail(pipeline, shared)?;
    if args.explain {
        fields::explain(&plan, shared.format);
    }
    world::params_given(&plan)?;
    let secrets = Secrets::read(shared.secrets.as_deref())?;
    let place = world::state_place(&plan, &workspace, shared, &secrets)?;
    let (folder, store) = (place.folder(), place.open()?);
    let replay = match rejects {
        None => None,
        Some(rejects) => match rejects.replay(&store, &plan, &workspace.registry)? {
            Some(replay) => Some(Arc::new(replay)),
            // What is left is not as it should be.
            None => return Ok(Status::Rejects),
        },
    };
    let mut options = towpath_run::Options {
        limit: args.limit,
        full_refresh: args.full_refresh,
        resume: args.resume.clone(),
        keep_stage: args.keep_stage,
        replay,
        ..world::options(shared, folder.join("stages"), args.timeout)
    };
    if let Some(path) = &args.plan {
        let file = plan_file::read(path)?;
        (options.now, options.limit) = (file.basis().now, file.basis().limit);
        let sandbox = args.sandbox.then(|| stand_ins::world(&args.seed));
        let basis = Basis::of(&workspace, &plan, sandbox, options.now, options.limit);
        options.promise = Some(Arc::new(file.promise(path, &basis)?));
    }
    let (stand_ins, overrides) = StandIns::if_wanted(args.sandbox, &plan, &args.seed, folder).await?;
    let observer = progress::observer(shared);
    let real = if args.sandbox { sinks_without_stand_in(&plan, &workspace) } else { Vec::new() };
    let world = world::world(&workspace, &secrets, overrides, observer, cancel);
    let file = pipeline.display().to_string();
    let ran = towpath_run::run(Arc::new(plan), options, world, store, &file, env!("CARGO_PKG_VERSION")).await;
    let stopped = match stand_ins {
        Some(stand_ins) => stand_ins.stop().await,
        None => Ok(()),
    };
    let outcome = ran?;
    report(&outcome, shared, args.sandbox, rejects.is_some());
    let written = |name: &String| outcome.nodes.iter().any(|node| node.node == *name && node.counts.rows_out > 0);
    let real: Vec<String> = real.into_iter().filter(written).map(|name| format!("`{name}`")).collect();
    if !real.is_empty() {
        let sinks = real.join(", ");
        screen::warning(&format!("{sinks}: the file or table the pipeline names holds records of stand-ins now"));
    }
    stopped?;
    Ok(outcome.status)
}

/// The sinks whose files and tables are the real ones also with `--sandbox`.
fn sinks_without_stand_in(plan: &Plan, workspace: &Workspace) -> Vec<String> {
    let is_real = |node: &&Node| match &node.kind {
        NodeKind::Sink(sink) => {
            let connector = workspace.registry.get(&plan.connections[sink.connection].connector);
            connector.is_some_and(|connector| connector.descriptor().kind != Kind::Api)
        }
        _ => false,
    };
    plan.nodes.iter().filter(is_real).map(|node| node.name.clone()).collect()
}

fn report(outcome: &Outcome, shared: &Shared, of_stand_ins: bool, is_replay: bool) {
    if shared.quiet && outcome.status == Status::Done {
        return;
    }
    if shared.log_format == crate::args::LogFormat::Json {
        tracing::info!(run = outcome.run, exit = outcome.status.exit_code(), "{}", summary::sentence(outcome));
        return;
    }
    if !outcome.nodes.is_empty() {
        eprintln!("{}", summary::nodes(&outcome.nodes));
    }
    for failed in &outcome.errors {
        screen::error(&format!("{}: {}", failed.node, failed.error.message), failed.error.help.as_deref());
    }
    for remark in &outcome.remarks {
        screen::warning(remark);
    }
    eprintln!("{}", summary::sentence(outcome));
    if is_replay && !outcome.errors.is_empty() {
        eprintln!("the rejects that were taken up are open as before");
    } else if outcome.nodes.iter().any(|report| report.counts.rejected > 0) {
        let sandbox = if of_stand_ins { " --sandbox" } else { "" };
        eprintln!("see them with `towpath rejects list {}`", outcome.run);
        eprintln!("once the cause is mended, send them again with `towpath rejects replay {}{sandbox}`", outcome.run);
    }
    if outcome.nodes.iter().any(|report| report.counts.unknown > 0) {
        let scope = state_held::scope_args(&outcome.scope);
        eprintln!("see what is held with `towpath state held {scope}`");
        eprintln!(
            "after a look at the other system, say whether it arrived: \
             `towpath state settle {scope} --sink NAME --key ID --as delivered` (or `not-delivered`)"
        );
    }
}
