//! The journal's desk: a thread that writes what many requests under way hand in, all that is there in one transaction. On a
//! runtime of one thread it is a task of it, and the moment it waits is the run's own time: so a simulation can repeat what
//! happens between the two.
//!
//! A record is sent only after its intent is on disk, and is delivered only when its receipt is. Neither keeps a request
//! from going out: intents are written ahead of the sending, receipts behind it, and one sync of the disk serves all that
//! came in meanwhile. While little is there the desk waits a moment for more, as a sync costs the same for one as for many.
//!
//! So after a crash no more records are in doubt than seven times the sink's `concurrency`: that many were under way, twice
//! that many intents were written ahead, and four times that many answers were still without a receipt on disk. Less room
//! makes for smaller transactions, of which each costs a sync. Nothing is written ahead where answers take longer than a few
//! milliseconds, or by a sink with a `rate`: there what is in doubt is what was under way. A run that stops in order
//! withdraws the intents it wrote ahead, and leaves nothing in doubt.

use crate::clock::{Clock, is_one_thread};
use crate::runner::Runner;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};
use towpath_connector::{Error, Result};
use towpath_state::{Intent, ReceiptIn};

/// How long the desk waits for more: about as long as a sync takes.
const MOMENT: Duration = Duration::from_millis(1);

/// What is written in one transaction.
#[derive(Default)]
pub(crate) struct Page {
    pub intents: Vec<Intent>,
    pub receipts: Vec<ReceiptIn>,
    /// Hashes of keys whose intents are taken back.
    pub withdrawn: Vec<[u8; 16]>,
}

/// Tells whoever waits for it how the writing went.
type Tell = oneshot::Sender<Result<()>>;

/// Where intents and receipts of one sink are handed in. The thread, or task, ends with it.
pub(crate) struct Desk {
    tray: Arc<Tray>,
}

/// What was handed in and is not yet taken.
struct Tray {
    papers: Mutex<Papers>,
    changed: Changed,
    /// So many are worth a sync at once.
    enough: usize,
}

/// How whoever serves the desk is told that something is there.
enum Changed {
    Thread(Condvar),
    Task(Notify),
}

impl Changed {
    fn tell(&self) {
        match self {
            Self::Thread(changed) => changed.notify_one(),
            Self::Task(changed) => changed.notify_one(),
        }
    }
}

#[derive(Default)]
struct Papers {
    page: Page,
    waiting: Vec<Tell>,
    closed: bool,
}

/// Something handed in, which is on its way to the disk whether or not it is waited for.
pub(crate) struct Written(oneshot::Receiver<Result<()>>);

impl Written {
    /// Returns when it is on disk.
    pub async fn wait(self) -> Result<()> {
        self.0.await.map_err(|_| Error::bug("the journal's thread is gone"))?
    }
}

impl Desk {
    /// Opens a desk for a sink with so many requests under way, and the system it writes to.
    pub fn open(runner: &Arc<Runner>, sink: &str, target: &str, concurrency: usize) -> Result<Self> {
        let is_task = is_one_thread();
        let changed = if is_task { Changed::Task(Notify::new()) } else { Changed::Thread(Condvar::new()) };
        let tray = Arc::new(Tray { papers: Mutex::default(), changed, enough: 3 * concurrency });
        let served = Served {
            tray: Attended(tray.clone()),
            runner: runner.clone(),
            sink: sink.to_owned(),
            target: target.to_owned(),
        };
        if is_task {
            tokio::spawn(served.serve_among_tasks());
        } else {
            let thread = std::thread::Builder::new().name(format!("journal {sink}"));
            thread.spawn(move || served.serve()).map_err(Error::from)?;
        }
        Ok(Self { tray })
    }

    /// Hands in that a record is about to be sent; it may be when this is written.
    pub fn intend(&self, intent: Intent) -> Written {
        self.tray.hand_in(|page| page.intents.push(intent))
    }

    /// Hands in an answer.
    pub fn receive(&self, receipt: ReceiptIn) -> Written {
        self.tray.hand_in(|page| page.receipts.push(receipt))
    }

    /// Takes an intent back that is on disk: the record was surely not acted on.
    pub fn withdraw(&self, key_hash: [u8; 16]) -> Written {
        self.tray.hand_in(|page| page.withdrawn.push(key_hash))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.tray.papers().closed = true;
        self.tray.changed.tell();
    }
}

