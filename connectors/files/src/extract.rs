//! Reading in a blocking thread, a few batches ahead of whoever takes them.

use async_trait::async_trait;
use tokio::sync::mpsc;
use towpath_connector::{Chunk, Error, Extract, Result, Source};
use towpath_spec::Schema;

/// Batches that may be ready and not yet taken.
const AHEAD: usize = 2;

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 50_000;

/// Bytes of text after which a batch is complete though it has fewer rows.
pub(crate) const BATCH_BYTES: usize = 32 << 20;

/// Where the thread puts its batches.
pub(crate) struct Batches(mpsc::Sender<Result<Chunk>>);

impl Batches {
    /// Hands a batch over; false when nobody wants any more.
    #[must_use]
    pub(crate) fn send(&self, chunk: Chunk) -> bool {
        self.0.blocking_send(Ok(chunk)).is_ok()
    }
}

type Work = Box<dyn FnOnce(&Batches) -> Result<()> + Send>;

/// An extract whose work is done in a blocking thread, started by the first request for a batch.
struct InThread {
    schema: Schema,
    work: Option<Work>,
    batches: Option<mpsc::Receiver<Result<Chunk>>>,
}

/// A source of batches of `schema`, made by `work`.
pub(crate) fn source(schema: Schema, work: impl FnOnce(&Batches) -> Result<()> + Send + 'static) -> Source {
    Source::Extract(Box::new(InThread { schema, work: Some(Box::new(work)), batches: None }))
}

#[async_trait]
impl Extract for InThread {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if let Some(work) = self.work.take() {
            let (sender, receiver) = mpsc::channel(AHEAD);
            self.batches = Some(receiver);
            // It ends when its work does, or with its next batch once this extract is dropped.
            drop(tokio::task::spawn_blocking(move || {
                let batches = Batches(sender);
                let work = std::panic::AssertUnwindSafe(|| work(&batches));
                let done =
                    std::panic::catch_unwind(work).unwrap_or_else(|_| Err(Error::bug("the reader of a file panicked")));
                if let Err(error) = done {
                    // Nobody may be there to hear it, which is fine.
                    drop(batches.0.blocking_send(Err(error)));
                }
            }));
        }
        match &mut self.batches {
            Some(batches) => batches.recv().await.transpose(),
            None => Ok(None),
        }
    }
}
