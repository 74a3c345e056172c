//! Time as a run knows it: how late it is, and waiting.
//!
//! A run asks its [`World`](crate::World) for both, so that a simulation can give it a time of its own, in which a wait of a
//! minute takes nothing and what comes first is chosen by a seed. The name of a run, `now()` of its mappings and the times
//! in its records are not asked of it: those are dates, and come with [`Options`](crate::Options).

use futures::future::BoxFuture;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};

/// How late it is, and waiting.
pub trait Clock: Send + Sync {
    /// The time since a moment that stays the same; never goes back.
    fn now(&self) -> Duration;

    /// Waits. Dropping it ends the wait.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock(Instant);

impl Default for MachineClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Whether there is one thread for everything: nothing may be waited for in it that another task has to do.
pub(crate) fn is_one_thread() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
}

/// Does what keeps a thread busy (the disk, a computation), while other threads go on with other tasks where there are any.
pub(crate) fn aside<T>(work: impl FnOnce() -> T) -> T {
    if is_one_thread() { work() } else { tokio::task::block_in_place(work) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_on_one_thread_as_well() {
        assert!(is_one_thread());
        assert_eq!(aside(|| 7), 7);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_several_threads_others_go_on() {
        assert!(!is_one_thread());
        let (tell, told) = std::sync::mpsc::channel();
        tokio::spawn(async move { tell.send(7) });
        assert_eq!(aside(|| told.recv()), Ok(7), "the other task has a thread");
    }
}
