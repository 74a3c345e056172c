//! `towpath plan`.

use crate::args::{Format, PlanArgs, Shared};
use crate::commands::preview::Notes;
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::plan_text;
use crate::secrets::Secrets;
use crate::stand_ins::StandIns;
use crate::world;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use towpath_connector::{Error, redact_json};
use towpath_run::Planned;
use towpath_state::Snapshot;

/// The exit code that says that there are changes.
const CHANGES: u8 = 4;

/// Shows what a run would do. Nothing is written but the file of `--out`.
pub fn plan(args: &PlanArgs, shared: &Shared) -> Ended {
    let mut workspace = Workspace::around(&args.pipeline)?;
    let plan = workspace.plan_or_fail(&args.pipeline, shared)?;
    world::params_given(&plan)?;
    let secrets = Secrets::read(shared.secrets.as_deref())?;
    let folder = world::state_folder(&plan, &workspace, shared, &secrets)?;
    let runtime = world::runtime()?;
    let planned = runtime.block_on(async {
        let cancel = CancellationToken::new();
        world::stop_on_signals(cancel.clone());
        let (stand_ins, overrides) = StandIns::if_wanted(args.sandbox, &plan, &args.seed, &folder).await?;
        let options = world::options(shared, std::env::temp_dir(), None);
        let scratch = std::env::temp_dir().join(format!("towpath-plan-{}", options.run));
        let options = towpath_run::Options { limit: args.limit, stages: scratch.join("stages"), ..options };
        // The state is not touched: all that is done is done to a copy, which is gone with `snapshot`.
        let snapshot = Snapshot::of(&folder, &scratch)?;
        let world = world::world(&workspace, &secrets, overrides, Arc::new(Notes), cancel);
        let (file, state) = (args.pipeline.display().to_string(), snapshot.store().clone());
        let planned =
            towpath_run::plan_run(Arc::new(plan), options, world, state, &file, env!("CARGO_PKG_VERSION")).await;
        if let Some(stand_ins) = stand_ins {
            stand_ins.forget().await;
        }
        Ok::<_, Failure>(planned?)
    })?;
    tell(&planned, args.out.as_deref(), shared)?;
    let changes = args.detailed_exitcode && planned.has_changes();
    Ok(if changes { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS })
}

fn tell(planned: &Planned, file: Option<&Path>, shared: &Shared) -> Result<(), Failure> {
    let mut json = serde_json::to_value(planned).map_err(|error| Error::bug(error.to_string()))?;
    redact_json(&mut json);
    if let Some(file) = file {
        let text = serde_json::to_string_pretty(&json).map_err(|error| Error::bug(error.to_string()))?;
        std::fs::write(file, text + "\n").map_err(|error| Error::from(error).at(file.display()))?;
    }
    let mut out = std::io::stdout().lock();
    match shared.format {
        Format::Json => writeln!(out, "{json}")?,
        _ => write!(out, "{}", towpath_connector::redact(&plan_text::whole(planned)))?,
    }
    Ok(())
}
