//! `towpath check`.

use crate::args::{PipelineArgs, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::secrets::Secrets;
use crate::world::{self, Overrides};
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use towpath_run::Quiet;

/// Whether each connection can be reached and lets us in.
pub fn check(args: &PipelineArgs, shared: &Shared) -> Ended {
    let mut workspace = Workspace::around(&args.pipeline)?;
    let plan = workspace.plan_or_fail(&args.pipeline, shared)?;
    let secrets = Secrets::read(shared.secrets.as_deref())?;
    let runtime = world::runtime()?;
    let cancel = CancellationToken::new();
    let world = world::world(&workspace, &secrets, Overrides::new(), Arc::new(Quiet), cancel);
    let options = world::options(shared, std::env::temp_dir(), None);
    let checked = runtime.block_on(towpath_run::check(Arc::new(plan), options, world));
    let mut passing = true;
    let mut failed = false;
    for (connection, result) in checked {
        match result {
            Ok(()) => println!("{connection}: all well"),
            Err(error) => {
                println!("{connection}: {error}");
                if let Some(help) = &error.help {
                    println!("  help: {help}");
                }
                failed = true;
                passing &= error.is_passing();
            }
        }
    }
    Ok::<_, Failure>(ExitCode::from(match (failed, passing) {
        (false, _) => 0,
        (true, true) => 75,
        (true, false) => 1,
    }))
}
