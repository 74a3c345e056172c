//! The rules of the journal: what an entry makes of what was known of a key.
//!
//! Nothing here touches the database, so that a rule is written once, whether it is applied line by line or in bulk.

use crate::{Error, Outcome, Result};
use std::borrow::Cow;

/// A hash, of a key or of what is sent.
pub(crate) type Hash = [u8; 16];

/// One thing said of a key. Texts are as stored, and where they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry<'a> {
    /// It is about to be sent.
    Intent { payload_hash: Hash, key: Option<&'a str>, content: &'a [u8] },
    /// It was answered.
    Receipt { outcome: Outcome, fields: Option<&'a str>, message: Option<&'a str> },
    /// Its latest intent was not acted on.
    Withdrawal,
}

/// What is known of a key: a row of the journal.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    pub(crate) latest: Write<'a>,
    pub(crate) outcome: Outcome,
    /// Times it may have left since its state was last certain.
    pub(crate) attempts: i64,
    pub(crate) key: Option<Cow<'a, str>>,
    pub(crate) message: Option<Cow<'a, str>>,
    /// The last write that was confirmed; none while that is the latest.
    pub(crate) confirmed: Option<Write<'a>>,
}

/// A payload, what the target gave for it, and who wrote it down when.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) payload_hash: Hash,
    /// What its fields hash to; empty where nobody said.
    pub(crate) content: Cow<'a, [u8]>,
    pub(crate) fields: Option<Cow<'a, str>>,
    pub(crate) run: i64,
    pub(crate) at: i64,
}

/// Whether a receipt changes a key that stands so; no if it only repeats what is known.
///
/// # Errors
/// [`Error::Misuse`] for a key without an intent, and for a settled one that is said to have ended otherwise.
pub(crate) fn settles(before: Option<Outcome>, receipt: Outcome) -> Result<bool> {
    match before {
        Some(before) if !before.is_settled() => Ok(true),
        // The same answer twice is no harm.
        Some(before) if before == receipt => Ok(false),
        Some(before) => {
            Err(Error::Misuse(format!("a record that is settled as {before:?} was given the receipt {receipt:?}")))
        }
        None => Err(Error::Misuse("a receipt came for a record without an intent".into())),
    }
}

/// Fails unless a key that stands so has an intent to be withdrawn.
pub(crate) fn withdraws(before: Option<Outcome>) -> Result<()> {
    match before {
        Some(Outcome::Intent) => Ok(()),
        _ => Err(Error::Misuse("an intent was withdrawn that is not there".into())),
    }
}

/// What is known after an entry that `run` made at that time.
///
/// # Errors
/// Those of [`settles`] and [`withdraws`].
pub(crate) fn apply<'a>(before: Option<Known<'a>>, entry: Entry<'a>, run: i64, at: i64) -> Result<Option<Known<'a>>> {
    let outcome = before.as_ref().map(|before| before.outcome);
    match entry {
        Entry::Intent { payload_hash, key, content } => {
            let latest = Write { payload_hash, content: content.into(), fields: None, run, at };
            Ok(Some(intended(before, latest, key.map(Cow::from))))
        }
        Entry::Receipt { outcome: receipt, fields, message } => match (settles(outcome, receipt)?, before) {
            (true, Some(known)) => Ok(Some(received(known, receipt, fields, message, run, at))),
            (_, before) => Ok(before),
        },
        Entry::Withdrawal => {
            withdraws(outcome)?;
            Ok(before.and_then(withdrawn))
        }
    }
}

/// A confirmed attempt becomes what was confirmed before; one that is open is counted.
fn intended<'a>(before: Option<Known<'a>>, latest: Write<'a>, key: Option<Cow<'a, str>>) -> Known<'a> {
    let (attempts, confirmed) = match before {
        Some(before) if before.outcome == Outcome::Confirmed => (0, Some(before.latest)),
        Some(before) if before.outcome == Outcome::Refused => (0, before.confirmed),
        Some(before) => (before.attempts, before.confirmed),
        None => (0, None),
    };
    Known { latest, outcome: Outcome::Intent, attempts: attempts + 1, key, message: None, confirmed }
}

/// A confirmation makes what was confirmed before a thing of the past.
fn received<'a>(
    before: Known<'a>,
    outcome: Outcome,
    fields: Option<&'a str>,
    message: Option<&'a str>,
    run: i64,
    at: i64,
) -> Known<'a> {
    let fields = fields.map(Cow::from);
    Known {
        latest: Write { fields, run, at, ..before.latest },
        outcome,
        attempts: if outcome.is_settled() { 0 } else { before.attempts },
        key: before.key,
        message: message.map(Cow::from),
        confirmed: before.confirmed.filter(|_| outcome != Outcome::Confirmed),
    }
}

/// What was open before the intent is unknown again, else what was confirmed stands again, else nothing is known.
fn withdrawn(before: Known<'_>) -> Option<Known<'_>> {
    if before.attempts > 1 {
        return Some(Known { outcome: Outcome::Unknown, attempts: before.attempts - 1, ..before });
    }
    let latest = before.confirmed?;
    Some(Known { latest, outcome: Outcome::Confirmed, attempts: 0, confirmed: None, ..before })
}
