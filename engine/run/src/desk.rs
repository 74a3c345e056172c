//! The journal's desk: a thread that writes what many requests under way hand in, as many at a time as there are.
//!
//! Each request waits until its intent is on disk before it is sent, and keeps its place until its receipt is. So after a
//! crash no more records are in doubt than were under way, and one sync of the disk serves all that came in meanwhile.

use crate::runner::Runner;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use towpath_connector::{Error, Result};
use towpath_state::{Intent, ReceiptIn};

/// Something to be written, and who waits for it.
enum Entry {
    Intent(Intent, oneshot::Sender<Result<()>>),
    Receipt(ReceiptIn, oneshot::Sender<Result<()>>),
}

/// Where intents and receipts of one sink are handed in. The thread ends with it.
pub(crate) struct Desk {
    entries: Sender<Entry>,
}

impl Desk {
    /// Opens a desk for a sink and the system it writes to.
    pub fn open(runner: &Arc<Runner>, sink: &str, target: &str) -> Result<Self> {
        let (entries, received) = channel();
        let (runner, sink, target) = (runner.clone(), sink.to_owned(), target.to_owned());
        std::thread::Builder::new()
            .name(format!("journal {sink}"))
            .spawn(move || serve(&runner, &sink, &target, &received))
            .map_err(Error::from)?;
        Ok(Self { entries })
    }

    /// Returns when the intent is on disk.
    pub async fn intend(&self, intent: Intent) -> Result<()> {
        let (done, written) = oneshot::channel();
        self.hand_in(Entry::Intent(intent, done), written).await
    }

    /// Returns when the receipt is on disk.
    pub async fn receive(&self, receipt: ReceiptIn) -> Result<()> {
        let (done, written) = oneshot::channel();
        self.hand_in(Entry::Receipt(receipt, done), written).await
    }

    async fn hand_in(&self, entry: Entry, written: oneshot::Receiver<Result<()>>) -> Result<()> {
        let closed = || Error::bug("the journal's thread is gone");
        self.entries.send(entry).map_err(|_| closed())?;
        written.await.map_err(|_| closed())?
    }
}

fn serve(runner: &Runner, sink: &str, target: &str, received: &Receiver<Entry>) {
    let Some(state) = &runner.state else { return };
    while let Ok(first) = received.recv() {
        let (mut intents, mut receipts) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for entry in std::iter::once(first).chain(received.try_iter()) {
            match entry {
                Entry::Intent(intent, done) => {
                    intents.0.push(intent);
                    intents.1.push(done);
                }
                Entry::Receipt(receipt, done) => {
                    receipts.0.push(receipt);
                    receipts.1.push(done);
                }
            }
        }
        answer(state.receive(sink, target, &receipts.0), receipts.1);
        answer(state.intend(sink, target, &intents.0), intents.1);
    }
}

fn answer(written: Result<()>, waiting: Vec<oneshot::Sender<Result<()>>>) {
    for done in waiting {
        // Whoever no longer waits was stopped.
        let _ = done.send(written.clone());
    }
}
