//! The lines of the journal as they are written: intents, receipts, withdrawals, one after the other.
//!
//! What is serialised is serialised before the connection is taken, so that others may write meanwhile. A line that does not fit
//! what is known of its key is refused here; one that was written fits.

use crate::database::{Connection, OptionalExtension, params};
use crate::error::SqlResultExt;
use crate::picture::{Picture, Standing};
use crate::rules::{self, Hash};
use crate::{Entries, Outcome, Result, entering, packed, row};

/// Lines are entered in the journal once a run has so many keys under way, or when all runs together have made so many
/// calls. More of them would make for fewer changed pages, but for a longer time in which nothing else is written.
const ENOUGH: usize = 32_768;

/// Entries, ready to be stored.
pub(crate) struct Lines {
    packed: Vec<u8>,
    // The same, as far as they are checked.
    receipts: Vec<(Hash, Outcome)>,
    withdrawn: Vec<Hash>,
    intents: Vec<Hash>,
}

impl Lines {
    pub(crate) fn of(entries: Entries<'_>) -> Self {
        let mut packed = Vec::with_capacity(128 * (entries.intents.len() + entries.receipts.len()));
        for receipt in entries.receipts {
            let fields = row::json_text(&receipt.fields);
            let message = receipt.message.as_deref();
            packed::put_receipt(&mut packed, &receipt.key_hash, receipt.outcome, fields.as_deref(), message);
        }
        entries.withdrawn.iter().for_each(|key_hash| packed::put_withdrawal(&mut packed, key_hash));
        for intent in entries.intents {
            let key = row::json_text(&intent.key);
            packed::put_intent(&mut packed, &intent.key_hash, &intent.payload_hash, key.as_deref(), &intent.content);
        }
        Self {
            packed,
            receipts: entries.receipts.iter().map(|receipt| (receipt.key_hash, receipt.outcome)).collect(),
            withdrawn: entries.withdrawn.to_vec(),
            intents: entries.intents.iter().map(|intent| intent.key_hash).collect(),
        }
    }
}

/// Writes lines into a transaction.
pub(crate) struct Hand<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) picture: &'a mut Picture,
    pub(crate) route: i64,
    pub(crate) run: i64,
    pub(crate) now: i64,
}

impl Hand<'_> {
    pub(crate) fn write(&mut self, lines: &Lines) -> Result<()> {
        let as_before = |key_hash| self.picture.of(self.route, key_hash) == Some(Standing::AsBefore);
        // What an earlier run has left, or a transaction that came to nothing; or a key has to be looked up.
        if !self.picture.whole || lines.receipts.iter().any(|(key_hash, _)| as_before(key_hash)) {
            self.enter()?;
        }
        self.check(lines)?;
        self.connection
            .prepare_cached("INSERT INTO under_way (route, run, at, lines) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut put| put.execute(params![self.route, self.run, self.now, lines.packed]))
            .doing("journalling")?;
        if self.picture.len() >= ENOUGH || entering::waiting(self.connection)? >= ENOUGH as u64 {
            self.enter()?;
        }
        Ok(())
    }

    /// Fails at the first line that does not fit. None of the lines is written yet: what they change is in the picture.
    fn check(&mut self, lines: &Lines) -> Result<()> {
        for (key_hash, outcome) in &lines.receipts {
            if rules::settles(self.outcome(key_hash)?, *outcome)? {
                self.picture.note(self.route, *key_hash, Standing::Is(*outcome));
            }
        }
        for key_hash in &lines.withdrawn {
            rules::withdraws(self.outcome(key_hash)?)?;
            self.picture.note(self.route, *key_hash, Standing::AsBefore);
        }
        for key_hash in &lines.intents {
            self.picture.note(self.route, *key_hash, Standing::Is(Outcome::Intent));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<()> {
        entering::enter(self.connection)?;
        self.picture.clear();
        Ok(())
    }

    /// How a key stands after all lines so far; none also for one whose intent was withdrawn, which has none to be withdrawn
    /// again.
    fn outcome(&self, key_hash: &Hash) -> Result<Option<Outcome>> {
        match self.picture.of(self.route, key_hash) {
            Some(Standing::Is(outcome)) => Ok(Some(outcome)),
            Some(Standing::AsBefore) => Ok(None),
            None => self
                .connection
                .prepare_cached("SELECT outcome FROM journal WHERE route = ?1 AND key_hash = ?2")
                .and_then(|mut known| known.query_row(params![self.route, key_hash], |found| found.get(0)).optional())
                .doing("looking up a record"),
        }
    }
}
