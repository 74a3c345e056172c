//! When to try again: exponential back-off with jitter, and never before the other system said.

use crate::event::Event;
use crate::runner::Runner;
use std::time::Duration;
use towpath_connector::{Error, Result, Retry};

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the second try; doubled before each one after.
    pub first: Duration,
    /// Longest wait, but for what the other system asks for.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 5, first: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

/// What the other system may ask for at the most; beyond that the run fails and says so.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

impl RetryPolicy {
    /// The wait before the next try, or `None` when it is not worth one. `failed` tries were made so far.
    pub fn wait(&self, error: &Error, failed: u32) -> Option<Duration> {
        if failed > self.retries {
            return None;
        }
        let backoff = self.first.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(self.longest);
        // Between half and all of it, so that many that failed together do not come back together.
        let jittered = backoff.mul_f64(0.5 + fastrand::f64() / 2.0);
        match error.retry {
            Retry::No => None,
            Retry::Yes => Some(jittered),
            Retry::After(asked) if asked > LONGEST_ASKED => None,
            Retry::After(asked) => Some(asked.max(jittered.min(Duration::from_millis(50)))),
        }
    }
}

impl Runner {
    /// Waits before the next try and tells so; gives the error back when it is not worth one, or the run is stopping.
    pub(crate) async fn wait_or_fail(&self, node: usize, error: Error, failed: u32) -> Result<()> {
        let Some(wait) = self.retry.wait(&error, failed) else {
            return Err(tried(error, failed));
        };
        self.tell(Event::Retrying {
            node: self.plan.nodes[node].name.clone(),
            error: error.clone(),
            attempt: failed + 1,
            wait_millis: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(error),
            () = self.world.clock.sleep(wait) => Ok(()),
        }
    }
}

fn tried(mut error: Error, failed: u32) -> Error {
    if failed > 1 {
        error.message = format!("{} (tried {failed} times)", error.message);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let policy = RetryPolicy::default();
        let error = Error::passing("gone");
        let waits: Vec<_> = (1..=6).map(|failed| policy.wait(&error, failed)).collect();
        assert!(waits[..5].iter().all(Option::is_some), "five tries after the first");
        assert_eq!(waits[5], None);
        let (first, fourth) = (waits[0].expect("a wait"), waits[3].expect("a wait"));
        assert!(first <= Duration::from_millis(500) && first >= Duration::from_millis(250));
        assert!(fourth >= Duration::from_secs(2) && fourth <= Duration::from_secs(4));
    }

    #[test]
    fn what_the_other_system_asks_for_is_honoured() {
        let policy = RetryPolicy::default();
        let after = |seconds| Error::passing("busy").retry(Retry::After(Duration::from_secs(seconds)));
        assert_eq!(policy.wait(&after(7), 1), Some(Duration::from_secs(7)));
        assert_eq!(policy.wait(&after(3600), 1), None, "an hour is not waited for");
        assert_eq!(policy.wait(&Error::user("wrong password"), 1), None);
    }
}
