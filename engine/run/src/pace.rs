//! The rate of a sink, and how quickly it is answered.

use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use towpath_spec::document::Rate;

/// Keeps requests apart, so that no more than so many go out in so many seconds.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    gap: Option<Duration>,
    next: tokio::sync::Mutex<Duration>,
}

impl Pace {
    pub fn new(rate: Option<Rate>, clock: Arc<dyn Clock>) -> Self {
        let gap = rate
            .filter(|rate| rate.requests > 0.0)
            .map(|rate| Duration::from_secs_f64(rate.per_seconds / rate.requests));
        Self { gap, next: tokio::sync::Mutex::new(clock.now()), clock }
    }

    /// Whether there is nothing to wait for.
    pub fn is_unlimited(&self) -> bool {
        self.gap.is_none()
    }

    /// Waits for the next turn.
    pub async fn wait(&self) {
        let Some(gap) = self.gap else { return };
        let wait = {
            let (mut next, now) = (self.next.lock().await, self.clock.now());
            let at = (*next).max(now);
            *next = at + gap;
            at - now
        };
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }
}

/// Answers that come within this time are quick: a sync of the disk takes about a tenth of it.
const QUICK_MICROS: u64 = 10_000;

/// How long answers take, lately.
///
/// Where they take their time, a request can wait for its own intent to be on disk, and fewer records are in doubt after
/// a crash; where they are quick, intents have to be written ahead of them.
#[derive(Debug, Default)]
pub(crate) struct AnswerTime {
    micros: AtomicU64,
}

impl AnswerTime {
    /// An answer came after so long.
    pub fn took(&self, time: Duration) {
        let new = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let smooth = |old: u64| Some(if old == 0 { new } else { old - old / 8 + new / 8 });
        // It is an estimate: which of two that come at once counts first does not matter.
        let _ = self.micros.fetch_update(Ordering::Relaxed, Ordering::Relaxed, smooth);
    }

    /// Whether answers are known to be quick.
    pub fn is_quick(&self) -> bool {
        (1..QUICK_MICROS).contains(&self.micros.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod answer_times {
    use super::*;

    #[test]
    fn quick_is_what_was_quick_lately() {
        let time = AnswerTime::default();
        assert!(!time.is_quick(), "nothing is known yet");
        time.took(Duration::from_millis(2));
        assert!(time.is_quick());
        (0..20).for_each(|_| time.took(Duration::from_millis(100)));
        assert!(!time.is_quick());
        (0..40).for_each(|_| time.took(Duration::from_millis(1)));
        assert!(time.is_quick());
    }
}
