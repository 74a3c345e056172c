//! The world a run is given: environment, secrets, connectors, who watches.

use crate::args::Shared;
use crate::documents::Workspace;
use crate::failure::Failure;
use crate::secrets::Secrets;
use crate::state::{self, Place};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use towpath_plan::Plan;
use towpath_run::{MachineClock, Observer, Options, RetryPolicy, StandIn, World};
use towpath_spec::{Text, codes};
use towpath_state::RunId;

/// Overrides of connections, by name.
pub type Overrides = BTreeMap<String, StandIn>;

/// Makes the world of a run.
pub fn world(
    workspace: &Workspace,
    secrets: &Secrets,
    overrides: Overrides,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> World {
    let secrets = secrets.clone();
    World {
        registry: workspace.registry.clone(),
        env: Arc::new(|name: &str| std::env::var(name).ok()),
        secret: Arc::new(move |name: &str| secrets.get(name)),
        overrides,
        observer,
        cancel,
        clock: Arc::new(MachineClock::default()),
    }
}

/// Whether every parameter of a plan has a value.
///
/// # Errors
/// One has none: that is a mistake of the command line, not of a file.
pub fn params_given(plan: &Plan) -> Result<(), Failure> {
    match plan.blocked.iter().find(|blocked| blocked.code == codes::MISSING_PARAM) {
        Some(missing) => Err(Failure::Usage(missing.message.clone(), missing.help.clone())),
        None => Ok(()),
    }
}

/// Where the state of a plan is.
pub fn state_place(plan: &Plan, workspace: &Workspace, shared: &Shared, secrets: &Secrets) -> Result<Place, Failure> {
    rendered_place(plan.state.as_ref(), workspace, shared, secrets)
}

/// Where the state of a project is, without a plan: what the environment that is meant says, else the project.
pub fn project_state_place(workspace: &Workspace, shared: &Shared) -> Result<Place, Failure> {
    let project = workspace.project.as_ref();
    let environments = project.iter().flat_map(|project| &project.environments);
    let named = environments.into_iter().find(|env| shared.env.as_ref().is_some_and(|name| env.name.value == *name));
    let written =
        named.and_then(|env| env.state.as_ref()).or_else(|| project.and_then(|project| project.state.as_ref()));
    rendered_place(written, workspace, shared, &Secrets::read(shared.secrets.as_deref())?)
}

fn rendered_place(
    written: Option<&Text>,
    workspace: &Workspace,
    shared: &Shared,
    secrets: &Secrets,
) -> Result<Place, Failure> {
    // What the command line says need not be rendered, and what is not rendered needs no variables.
    let written = match written.filter(|_| shared.state.is_none()) {
        None => None,
        Some(text) => Some(render_state(&text.value, secrets)?),
    };
    state::place(shared, written.as_deref(), workspace.folder.as_deref())
}

fn render_state(template: &str, secrets: &Secrets) -> Result<String, Failure> {
    use towpath_mapping::Value;
    use towpath_mapping::scalar::ScalarTemplate;
    let wrong = |reason: String| {
        Failure::usage(format!("`state` of the project: {reason}"), "write a folder, or `postgres://…`")
    };
    let template = ScalarTemplate::parse_str(template).map_err(wrong)?;
    let fields = |root: &str| -> Value {
        let named = template.roots().iter().filter(|found| found.name == root).filter_map(|found| found.field.clone());
        Value::Struct(
            named
                .map(|name| {
                    let value = if root == "env" { std::env::var(&name).ok() } else { secrets.get(&name) };
                    (name, value.map_or(Value::Null, Value::from))
                })
                .collect(),
        )
    };
    let names = |name: &str| matches!(name, "env" | "secret").then(|| fields(name));
    let rendered = template.render(&names).map_err(wrong)?;
    rendered.as_text().map(str::to_owned).filter(|text| !text.is_empty()).ok_or_else(|| wrong("it is empty".into()))
}

/// The options of a run.
pub fn options(shared: &Shared, stages: PathBuf, timeout: Option<u64>) -> Options {
    Options {
        run: RunId::generate().to_string(),
        now: shared.now.unwrap_or_else(chrono::Utc::now),
        limit: None,
        full_refresh: false,
        resume: None,
        keep_stage: false,
        stages,
        retry: RetryPolicy::default(),
        timeout: timeout.map(|seconds| Duration::from_secs(seconds.max(1))),
        promise: None,
        replay: None,
    }
}

/// The runtime everything asynchronous runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // No more threads than cores: what waits in Polars or in the database does so in threads of its own, and requests
    // and answers that hop from thread to thread cost more than they gain. Two at least, so that one may block.
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?)
}

/// Stops in order at the first Ctrl-C or SIGTERM; the second one ends the process at once.
pub fn stop_on_signals(cancel: CancellationToken) {
    tokio::spawn(async move {
        if !signal().await {
            return;
        }
        crate::screen::warning("stopping: what is under way is finished first (once more to stop at once)");
        cancel.cancel();
        if signal().await {
            std::process::exit(130);
        }
    });
}

#[cfg(unix)]
async fn signal() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        caught = tokio::signal::ctrl_c() => caught.is_ok(),
        caught = terminate.recv() => caught.is_some(),
    }
}

#[cfg(not(unix))]
async fn signal() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
