//! The lines of the journal as they are written: intents, receipts, withdrawals.
//!
//! What is serialised is serialised before the connection is taken, so that others may write meanwhile. Statements are
//! looked up once for all lines.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::SqlResultExt;
use crate::{Entries, Error, Outcome, Result, row};

type Hash = [u8; 16];

/// Entries, ready to be stored.
pub(crate) struct Lines {
    /// Key, payload, and the key as text.
    intents: Vec<(Hash, Hash, Option<String>)>,
    receipts: Vec<Line>,
    withdrawn: Vec<Hash>,
}

/// A receipt, ready to be stored.
struct Line {
    key_hash: Hash,
    outcome: Outcome,
    fields: Option<String>,
    message: Option<String>,
}

impl Lines {
    pub(crate) fn of(entries: Entries<'_>) -> Self {
        let intents = entries.intents.iter();
        let receipts = entries.receipts.iter().map(|receipt| Line {
            key_hash: receipt.key_hash,
            outcome: receipt.outcome,
            fields: row::json_text(&receipt.fields),
            message: receipt.message.clone(),
        });
        Self {
            intents: intents
                .map(|intent| (intent.key_hash, intent.payload_hash, row::json_text(&intent.key)))
                .collect(),
            receipts: receipts.collect(),
            withdrawn: entries.withdrawn.to_vec(),
        }
    }
}

/// Writes lines into a transaction.
pub(crate) struct Hand<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) route: i64,
    pub(crate) run: i64,
    pub(crate) now: i64,
}

impl Hand<'_> {
    pub(crate) fn write(&self, lines: &Lines) -> Result<()> {
        self.settle(&lines.receipts)?;
        lines.withdrawn.iter().try_for_each(|key_hash| self.withdraw(key_hash))?;
        self.intend(&lines.intents)
    }

    fn intend(&self, intents: &[(Hash, Hash, Option<String>)]) -> Result<()> {
        let Self { connection, route, run, now } = self;
        let mut put = connection.prepare_cached(INTEND).doing("journalling intents")?;
        for (key_hash, payload_hash, key) in intents {
            put.execute(params![route, key_hash, payload_hash, run, now, key]).doing("journalling intents")?;
        }
        Ok(())
    }

    fn settle(&self, receipts: &[Line]) -> Result<()> {
        let Self { connection, route, run, now } = self;
        let mut usual = connection.prepare_cached(SETTLE_OWN).doing("journalling receipts")?;
        let mut any = connection.prepare_cached(SETTLE).doing("journalling receipts")?;
        for Line { key_hash, outcome, fields, message } in receipts {
            let values = params![route, key_hash, outcome, run, now, fields, message];
            let settled = usual.execute(values).doing("journalling receipts")? == 1
                || any.execute(values).doing("journalling receipts")? == 1;
            if !settled {
                self.explain(key_hash, *outcome)?;
            }
        }
        Ok(())
    }

    /// A receipt that settled nothing.
    fn explain(&self, key_hash: &Hash, outcome: Outcome) -> Result<()> {
        let settled: Option<Outcome> = self
            .connection
            .prepare_cached("SELECT outcome FROM journal WHERE route = ?1 AND key_hash = ?2")
            .and_then(|mut known| known.query_row(params![self.route, key_hash], |found| found.get(0)).optional())
            .doing("journalling receipts")?;
        match settled {
            // The same answer twice is no harm.
            Some(settled) if settled == outcome => Ok(()),
            Some(settled) => {
                Err(Error::Misuse(format!("a record that is settled as {settled:?} was given the receipt {outcome:?}")))
            }
            None => Err(Error::Misuse("a receipt came for a record without an intent".into())),
        }
    }

    fn withdraw(&self, key_hash: &Hash) -> Result<()> {
        let changed = |sql| {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute(params![self.route, key_hash]))
                .doing("withdrawing intents")
        };
        if changed(WITHDRAW_FIRST)? == 1 || changed(WITHDRAW)? == 1 {
            return Ok(());
        }
        Err(Error::Misuse("an intent was withdrawn that is not there".into()))
    }
}

/// In the update, bare names are the old row: a confirmed attempt moves to the columns of what was confirmed before.
const INTEND: &str = "
    INSERT INTO journal (route, key_hash, payload_hash, outcome, attempts, run, at, key)
    VALUES (?1, ?2, ?3, 0, 1, ?4, ?5, ?6)
    ON CONFLICT (route, key_hash) DO UPDATE SET
        confirmed_hash   = iif(outcome = 1, payload_hash, confirmed_hash),
        confirmed_fields = iif(outcome = 1, fields, confirmed_fields),
        confirmed_run    = iif(outcome = 1, run, confirmed_run),
        confirmed_at     = iif(outcome = 1, at, confirmed_at),
        payload_hash = excluded.payload_hash,
        outcome = 0,
        attempts = iif(outcome IN (0, 3), attempts + 1, 1),
        run = excluded.run,
        at = excluded.at,
        key = excluded.key,
        fields = NULL,
        message = NULL";

/// Only an open row is changed. A confirmation makes what was confirmed before a thing of the past.
const SETTLE: &str = "
    UPDATE journal SET
        outcome = ?3,
        run = ?4,
        at = ?5,
        fields = ?6,
        message = ?7,
        attempts = iif(?3 = 3, attempts, 0),
        confirmed_hash   = iif(?3 = 1, NULL, confirmed_hash),
        confirmed_fields = iif(?3 = 1, NULL, confirmed_fields),
        confirmed_run    = iif(?3 = 1, NULL, confirmed_run),
        confirmed_at     = iif(?3 = 1, NULL, confirmed_at)
    WHERE route = ?1 AND key_hash = ?2 AND outcome IN (0, 3)";

/// The usual case of [`SETTLE`]: a run settles what it put down itself, and nothing was confirmed before. Columns that
/// refer to runs stay as they are, so no reference has to be checked.
const SETTLE_OWN: &str = "
    UPDATE journal SET
        outcome = ?3,
        at = ?5,
        fields = ?6,
        message = ?7,
        attempts = iif(?3 = 3, attempts, 0)
    WHERE route = ?1 AND key_hash = ?2 AND outcome IN (0, 3) AND run = ?4 AND confirmed_hash IS NULL";

/// Takes back the intent of a key of which nothing else is known.
const WITHDRAW_FIRST: &str = "
    DELETE FROM journal WHERE route = ?1 AND key_hash = ?2 AND outcome = 0 AND attempts = 1 AND confirmed_hash IS NULL";

/// Takes back an intent over something older: what was open is unknown again, else what was confirmed stands again.
const WITHDRAW: &str = "
    UPDATE journal SET
        outcome = iif(attempts > 1, 3, 1),
        payload_hash = iif(attempts > 1, payload_hash, confirmed_hash),
        fields = iif(attempts > 1, NULL, confirmed_fields),
        run = iif(attempts > 1, run, confirmed_run),
        at = iif(attempts > 1, at, confirmed_at),
        attempts = attempts - 1,
        confirmed_hash   = iif(attempts > 1, confirmed_hash, NULL),
        confirmed_fields = iif(attempts > 1, confirmed_fields, NULL),
        confirmed_run    = iif(attempts > 1, confirmed_run, NULL),
        confirmed_at     = iif(attempts > 1, confirmed_at, NULL)
    WHERE route = ?1 AND key_hash = ?2 AND outcome = 0";
