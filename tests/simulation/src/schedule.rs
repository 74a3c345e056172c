//! The time of a simulation: what is to come, in the order a seed has decided, and the end it comes to.
//!
//! Whoever waits says for how long, and is woken when its time has come and nobody else has anything left to do. No time
//! passes meanwhile: a wait of a minute takes nothing. Everything that happens is written down, so that two simulations of one
//! seed can be compared.

use fastrand::Rng;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use towpath_run::Clock;

/// What is done at the moment of a death.
type LastWords = Box<dyn FnOnce() + Send>;

/// What is to come.
pub struct Schedule {
    inner: Mutex<Inner>,
    idle: Notify,
    died: Notify,
}

struct Inner {
    choices: Rng,
    now: Duration,
    waits: BTreeMap<(Duration, u32, usize), oneshot::Sender<()>>,
    waited: usize,
    happened: Vec<String>,
    dies_at: Option<usize>,
    last_words: Option<LastWords>,
    is_dead: bool,
}

impl Schedule {
    /// Begins at zero; `choices` decide everything that is left to chance.
    pub fn new(choices: Rng) -> Self {
        let inner = Inner {
            choices,
            now: Duration::ZERO,
            waits: BTreeMap::new(),
            waited: 0,
            happened: Vec::new(),
            dies_at: None,
            last_words: None,
            is_dead: false,
        };
        Self { inner: Mutex::new(inner), idle: Notify::new(), died: Notify::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends everything after so many events, with these last words.
    pub fn die_at(&self, event: usize, last_words: impl FnOnce() + Send + 'static) {
        let mut inner = self.inner();
        inner.dies_at = Some(event);
        inner.last_words = Some(Box::new(last_words));
    }

    /// Something happens.
    pub fn event(&self, what: &str) {
        let mut inner = self.inner();
        if inner.is_dead {
            return;
        }
        let line = format!("{:>12.6} {what}", inner.now.as_secs_f64());
        inner.happened.push(line);
        if inner.dies_at.is_some_and(|last| inner.happened.len() >= last) {
            inner.is_dead = true;
            let last_words = inner.last_words.take();
            drop(inner);
            last_words.into_iter().for_each(|words| words());
            self.died.notify_one();
        }
    }

    /// Makes a choice.
    pub fn choose<T>(&self, choice: impl FnOnce(&mut Rng) -> T) -> T {
        choice(&mut self.inner().choices)
    }

    /// Nobody has anything left to do. Called by the thread before it rests, which it does not do while somebody waits.
    pub fn is_idle(&self) {
        if !self.inner().waits.is_empty() {
            self.idle.notify_one();
        }
    }

    /// Has time go on whenever nobody has anything left to do, to whoever waits the shortest.
    pub async fn pass(&self) {
        loop {
            self.idle.notified().await;
            let mut inner = self.inner();
            if inner.is_dead {
                continue;
            }
            if let Some(((at, ..), wake)) = inner.waits.pop_first()
                && !wake.is_closed()
            {
                inner.now = at;
                drop(inner);
                // It has just been looked whether somebody is there.
                let _ = wake.send(());
            }
        }
    }

    /// Returns at the moment of a death.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Everything that happened, a line each.
    pub fn happened(&self) -> Vec<String> {
        self.inner().happened.clone()
    }
}

impl Clock for Schedule {
    fn now(&self) -> Duration {
        self.inner().now
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut inner = self.inner();
        // Of two that are due at once a choice decides.
        let (at, turn, number) = (inner.now + time, inner.choices.u32(..), inner.waited);
        inner.waited += 1;
        inner.waits.insert((at, turn, number), wake);
        Box::pin(async move {
            // At the end of the world nobody is woken.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
