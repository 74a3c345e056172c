//! The switch: holds the rules in force, counts requests per rule and says which strike.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

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
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(InForce::of(faults));
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
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(InForce::of(Faults::none()));
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
