//! Reading in a blocking thread, a few batches ahead of whoever takes them.
//!
//! What is read as text is converted in a second one: reading is the longest part of the way and has a thread of its
//! own. Each is one thread for the whole of an extract, so that the memory of a batch is taken again for the next.

use crate::typed::Converter;
use async_trait::async_trait;
use tokio::sync::mpsc;
use towpath_connector::{Chunk, Error, Extract, Result, Source};
use towpath_spec::Schema;

/// Batches that may be ready and not yet taken.
const AHEAD: usize = 1;

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 50_000;

/// Bytes of text after which a batch is complete though it has fewer rows.
pub(crate) const BATCH_BYTES: usize = 32 << 20;

/// Where the thread puts its batches.
pub struct Batches(mpsc::Sender<Result<Chunk>>);

impl Batches {
    /// Hands a batch over; false when nobody wants any more.
    #[must_use]
    pub fn send(&self, chunk: Chunk) -> bool {
        self.0.blocking_send(Ok(chunk)).is_ok()
    }
}

type Work = Box<dyn FnOnce(&Batches) -> Result<()> + Send>;

/// An extract whose work is done in blocking threads, started by the first request for a batch.
struct InThread {
    schema: Schema,
    work: Option<Work>,
    batches: Option<mpsc::Receiver<Result<Chunk>>>,
    /// To the types of the schema, where `work` gives text.
    converter: Option<Converter>,
}

/// A source of batches of `schema`, made by `work`.
pub fn source(schema: Schema, work: impl FnOnce(&Batches) -> Result<()> + Send + 'static) -> Source {
    Source::Extract(Box::new(InThread { schema, work: Some(Box::new(work)), batches: None, converter: None }))
}

/// A source of batches of text, made by `work` and converted to `schema`.
pub(crate) fn source_of_text(
    schema: Schema,
    converter: Converter,
    work: impl FnOnce(&Batches) -> Result<()> + Send + 'static,
) -> Source {
    let converter = Some(converter);
    Source::Extract(Box::new(InThread { schema, work: Some(Box::new(work)), batches: None, converter }))
}

/// Runs `work` in a thread and gives what it sends. It ends when its work does, or with its next batch when nobody
/// takes them any more.
fn in_thread(work: impl FnOnce(&Batches) -> Result<()> + Send + 'static) -> mpsc::Receiver<Result<Chunk>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    drop(tokio::task::spawn_blocking(move || {
        let batches = Batches(sender);
        let work = std::panic::AssertUnwindSafe(|| work(&batches));
        let done = std::panic::catch_unwind(work).unwrap_or_else(|_| Err(Error::bug("the reader of a file panicked")));
        if let Err(error) = done {
            // Nobody may be there to hear it, which is fine.
            drop(batches.0.blocking_send(Err(error)));
        }
    }));
    receiver
}

/// Converts what comes.
fn convert(converter: &Converter, mut text: mpsc::Receiver<Result<Chunk>>, batches: &Batches) -> Result<()> {
    while let Some(chunk) = text.blocking_recv() {
        let Chunk { frame, rejects, position } = chunk?;
        let mut converted = converter.convert(frame)?;
        converted.rejects.extend(rejects);
        if !batches.send(Chunk { position, ..converted }) {
            break;
        }
    }
    Ok(())
}

#[async_trait]
impl Extract for InThread {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if let Some(work) = self.work.take() {
            let read = in_thread(work);
            self.batches = Some(match self.converter.take() {
                Some(converter) => in_thread(move |batches| convert(&converter, read, batches)),
                None => read,
            });
        }
        match &mut self.batches {
            Some(batches) => batches.recv().await.transpose(),
            None => Ok(None),
        }
    }
}
