//! What a person says of records nobody knew the outcome of, and forgetting a journal.
//!
//! A record is held when it may have left and no answer tells whether the target has it. Whoever has looked there may say
//! so; from then on the journal stands as if the answer had come. Nothing else than an open record is ever changed so.

use crate::database::params;

use crate::error::SqlResultExt;
use crate::{Lock, Outcome, Result, Scope, Store, Unsettled, entering, row};

/// What somebody who looked at the target says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The target has it: it is not sent again.
    Delivered,
    /// The target does not have it: the next run sends it.
    NotDelivered,
}

impl Store {
    /// Settles open records, all or none of them: those of the same sink, target and key as one of these. Returns how many were
    /// open.
    ///
    /// # Errors
    /// [`crate::Error::Fenced`] if the lock was lost.
    pub fn settle(&self, lock: &Lock, scope: &Scope, records: &[Unsettled], verdict: Verdict) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("settling records", |connection| {
            claim.verify(connection)?;
            entering::enter(connection)?;
            // A confirmation makes what was confirmed before a thing of the past; a refusal leaves it as it is.
            let (outcome, message, earlier) = match verdict {
                Verdict::Delivered => (
                    Outcome::Confirmed,
                    "settled by hand: delivered",
                    ", confirmed_hash = NULL, confirmed_fields = NULL, confirmed_run = NULL, confirmed_at = NULL,
                       confirmed_content = NULL",
                ),
                Verdict::NotDelivered => (Outcome::Refused, "settled by hand: not delivered", ""),
            };
            let sql = format!(
                "UPDATE journal SET outcome = ?1, message = ?2, at = ?3, attempts = 0 {earlier}
                 WHERE key_hash = ?4 AND outcome IN (0, 3)
                 AND route IN (SELECT id FROM route WHERE scope = ?5 AND sink = ?6 AND target = ?7)"
            );
            let mut settle = connection.prepare(&sql).doing("settling records")?;
            let now = row::now();
            records
                .iter()
                .map(|Unsettled { sink, target, key_hash, .. }| {
                    let values = params![outcome, message, now, key_hash, claim.scope_id, sink, target];
                    settle.execute(values).doing("settling records")
                })
                .sum::<Result<usize>>()
        })
    }

    /// Forgets what a sink has delivered: the next run sends everything again. Returns how many keys there were.
    ///
    /// # Errors
    /// [`crate::Error::Fenced`] if the lock was lost.
    pub fn clear_journal(&self, lock: &Lock, scope: &Scope, sink: &str) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("clearing the journal", |connection| {
            claim.verify(connection)?;
            entering::enter(connection)?;
            connection
                .execute(
                    "DELETE FROM journal WHERE route IN (SELECT id FROM route WHERE scope = ?1 AND sink = ?2)",
                    params![claim.scope_id, sink],
                )
                .doing("clearing the journal")
        })
    }
}