impl Tray {
    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_in(&self, put: impl FnOnce(&mut Page)) -> Written {
        let (tell, written) = oneshot::channel();
        let mut papers = self.papers();
        // When it is closed the other end is dropped here, and whoever waits is told so.
        if !papers.closed {
            put(&mut papers.page);
            papers.waiting.push(tell);
            // In between nobody is woken: the thread sleeps until there is something, then until it is enough.
            if papers.waiting.len() == 1 || papers.waiting.len() == self.enough {
                self.changed.tell();
            }
        }
        Written(written)
    }

    /// Waits for something to be written, and a moment for more; nothing at the end.
    fn wait(&self) -> Option<Batch> {
        let Changed::Thread(changed) = &self.changed else { return None };
        let nothing = |papers: &mut Papers| papers.waiting.is_empty() && !papers.closed;
        let mut papers = changed.wait_while(self.papers(), nothing).unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + MOMENT;
        while papers.waiting.len() < self.enough && !papers.closed {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            papers = changed.wait_timeout(papers, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        papers.take()
    }

    /// The same among other tasks.
    async fn wait_among_tasks(&self, clock: &dyn Clock) -> Option<Batch> {
        let Changed::Task(changed) = &self.changed else { return None };
        while self.is_to_be_waited_for(1) {
            changed.notified().await;
        }
        let mut moment = clock.sleep(MOMENT);
        while self.is_to_be_waited_for(self.enough) {
            tokio::select! {
                biased;
                () = changed.notified() => {}
                () = &mut moment => break,
            }
        }
        self.papers().take()
    }

    fn is_to_be_waited_for(&self, enough: usize) -> bool {
        let papers = self.papers();
        papers.waiting.len() < enough && !papers.closed
    }
}

/// What is written together, and who waits for it.
type Batch = (Page, Vec<Tell>);

impl Papers {
    fn take(&mut self) -> Option<Batch> {
        let waiting = std::mem::take(&mut self.waiting);
        (!waiting.is_empty()).then(|| (std::mem::take(&mut self.page), waiting))
    }
}

/// A tray that somebody attends to. However the thread or task ends, nobody waits for it in vain.
struct Attended(Arc<Tray>);

impl Drop for Attended {
    fn drop(&mut self) {
        let mut papers = self.0.papers();
        papers.closed = true;
        papers.waiting.clear();
    }
}

/// The other side of a desk.
struct Served {
    tray: Attended,
    runner: Arc<Runner>,
    sink: String,
    target: String,
}

impl Served {
    fn serve(self) {
        while let Some(batch) = self.tray.0.wait() {
            self.write(batch);
        }
    }

    async fn serve_among_tasks(self) {
        while let Some(batch) = self.tray.0.wait_among_tasks(&*self.runner.world.clock).await {
            self.write(batch);
        }
    }

    fn write(&self, (page, waiting): Batch) {
        let Some(state) = &self.runner.state else { return };
        let written = state.journal(&self.sink, &self.target, page);
        for tell in waiting {
            // Whoever no longer waits was stopped.
            let _ = tell.send(written.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tray(enough: usize) -> Arc<Tray> {
        Arc::new(Tray { papers: Mutex::default(), changed: Changed::Thread(Condvar::new()), enough })
    }

    fn withdraw(tray: &Tray, key: u8) -> Written {
        tray.hand_in(|page| page.withdrawn.push([key; 16]))
    }

    #[tokio::test]
    async fn all_that_is_there_is_taken_together_and_each_is_told() {
        let tray = tray(100);
        let written: Vec<Written> = (0..3).map(|key| withdraw(&tray, key)).collect();
        let (page, waiting) = tray.wait().expect("something was handed in");
        assert_eq!(page.withdrawn, [[0; 16], [1; 16], [2; 16]]);
        for tell in waiting {
            tell.send(Err(Error::machine("the disk is full"))).expect("somebody waits");
        }
        for written in written {
            assert_eq!(written.wait().await.expect_err("it was not written").message, "the disk is full");
        }
    }

    #[tokio::test]
    async fn nobody_waits_in_vain_when_the_thread_is_gone() {
        let tray = tray(1);
        let before = withdraw(&tray, 1);
        drop(Attended(tray.clone()));
        assert!(before.wait().await.is_err());
        assert!(withdraw(&tray, 2).wait().await.is_err());
        assert!(tray.wait().is_none(), "the end");
    }

    #[test]
    fn what_was_handed_in_before_the_end_is_still_taken() {
        let tray = tray(100);
        let desk = Desk { tray: tray.clone() };
        let _written = desk.withdraw([7; 16]);
        drop(desk);
        assert_eq!(tray.wait().expect("the last page").0.withdrawn, [[7; 16]]);
        assert!(tray.wait().is_none());
    }
}
