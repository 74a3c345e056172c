//! The rate of a sink.

use std::time::Duration;
use towpath_spec::document::Rate;

/// Keeps requests apart, so that no more than so many go out in so many seconds.
pub(crate) struct Pace {
    gap: Option<Duration>,
    next: tokio::sync::Mutex<tokio::time::Instant>,
}

impl Pace {
    pub fn new(rate: Option<Rate>) -> Self {
        let gap = rate
            .filter(|rate| rate.requests > 0.0)
            .map(|rate| Duration::from_secs_f64(rate.per_seconds / rate.requests));
        Self { gap, next: tokio::sync::Mutex::new(tokio::time::Instant::now()) }
    }

    /// Whether there is nothing to wait for.
    pub fn is_unlimited(&self) -> bool {
        self.gap.is_none()
    }

    /// Waits for the next turn.
    pub async fn wait(&self) {
        let Some(gap) = self.gap else { return };
        let at = {
            let mut next = self.next.lock().await;
            let at = (*next).max(tokio::time::Instant::now());
            *next = at + gap;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}
