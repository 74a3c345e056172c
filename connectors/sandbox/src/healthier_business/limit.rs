//! How many requests a minute version 2 takes. The minute begins with its first request.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A limit, or none.
pub(super) struct Limit {
    most: Option<u32>,
    minute: Mutex<Option<Minute>>,
}

struct Minute {
    since: Instant,
    requests: u32,
}

impl Limit {
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, minute: Mutex::default() }
    }

    /// Forgets what was asked so far.
    pub(super) fn clear(&self) {
        *self.minute.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Counts a request.
    ///
    /// # Errors
    /// One too many; the seconds until the minute is over, rounded up.
    pub(super) fn admit(&self) -> Result<(), u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Result<(), u64> {
        let Some(most) = self.most else { return Ok(()) };
        let mut kept = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = match kept.take() {
            Some(minute) if now.duration_since(minute.since) < MINUTE => minute,
            _ => Minute { since: now, requests: 0 },
        };
        let minute = kept.insert(minute);
        if minute.requests < most {
            minute.requests += 1;
            return Ok(());
        }
        let left = MINUTE.saturating_sub(now.duration_since(minute.since));
        Err(left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_takes_so_many_and_the_next_one_as_many_again() {
        let (limit, start) = (Limit::new(Some(2)), Instant::now());
        assert_eq!([0, 10].map(|seconds| limit.admit_at(start + Duration::from_secs(seconds))), [Ok(()), Ok(())]);
        assert_eq!(limit.admit_at(start + Duration::from_millis(10_500)), Err(50), "rounded up");
        assert_eq!(limit.admit_at(start + Duration::from_millis(59_999)), Err(1));
        assert_eq!(limit.admit_at(start + MINUTE), Ok(()));
        limit.clear();
        assert_eq!(limit.admit_at(start + MINUTE), Ok(()));
    }

    #[test]
    fn without_a_limit_nothing_is_too_many() {
        let limit = Limit::new(None);
        assert!((0..1000).all(|_| limit.admit().is_ok()));
    }
}
