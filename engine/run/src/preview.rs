//! Rows of one node, without writing anything anywhere.

use crate::flow::BATCH;
use crate::missing::nothing_blocked;
use crate::runner::{Mode, Options, Runner, World};
use polars::prelude::*;
use std::sync::Arc;
use towpath_connector::{Error, Result};
use towpath_plan::{NodeKind, Output, Plan, Port};
use towpath_spec::Schema as Columns;

/// The first rows of a node.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The columns.
    pub columns: Columns,
    /// The rows.
    pub rows: DataFrame,
    /// Rows that became rejects on the way.
    pub rejected: u64,
}

/// Reads what is needed for the first rows of a node, or of its rejects (`NODE.rejects`); sinks are not run, state is not touched.
///
/// # Errors
/// What a source, a lookup or a step failed with.
pub async fn preview(plan: Arc<Plan>, node: &str, rows: usize, options: Options, world: World) -> Result<Preview> {
    nothing_blocked(&plan)?;
    let (name, output) = match node.strip_suffix(".rejects") {
        Some(name) => (name, Output::Rejects),
        None => (node, Output::Rows),
    };
    let at = plan
        .nodes
        .iter()
        .position(|known| known.name == name)
        .ok_or_else(|| Error::user(format!("there is no node `{name}`")))?;
    let mut plan = (*plan).clone();
    plan.nodes[at].rejects_read |= output == Output::Rejects;
    // What arrives at a sink is what its input gives.
    let port = match &plan.nodes[at].kind {
        NodeKind::Sink(sink) if output == Output::Rows => sink.input,
        _ => Port { node: at, output },
    };
    let plan = Arc::new(plan);
    let stages = options.stages.join(&options.run);
    let runner = Runner::new(plan, Mode::Preview, options, world, None);
    let previewed = first_rows(&runner, port, rows).await;
    let _ = std::fs::remove_dir_all(stages);
    previewed
}

async fn first_rows(runner: &Arc<Runner>, port: Port, rows: usize) -> Result<Preview> {
    let flow = runner.flow(port).await?;
    let mut batches = runner.batches(flow.frame, rows.clamp(1, BATCH))?;
    let mut out = runner.empty(&flow.columns).frame.collect()?;
    while out.height() < rows {
        let Some(batch) = batches.next().await? else {
            break;
        };
        out.vstack_mut(&batch.head(Some(rows - out.height())))?;
    }
    batches.stop().await?;
    let rejected = runner.accounts.iter().map(|account| account.counts().rejected).sum();
    Ok(Preview { columns: flow.columns, rows: out, rejected })
}
