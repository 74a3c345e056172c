//! The switch: holds the rules in force, counts requests per rule and says which strike.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{Fault, FaultError, Faults, Rule};

/// Changes the faults of a stand-in while it runs. Clones switch the same stand-in.
#[derive(Debug, Clone)]
pub struct FaultSwitch {
    system: &'static str,
    in_force: Arc<RwLock<Arc<InForce>>>,
}

#[derive(Debug)]
struct InForce {
    faults: Faults,
    counts: Vec<AtomicU64>,
    reads_bodies: bool,
    /// Nobody ever gets a place here; it is closed when other rules come into force, and then the waiting ends.
    hall: Semaphore,
}

/// What is known of a request when it arrives.
pub(crate) struct Asked<'a> {
    pub operation: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub body: &'a [u8],
}

/// What strikes a request.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    pub delay: Duration,
    pub fault: Option<Fault>,
    held_by: Option<Arc<InForce>>,
}

impl Struck {
    /// Why the answer is late, when it is.
    pub(crate) fn late(&self) -> Option<&'static str> {
        match (&self.held_by, self.delay) {
            (Some(_), _) => Some("hold"),
            (None, Duration::ZERO) => None,
            (None, _) => Some("slow"),
        }
    }

    /// Waits for as long as the request is held: until other rules are in force.
    pub(crate) async fn let_go(&self) {
        if let Some(in_force) = &self.held_by {
            // An error is what is waited for: the hall was closed.
            let _ = in_force.hall.acquire().await;
        }
    }
}

impl FaultSwitch {
    pub(crate) fn new(system: &'static str, faults: Faults) -> Result<Self, FaultError> {
        faults.check_for(system)?;
        Ok(Self { system, in_force: Arc::new(RwLock::new(Arc::new(InForce::of(faults)))) })
    }

    /// Puts these rules in force instead of those before; all counts begin anew.
    ///
    /// # Errors
    /// When this stand-in cannot do one of them; the rules before then stay.
    pub fn set(&self, faults: Faults) -> Result<(), FaultError> {
        faults.check_for(self.system)?;
        self.replace(faults);
        Ok(())
    }

    /// [`Faults::parse`], then [`set`](Self::set).
    ///
    /// # Errors
    /// As those two.
    pub fn set_text(&self, text: &str) -> Result<(), FaultError> {
        self.set(Faults::parse(text)?)
    }

    /// No faults from now on.
    pub fn clear(&self) {
        self.replace(Faults::none());
    }

    fn replace(&self, faults: Faults) {
        let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *in_force, Arc::new(InForce::of(faults))).hall.close();
    }

    /// The rules in force.
    pub fn current(&self) -> Faults {
        self.in_force().faults.clone()
    }

    /// How many requests each rule has met so far, struck or not.
    pub fn met(&self) -> Vec<u64> {
        self.in_force().counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    pub(crate) fn token_uses(&self) -> Option<u64> {
        self.in_force().faults.token_uses
    }

    /// Whether a rule needs the request's body to decide.
    pub(crate) fn reads_bodies(&self) -> bool {
        self.in_force().reads_bodies
    }

    pub(crate) fn strike(&self, asked: &Asked<'_>) -> Struck {
        let in_force = self.in_force();
        let mut struck = Struck::default();
        for (rule, count) in in_force.faults.rules.iter().zip(&in_force.counts) {
            if !rule.means(asked) || !rule.selection.strikes(count.fetch_add(1, Ordering::Relaxed) + 1) {
                continue;
            }
            match &rule.fault {
                Fault::Slow { delay } => struck.delay += *delay,
                Fault::Hold => struck.held_by = Some(Arc::clone(&in_force)),
                fault if struck.fault.is_none() => struck.fault = Some(fault.clone()),
                _ => {}
            }
        }
        struck
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InForce {
    fn of(faults: Faults) -> Self {
        Self {
            counts: faults.rules.iter().map(|_| AtomicU64::new(0)).collect(),
            reads_bodies: faults.rules.iter().any(|rule| rule.selection.body.is_some()),
            faults,
            hall: Semaphore::new(0),
        }
    }
}

impl Rule {
    fn means(&self, asked: &Asked<'_>) -> bool {
        let selection = &self.selection;
        selection.operation.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(asked.operation))
            && selection.path.as_deref().is_none_or(|part| asked.path.contains(part))
            && selection.method.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(asked.method))
            && selection.body.as_deref().is_none_or(|part| String::from_utf8_lossy(asked.body).contains(part))
    }
}
