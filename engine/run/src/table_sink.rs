//! Table sinks: batches into one transaction, brought into the table when all is well.

use crate::accounts::book;
use crate::clock::aside;
use crate::flow::Flow;
use crate::rejects::NewReject;
use crate::runner::Runner;
use std::sync::Arc;
use towpath_connector::{Begun, Committed, Error, Load, Result, TableSink, boundary};

/// Rows that are written together.
const BATCH: usize = 20_000;

impl Runner {
    /// Loads a flow into a table: all of it, or nothing.
    pub(crate) async fn load(self: &Arc<Self>, node: usize, flow: Flow, mut table: Box<dyn TableSink>) -> Result<()> {
        let filled = self.fill_table(node, flow, &mut *table).await;
        // What is wrong with a file comes first: an error of what was made of it may only follow from that.
        let loaded = match self.checked(node).await.and(filled) {
            Ok((Begun::Before, _)) => Ok((Committed::Before(self.options.run.clone()), 0)),
            Ok((Begun::Now, rows)) => aside(|| {
                boundary("before-table");
                let committed = table.commit();
                boundary("after-table");
                Ok((committed?, rows))
            }),
            Err(error) => Err(error),
        };
        let account = &self.accounts[node];
        match loaded {
            Ok((Committed::Before(run), rows)) => {
                book(&account.skipped, rows);
                self.note(node, format!("run {run} has loaded these rows before; nothing was written"));
                Ok(())
            }
            Ok((Committed::Now { beside }, rows)) => {
                book(&account.rows_out, rows);
                if let Some(run) = beside {
                    self.warn(
                        node,
                        format!(
                            "run {run} loaded other rows and did not end well; rows that came again are there twice \
                             (`mode: merge` with a `key` would know them)"
                        ),
                    );
                }
                Ok(())
            }
            Err(error) => {
                aside(|| table.abort());
                Err(error)
            }
        }
    }

    /// Writes all rows; gives how many were taken.
    async fn fill_table(
        self: &Arc<Self>,
        node: usize,
        flow: Flow,
        table: &mut dyn TableSink,
    ) -> Result<(Begun, usize)> {
        let state = self.state.as_ref().ok_or_else(|| Error::bug("a load without state"))?;
        let load = Load {
            pipeline: self.plan.pipeline.clone(),
            sink: self.plan.nodes[node].name.clone(),
            run: self.options.run.clone(),
            unsettled: state.unsettled()?,
        };
        let columns = flow.columns.clone();
        let begun = aside(|| table.begin(&columns, &load))?;
        let account = &self.accounts[node];
        let (mut taken, mut left_out) = (0, 0);
        let mut batches = self.batches(flow.frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            let rows = batch.height();
            book(&account.rows_in, rows);
            if begun == Begun::Before {
                book(&account.skipped, rows);
            } else {
                let done = aside(|| table.write(&batch))?;
                taken += rows - done.rejects.len();
                left_out += done.left_out;
                self.reject(node, done.rejects.into_iter().map(NewReject::from).collect())?;
            }
            self.progress(node, rows);
            self.go_on()?;
        }
        if left_out > 0 {
            self.warn(node, format!("values without a place in the table were left out: {left_out}"));
        }
        Ok((begun, taken))
    }
}
