//! File sinks: written aside, by a plan or batch by batch as it is poured, and moved into their place when all is well.

use crate::accounts::book;
use crate::clock::aside;
use crate::pour::Incoming;
use crate::runner::Runner;
use std::sync::Arc;
use towpath_connector::{FileSink, Result, boundary};
use towpath_plan::SinkNode;

impl Runner {
    pub(crate) async fn write_file(
        self: &Arc<Self>,
        node: usize,
        sink: &SinkNode,
        incoming: Incoming,
        mut file: Box<dyn FileSink>,
    ) -> Result<()> {
        let filled = self.fill_file(node, sink, incoming, &mut *file).await;
        // What is wrong with a file comes first: an error of what was made of it may only follow from that.
        let written = match self.checked(node).await.and(filled) {
            Ok(()) => aside(|| {
                boundary("before-file");
                let files = file.commit();
                boundary("after-file");
                files
            }),
            Err(error) => Err(error),
        };
        match written {
            Ok(files) => {
                let bytes: u64 = files.iter().map(|file| file.bytes).sum();
                self.accounts[node].bytes.store(bytes, std::sync::atomic::Ordering::Relaxed);
                for file in files {
                    self.note(node, format!("wrote {} ({} bytes)", file.path.display(), file.bytes));
                }
                Ok(())
            }
            Err(error) => {
                file.abort();
                Err(error)
            }
        }
    }

    async fn fill_file(
        self: &Arc<Self>,
        node: usize,
        sink: &SinkNode,
        incoming: Incoming,
        file: &mut dyn FileSink,
    ) -> Result<()> {
        let flow = match incoming {
            Incoming::Flow(flow) => flow,
            Incoming::Pour(pour) => match file.batches(&pour.columns)? {
                Some(writer) => return self.pour_out(node, *pour, writer).await,
                None => self.staged(sink, *pour).await?,
            },
        };
        let frame = self.tap(flow.frame, node, |account| &account.rows_in);
        let plan = file.plan(frame, &flow.columns)?;
        self.carry_out(plan).await?;
        let rows = self.accounts[node].counts().rows_in;
        book(&self.accounts[node].rows_out, usize::try_from(rows).unwrap_or(usize::MAX));
        Ok(())
    }
}
