//! `towpath plan`.

use crate::args::{Format, PlanArgs, Shared};
use crate::commands::preview::Notes;
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::fields;
use crate::plan_file::{self, Basis};
use crate::plan_text;
use crate::screen;
use crate::secrets::Secrets;
use crate::stand_ins::{self, StandIns};
use crate::world;
use serde_json::Value as Json;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use towpath_connector::{Error, redact_json};
use towpath_run::{Planned, Status};

/// The exit code that says that there are changes.
const CHANGES: u8 = 4;

/// Shows what a run would do. Nothing is written but the file of `--out`.
pub fn plan(args: &PlanArgs, shared: &Shared) -> Ended {
    let mut workspace = Workspace::around(&args.pipeline)?;
    let plan = workspace.plan_or_fail(&args.pipeline, shared)?;
    if args.explain {
        fields::explain(&plan, shared.format);
    }
    world::params_given(&plan)?;
    let secrets = Secrets::read(shared.secrets.as_deref())?;
    let place = world::state_place(&plan, &workspace, shared, &secrets)?;
    let runtime = world::runtime()?;
    let options = world::options(shared, std::env::temp_dir(), None);
    let sandbox = args.sandbox.then(|| stand_ins::world(&args.seed));
    let basis = Basis::of(&workspace, &plan, sandbox, options.now, args.limit);
    let cancel = CancellationToken::new();
    let stopped = cancel.clone();
    let planned = runtime.block_on(async {
        world::stop_on_signals(cancel.clone());
        let (stand_ins, overrides) = StandIns::if_wanted(args.sandbox, &plan, &args.seed, place.folder()).await?;
        let scratch = std::env::temp_dir().join(format!("towpath-plan-{}", options.run));
        let options = towpath_run::Options { limit: args.limit, stages: scratch.join("stages"), ..options };
        // The state is not touched: all that is done is done to a copy, which is gone with `snapshot`.
        let snapshot = place.snapshot(&scratch)?;
        let world = world::world(&workspace, &secrets, overrides, Arc::new(Notes), cancel);
        let (file, state) = (args.pipeline.display().to_string(), snapshot.store().clone());
        let plan = Arc::new(plan);
        // Nothing is under way that would have to be finished.
        let planned = tokio::select! {
            planned = towpath_run::plan_run(plan, options, world, state, &file, env!("CARGO_PKG_VERSION")) => Some(planned),
            () = stopped.cancelled() => None,
        };
        if let Some(stand_ins) = stand_ins {
            stand_ins.forget().await;
        }
        Ok::<_, Failure>(planned.transpose()?)
    });
    let planned = match planned {
        Ok(Some(planned)) => planned,
        // Whoever of the two noticed it first.
        Ok(None) | Err(_) if stopped.is_cancelled() => {
            runtime.shutdown_background();
            screen::error("interrupted: there is no plan", None);
            return Ok(ExitCode::from(Status::Interrupted.exit_code()));
        }
        Ok(None) => return Err(Failure::World(Error::bug("a plan ended without one"))),
        Err(failure) => return Err(failure),
    };
    let mut shown = serde_json::to_value(&planned).map_err(|error| Error::bug(error.to_string()))?;
    redact_json(&mut shown);
    if let Some(file) = &args.out {
        plan_file::write(file, &shown, &planned, basis)?;
    }
    tell(&planned, &shown, shared)?;
    let changes = args.detailed_exitcode && planned.has_changes();
    Ok(if changes { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS })
}

fn tell(planned: &Planned, json: &Json, shared: &Shared) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match shared.format {
        Format::Json => writeln!(out, "{json}")?,
        _ => write!(out, "{}", towpath_connector::redact(&plan_text::whole(planned)))?,
    }
    Ok(())
}
