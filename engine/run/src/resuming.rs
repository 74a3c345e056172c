//! Which earlier run is gone on with, and what is left for the next one.
//!
//! By itself a run goes on only with the one before it, and only when that died, was stopped, or failed for a reason that
//! passes: after any other failure somebody mends something, often in the source, and wants it read anew. `--resume` goes on
//! with any run that did not come to its end. What was read too long ago is not gone on with unasked.

use crate::intake::{EARLIER, Earlier, leftovers};
use crate::run::Status;
use crate::runner::Options;
use crate::stage::Left;
use std::path::Path;
use std::time::{Duration, SystemTime};
use towpath_connector::{Error, Result, boundary};
use towpath_state::{RunId, RunStatus, RunSummary, Scope, Store};

/// How old what was read may be to be gone on with unasked.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// Says that a folder is kept for the next run and no longer, unlike one kept by `--keep-stage`.
const FOR_NEXT: &str = "for-the-next-run";

/// The run to go on with, if there is one and something is left of it.
///
/// # Errors
/// The run that was asked for is none to go on with, or state could not be read.
pub(crate) fn earlier(store: &Store, scope: &Scope, run: &RunId, options: &Options) -> Result<Option<Earlier>> {
    if let Some(asked) = &options.resume {
        return named(store, scope, asked, &options.stages).map(Some);
    }
    if options.limit.is_some() || options.full_refresh {
        return Ok(None);
    }
    // The latest is this one.
    let runs = store.runs_of(scope, 2).map_err(|error| crate::error::state_error(&error))?;
    let before = runs.into_iter().find(|one| one.start.id != *run);
    let Some(before) = before.filter(ended_in_passing) else { return Ok(None) };
    let found = folder_of(&before.start.id, &options.stages);
    Ok(found.filter(|(_, left)| is_fresh(left)).map(|(found, _)| found))
}

/// Whether it died, was stopped, or failed for a reason that passes.
fn ended_in_passing(run: &RunSummary) -> bool {
    let Some(outcome) = &run.outcome else { return true };
    outcome.exit_code.is_none_or(|code| code == i32::from(Status::FailedPassing.exit_code()))
        || outcome.status == RunStatus::Interrupted
}

fn named(store: &Store, scope: &Scope, asked: &str, stages: &Path) -> Result<Earlier> {
    let record = store.run(asked).map_err(|error| Error::user(error.to_string()).help("see `towpath runs list`"))?;
    let start = &record.summary.start;
    if start.scope != *scope {
        let message = format!("run {} is one of {}, not of {scope}", start.id, start.scope);
        return Err(Error::user(message).help("go on with a run of the same pipeline and environment"));
    }
    folder_of(&start.id, stages).map(|(found, _)| found).ok_or_else(|| {
        let message = format!("nothing is left of run {} to go on with", start.id);
        Error::user(message).help(
            "what a run read is kept when it does not come to its end, until the next run of that pipeline begins; run \
             without `--resume`: what was delivered is not sent again",
        )
    })
}

/// A run of which something is left, with that.
fn folder_of(run: &RunId, stages: &Path) -> Option<(Earlier, Vec<Left>)> {
    let folder = stages.join(run.to_string());
    let left = leftovers(&folder);
    (!left.is_empty()).then(|| (Earlier { run: run.to_string(), folder }, left))
}

fn is_fresh(left: &[Left]) -> bool {
    let age = left.iter().filter_map(|left| SystemTime::now().duration_since(left.written()?).ok()).min();
    age.is_some_and(|age| age < FRESH)
}

/// Makes what was left the run's own, so that it is left again if this one dies, too; everything else that runs of this
/// pipeline left is removed. Whoever holds the lock knows that nobody works on it.
///
/// # Errors
/// It could not be moved.
pub(crate) fn take_over(
    found: Option<Earlier>,
    store: &Store,
    scope: &Scope,
    run: &RunId,
    stages: &Path,
) -> Result<Option<Earlier>> {
    let taken = match found {
        Some(Earlier { run: earlier, folder }) => {
            let own = stages.join(run.to_string());
            towpath_state::private::folder(&own).map_err(|error| Error::from(error).at(own.display()))?;
            let to = own.join(EARLIER);
            std::fs::rename(&folder, &to).map_err(|error| Error::from(error).at(folder.display()))?;
            boundary("earlier-taken-over");
            Some(Earlier { run: earlier, folder: to })
        }
        None => None,
    };
    for folder in std::fs::read_dir(stages).into_iter().flatten().flatten() {
        let Some(name) = folder.file_name().to_str().map(str::to_owned) else { continue };
        let Ok(other) = store.run(&name) else { continue };
        let start = &other.summary.start;
        let died = other.summary.outcome.as_ref().is_none_or(|outcome| outcome.exit_code.is_none());
        if start.scope == *scope && start.id != *run && (died || folder.path().join(FOR_NEXT).exists()) {
            // What cannot be removed is only space on disk.
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
    Ok(taken)
}

/// What stays of the stages of a run that ended: what its sources gave, when it did not come to its end.
pub(crate) fn leave(stages: &Path, status: Status) {
    let ended = matches!(status, Status::Done | Status::Rejects);
    if ended || leftovers(stages).is_empty() || std::fs::write(stages.join(FOR_NEXT), "").is_err() {
        // What cannot be removed now is only space on disk; the next run does not read it.
        let _ = std::fs::remove_dir_all(stages);
        return;
    }
    for folder in std::fs::read_dir(stages).into_iter().flatten().flatten() {
        let path = folder.path();
        if path.is_dir() && !path.ends_with(EARLIER) && Left::of(&path).is_none() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
