//! A Polars plan as a stream of batches, with back-pressure.

use crate::runner::Runner;
use polars::prelude::*;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use towpath_connector::{Error, Result};

/// Batches that wait between the plan and the one who takes them.
const WAITING: usize = 2;

/// Batches of a plan that is being carried out.
pub(crate) struct Batches {
    receiver: mpsc::Receiver<DataFrame>,
    query: Option<JoinHandle<PolarsResult<()>>>,
    runner: Arc<Runner>,
}

impl Runner {
    /// Starts a plan; its rows come in batches of about `rows`.
    pub(crate) fn batches(self: &Arc<Self>, frame: LazyFrame, rows: usize) -> Result<Batches> {
        let (sender, receiver) = mpsc::channel::<DataFrame>(WAITING);
        let callback = PlanCallback::new(move |frame: DataFrame| {
            // The receiver is dropped to stop early; `true` stops the plan.
            Ok(sender.blocking_send(frame).is_err())
        });
        let frame = whole(frame).sink_batches(callback, true, NonZeroUsize::new(rows))?;
        let query = tokio::task::spawn_blocking(move || frame.collect_with_engine(Engine::Streaming).map(|_| ()));
        Ok(Batches { receiver, query: Some(query), runner: self.clone() })
    }

    /// Carries out a plan that ends in a sink of its own.
    pub(crate) async fn carry_out(self: &Arc<Self>, frame: LazyFrame) -> Result<()> {
        let frame = whole(frame);
        let query = tokio::task::spawn_blocking(move || frame.collect_with_engine(Engine::Streaming).map(|_| ()));
        finished(self, query.await)
    }
}

impl Batches {
    /// The next batch; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<DataFrame>> {
        loop {
            match self.receiver.recv().await {
                Some(frame) if frame.height() == 0 => {}
                Some(frame) => return Ok(Some(frame)),
                None => {
                    if let Some(query) = self.query.take() {
                        finished(&self.runner, query.await)?;
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// Stops before the end.
    pub async fn stop(mut self) -> Result<()> {
        self.receiver.close();
        while self.receiver.try_recv().is_ok() {}
        match self.query.take() {
            Some(query) => finished(&self.runner, query.await),
            None => Ok(()),
        }
    }
}

/// Two ways from one node look alike to Polars, which cannot see into our steps: it would carry one of them out for both.
fn whole(frame: LazyFrame) -> LazyFrame {
    let flags = frame.get_current_optimizations() - AllowedOptimizations::COMM_SUBPLAN_ELIM;
    frame.with_optimizations(flags)
}

fn finished(runner: &Runner, joined: std::result::Result<PolarsResult<()>, tokio::task::JoinError>) -> Result<()> {
    match joined {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(runner.out_of_plan(error)),
        Err(panic) => Err(Error::bug(format!("a query panicked: {panic}"))),
    }
}
