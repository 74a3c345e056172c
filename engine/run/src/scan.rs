//! Files Polars scans by itself, and what it does not see in them.
//!
//! A scan takes a file of the wrong shape for a right one. Its files are therefore gone through once more: before the
//! first row when rows are sent to another system, which could not be called back; beside the scan when they only reach
//! files, which get their names after the check is done.

use crate::flow::Flow;
use crate::rejects::lock;
use crate::runner::{Mode, Runner};
use polars::prelude::*;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use towpath_connector::{Error, Result, Scan, ScanCheck};
use towpath_plan::NodeKind;

/// How a check that is under way ends; `None` while it does not.
pub(crate) type Checking = watch::Receiver<Option<Result<()>>>;

impl Runner {
    pub(crate) fn scan(self: &Arc<Self>, node: usize, scan: Scan) -> Result<Flow> {
        let mut frame = scan.frame;
        if let Some(check) = scan.check {
            if self.mode == Mode::Run && !self.feeds_system(node) {
                self.check_beside(node, check)?;
            } else {
                frame = self.check_before(node, frame, check);
            }
        }
        if let Some(limit) = self.options.limit {
            frame = frame.slice(0, IdxSize::try_from(limit).unwrap_or(IdxSize::MAX));
        }
        let frame = self.tap(frame, node, |account| &account.rows_in);
        let rows = crate::memory::rows_in(scan.bytes, &scan.schema);
        let mut flow = self.convert(node, Flow { frame, columns: scan.raw, rows }, &scan.schema)?;
        flow.frame = self.tap(flow.frame, node, |account| &account.rows_out);
        flow.columns = scan.schema;
        Ok(flow)
    }

    /// Whether rows of a node reach a system, which cannot be told to forget them.
    fn feeds_system(&self, node: usize) -> bool {
        self.plan.nodes.iter().enumerate().any(|(at, planned)| {
            matches!(&planned.kind, NodeKind::Sink(sink) if sink.operation.is_some())
                && self.plan.upstream(at).contains(&node)
        })
    }

    /// The first batch waits until the check is done.
    fn check_before(self: &Arc<Self>, node: usize, frame: LazyFrame, check: ScanCheck) -> LazyFrame {
        let runner = self.clone();
        let outcome: OnceLock<Result<()>> = OnceLock::new();
        let gate = move |batch| match outcome.get_or_init(&check) {
            Ok(()) => Ok(batch),
            Err(error) => Err(runner.plan_error(node, error.clone())),
        };
        frame.map(gate, AllowedOptimizations::STREAMING, None, Some("shape of the files"))
    }

    fn check_beside(&self, node: usize, check: ScanCheck) -> Result<()> {
        let (done, checking) = watch::channel(None);
        lock(&self.checks)?.push((node, checking));
        drop(tokio::task::spawn_blocking(move || {
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check));
            done.send_replace(Some(checked.unwrap_or_else(|_| Err(Error::bug("the check of a file panicked")))))
        }));
        Ok(())
    }

    /// Waits for the checks of what leads to a node.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub(crate) async fn checked(&self, node: usize) -> Result<()> {
        let upstream = self.plan.upstream(node);
        let checks: Vec<_> = lock(&self.checks)?.iter().filter(|(node, _)| upstream.contains(node)).cloned().collect();
        for (source, mut checking) in checks {
            let outcome = checking.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
            let outcome = outcome.map_err(|_| Error::bug("the check of a file is gone"))?;
            outcome.unwrap_or(Ok(())).map_err(|error| self.blame(source, error))?;
        }
        Ok(())
    }
}
