//! File sinks: written aside by Polars' own sink, moved into their place when all is well.

use crate::accounts::book;
use crate::flow::Flow;
use crate::runner::Runner;
use std::sync::Arc;
use towpath_connector::{FileSink, Result};

impl Runner {
    pub(crate) async fn write_file(
        self: &Arc<Self>,
        node: usize,
        flow: Flow,
        mut sink: Box<dyn FileSink>,
    ) -> Result<()> {
        let frame = self.tap(flow.frame, node, |account| &account.rows_in);
        let plan = sink.plan(frame, &flow.columns)?;
        let written = match self.carry_out(plan).await {
            Ok(()) => tokio::task::block_in_place(|| sink.commit()),
            Err(error) => Err(error),
        };
        match written {
            Ok(files) => {
                let account = &self.accounts[node];
                let rows = account.counts().rows_in;
                book(&account.rows_out, usize::try_from(rows).unwrap_or(usize::MAX));
                let bytes: u64 = files.iter().map(|file| file.bytes).sum();
                account.bytes.store(bytes, std::sync::atomic::Ordering::Relaxed);
                for file in files {
                    self.note(node, format!("wrote {} ({} bytes)", file.path.display(), file.bytes));
                }
                Ok(())
            }
            Err(error) => {
                sink.abort();
                Err(error)
            }
        }
    }
}
