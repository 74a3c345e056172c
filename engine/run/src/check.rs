//! Whether the connections of a plan can be used: reachability and credentials, no writes.

use crate::runner::{Mode, Options, Runner, World};
use std::sync::Arc;
use towpath_connector::Result;
use towpath_plan::{Node, NodeKind, Plan, Step, StepPlan};

/// Checks every connection a node of the plan uses; gives what came of each, by its name.
pub async fn check(plan: Arc<Plan>, options: Options, world: World) -> Vec<(String, Result<()>)> {
    let names: Vec<String> = plan.connections.iter().map(|connection| connection.name.clone()).collect();
    let runner = Runner::new(plan, Mode::Preview, options, world, None);
    let mut out = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        out.push((name, one(&runner, at).await));
    }
    out
}

/// What only sinks use is checked as what is written: a database's file need not be there yet.
async fn one(runner: &Runner, at: usize) -> Result<()> {
    let uses = |node: &Node| match &node.kind {
        NodeKind::Source(source) => (source.connection == at).then_some(false),
        NodeKind::Sink(sink) => (sink.connection == at).then_some(true),
        NodeKind::Transform(transform) => {
            let asks = |step: &Step| matches!(&step.plan, StepPlan::Lookup(lookup) if lookup.connection == at);
            transform.steps.iter().any(asks).then_some(false)
        }
    };
    let mut uses = runner.plan.nodes.iter().filter_map(uses).peekable();
    if uses.peek().is_some() && uses.all(|is_sink| is_sink) {
        return runner.connector(at)?.writer(&runner.connect(at)?)?.check().await;
    }
    runner.reader(at).await?.check().await
}
