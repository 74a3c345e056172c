//! How fast and how many at a time one host is asked, and when it wants to be left alone.
//!
//! One limiter serves all users of a connection (sources, lookups, sinks, logins), so that a limit holds for their sum.
//! Requests are spaced evenly rather than let go in a burst: vendors count in windows we do not know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use towpath_connector::{Error, Result};

/// How far behind its schedule a host may fall and still catch up: timers are not finer than this.
const SLACK: Duration = Duration::from_millis(10);

/// Requests per time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Time from one request to the next.
    pub(crate) spacing: Duration,
}

impl Pace {
    /// So many requests in so many seconds; `None` when that is not a pace.
    pub(crate) fn new(requests: f64, seconds: f64) -> Option<Self> {
        let spacing = seconds / requests;
        (spacing.is_finite() && requests > 0.0 && spacing > 0.0)
            .then(|| Duration::try_from_secs_f64(spacing).ok())
            .flatten()
            .map(|spacing| Self { spacing })
    }

    /// Reads `600/min`, `10/s`, `1000/hour`, `5` (per second).
    pub(crate) fn parse(written: &str) -> Option<Self> {
        let (count, unit) = written.split_once('/').unwrap_or((written, "s"));
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            "d" | "day" => 86_400.0,
            _ => return None,
        };
        Self::new(count.trim().parse().ok()?, seconds)
    }
}

/// The limits of a connection, kept for each host by itself.
pub(crate) struct Limiter {
    pace: Option<Pace>,
    concurrency: usize,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

struct Host {
    slots: Arc<Semaphore>,
    times: Mutex<Times>,
}

struct Times {
    next: Instant,
    held_until: Instant,
}

impl Limiter {
    pub(crate) fn new(pace: Option<Pace>, concurrency: usize) -> Self {
        Self { pace, concurrency: concurrency.max(1), hosts: Mutex::default() }
    }

    /// Requests at a time to one host.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Waits until the host may be asked; the permit is kept for as long as the request takes.
    ///
    /// # Errors
    /// Never in practice: slots are not closed.
    pub(crate) async fn enter(&self, host: &str) -> Result<OwnedSemaphorePermit> {
        let host = self.host(host);
        let permit = Arc::clone(&host.slots)
            .acquire_owned()
            .await
            .map_err(|_| Error::bug("the request limiter was closed while in use"))?;
        loop {
            match host.claim(self.pace, Instant::now()) {
                None => return Ok(permit),
                Some(until) => tokio::time::sleep_until(until).await,
            }
        }
    }

    /// Leaves the host alone for a while: it asked for that.
    pub(crate) fn hold(&self, host: &str, pause: Duration) {
        let until = Instant::now() + pause;
        let host = self.host(host);
        let mut times = host.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.held_until = times.held_until.max(until);
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(name) {
            return Arc::clone(host);
        }
        let now = Instant::now();
        Arc::clone(hosts.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Host {
                slots: Arc::new(Semaphore::new(self.concurrency)),
                times: Mutex::new(Times { next: now, held_until: now }),
            })
        }))
    }
}

impl Host {
    /// Takes the next place in the schedule, or says until when to wait before asking again.
    fn claim(&self, pace: Option<Pace>, now: Instant) -> Option<Instant> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if times.held_until > now {
            return Some(times.held_until);
        }
        let pace = pace?;
        if times.next > now {
            return Some(times.next);
        }
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        times.next = times.next.max(earliest) + pace.spacing;
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_read_as_written() {
        assert_eq!(Pace::parse("600/min").unwrap().spacing, Duration::from_millis(100));
        assert_eq!(Pace::parse("5").unwrap().spacing, Duration::from_millis(200));
        assert_eq!(Pace::parse("3600/hour").unwrap().spacing, Duration::from_secs(1));
        assert_eq!(Pace::parse("0/min"), None);
        assert_eq!(Pace::parse("fast"), None);
        assert_eq!(Pace::parse("5/fortnight"), None);
    }

    /// Claims places on a clock of its own and tells how far that clock went.
    fn spend(host: &Host, pace: Option<Pace>, places: usize, start: Instant) -> Duration {
        let mut now = start;
        for _ in 0..places {
            while let Some(until) = host.claim(pace, now) {
                now = until;
            }
        }
        now - start
    }

    #[test]
    fn requests_are_spaced_for_all_users_together() {
        let pace = Pace::parse("10/s");
        let host = Limiter::new(pace, 4).host("h");
        let took = spend(&host, pace, 21, Instant::now());
        assert!(took >= Duration::from_millis(1950) && took <= Duration::from_millis(2010), "{took:?}");
    }

    #[test]
    fn a_held_host_waits_and_another_does_not() {
        let limiter = Limiter::new(None, 2);
        limiter.hold("slow", Duration::from_secs(7));
        let quick = limiter.host("quick");
        let now = Instant::now();
        assert_eq!(quick.claim(None, now), None);
        let until = limiter.host("slow").claim(None, now).unwrap();
        assert!(until - now > Duration::from_secs(6), "{:?}", until - now);
        assert_eq!(limiter.host("slow").claim(None, until), None);
    }

    #[tokio::test]
    async fn no_more_than_the_allowed_number_are_inside() {
        use futures::FutureExt;
        let limiter = Limiter::new(None, 2);
        let one = limiter.enter("h").await.unwrap();
        let _two = limiter.enter("h").await.unwrap();
        assert!(limiter.enter("h").now_or_never().is_none());
        drop(one);
        assert!(limiter.enter("h").now_or_never().is_some());
    }
}
