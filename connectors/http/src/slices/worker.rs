//! An extract that is read by a task of its own, one chunk ahead.

use std::sync::Arc;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use towpath_connector::{Chunk, Error, Extract};

/// What a task gives.
pub(crate) enum Item {
    Chunk(Chunk),
    /// It failed and waits for the next round.
    Failed(Error),
    End,
}

/// Rounds of a read: each error begins a new one, in which every task that failed before tries again.
pub(crate) struct Rounds(watch::Sender<u64>);

impl Rounds {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Lets all tasks that failed go on.
    pub(crate) fn begin(&self) {
        self.0.send_modify(|round| *round += 1);
    }

    fn current(&self) -> u64 {
        *self.0.borrow()
    }
}

/// A task that reads. It ends with this.
pub(crate) struct Worker {
    items: mpsc::Receiver<(u64, Item)>,
    /// Chunks given so far.
    given: u64,
    second: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Worker {
    /// Starts it. A patient one reads no second chunk before it is asked for: whoever wants to see the head of something
    /// asks for no more than that.
    pub(crate) fn start(extract: Box<dyn Extract>, rounds: &Rounds, patient: bool) -> Self {
        let (sender, items) = mpsc::channel(1);
        let second = Arc::new(Notify::new());
        let wanted = patient.then(|| Arc::clone(&second));
        let task = tokio::spawn(read(extract, sender, rounds.0.subscribe(), wanted));
        Self { items, given: 0, second, _task: AbortOnDropHandle::new(task) }
    }

    /// What comes next. May be dropped and called again.
    pub(crate) async fn next(&mut self, rounds: &Rounds) -> Item {
        if self.given == 1 {
            self.second.notify_one();
        }
        loop {
            // A task that is gone without an end has panicked.
            let Some((round, item)) = self.items.recv().await else {
                return Item::Failed(Error::bug("a task that reads slices ended before its slice"));
            };
            match item {
                // It failed before the last pause and tries again already.
                Item::Failed(error) if error.is_passing() && round < rounds.current() => {}
                Item::Chunk(chunk) => {
                    self.given += 1;
                    return Item::Chunk(chunk);
                }
                item => return item,
            }
        }
    }
}

async fn read(
    mut extract: Box<dyn Extract>,
    sender: mpsc::Sender<(u64, Item)>,
    mut rounds: watch::Receiver<u64>,
    second: Option<Arc<Notify>>,
) {
    let mut given = 0_u64;
    loop {
        if let (1, Some(second)) = (given, &second) {
            second.notified().await;
        }
        // Room first: a page that nobody takes yet is not asked for.
        let Ok(room) = sender.reserve().await else { return };
        let round = *rounds.borrow_and_update();
        match extract.next().await {
            Ok(Some(chunk)) => {
                given += 1;
                room.send((round, Item::Chunk(chunk)));
            }
            Ok(None) => return room.send((round, Item::End)),
            Err(error) => {
                room.send((round, Item::Failed(error)));
                if rounds.wait_for(|current| *current > round).await.is_err() {
                    return;
                }
            }
        }
    }
}
