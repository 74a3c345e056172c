//! Whether the connections of a plan can be used: reachability and credentials, no writes.

use crate::runner::{Mode, Options, Runner, World};
use std::sync::Arc;
use towpath_connector::Result;
use towpath_plan::Plan;

/// Checks every connection a node of the plan uses; gives what came of each, by its name.
pub async fn check(plan: Arc<Plan>, options: Options, world: World) -> Vec<(String, Result<()>)> {
    let names: Vec<String> = plan.connections.iter().map(|connection| connection.name.clone()).collect();
    let runner = Runner::new(plan, Mode::Preview, options, world, None);
    let mut out = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        let checked = match runner.reader(at).await {
            Ok(reader) => reader.check().await,
            Err(error) => Err(error),
        };
        out.push((name, checked));
    }
    out
}
