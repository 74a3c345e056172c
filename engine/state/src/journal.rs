//! The journal: intents before records leave, receipts after they are answered.
//!
//! A key of a sink and target has one row. An intent opens it, a receipt settles it, and nothing else does; a run that
//! starts reads what is open and decides. A new intent over an open one is allowed (that is what resending is) and
//! counted in [`Receipt::attempts`]. What was confirmed last stays on the row until something newer is confirmed, so
//! that ids the target gave out are never lost to a later attempt that failed.
//!
//! The caller sees to it that a key has no two sends under way at the same time: both would be one row here.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::SqlResultExt;
use crate::lock::Claim;
use crate::{
    Confirmed, Error, Intent, Lock, Outcome, OutcomeCounts, Receipt, ReceiptIn, Result, RunId, Scope, SinkCounts,
    Store, Unsettled, row, runs,
};

impl Store {
    /// What the journal knows of each key, in the order asked; none for a key never sent to this target.
    ///
    /// # Errors
    /// Those of a read.
    pub fn sent_before(
        &self,
        scope: &Scope,
        sink: &str,
        target: &str,
        keys: &[[u8; 16]],
    ) -> Result<Vec<Option<Receipt>>> {
        self.read(|connection| {
            let Some(route) = find_route(connection, scope, sink, target)? else {
                return Ok(vec![None; keys.len()]);
            };
            connection
                .prepare_cached(&one_key())
                .and_then(|mut known| {
                    keys.iter().map(|key| known.query_row(params![route, key], receipt).optional()).collect()
                })
                .doing("reading the journal")
        })
    }

    /// Puts down that these records are about to be sent. When it returns, that is on disk: send only then.
    ///
    /// Threads that call it, or [`Store::receive`], at the same time share a transaction and a sync.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the lock was lost, [`Error::NoSuchRun`] if the run never began, [`Error::DiskFull`]. None of these
    /// records was put down then: do not send.
    pub fn intend(
        &self,
        lock: &Lock,
        scope: &Scope,
        sink: &str,
        target: &str,
        run: &RunId,
        intents: &[Intent],
    ) -> Result<()> {
        let page = Page::new(lock, scope, sink, target, run)?;
        if intents.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> =
            intents.iter().map(|intent| (intent.key_hash, intent.payload_hash, row::json_text(&intent.key))).collect();
        self.write_grouped(move |connection| {
            let (route, run) = page.open(connection)?;
            let mut put = connection.prepare_cached(INTEND).doing("journalling intents")?;
            let now = row::now();
            for (key_hash, payload_hash, key) in &lines {
                put.execute(params![route, key_hash, payload_hash, run, now, key]).doing("journalling intents")?;
            }
            Ok(())
        })
    }

    /// Puts down the answers to records that were sent: confirmed, refused or unknown. An unknown record may get its
    /// receipt later, from a verification. On disk when it returns.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the lock was lost; [`Error::Misuse`] for a key without an intent, for [`Outcome::Intent`], and for a
    /// settled record that is said to have ended otherwise. None of the receipts was put down then.
    pub fn receive(
        &self,
        lock: &Lock,
        scope: &Scope,
        sink: &str,
        target: &str,
        run: &RunId,
        receipts: &[ReceiptIn],
    ) -> Result<()> {
        let page = Page::new(lock, scope, sink, target, run)?;
        if receipts.iter().any(|receipt| receipt.outcome == Outcome::Intent) {
            return Err(Error::Misuse("an intent was given as a receipt".into()));
        }
        if receipts.is_empty() {
            return Ok(());
        }
        let lines: Vec<_> = receipts
            .iter()
            .map(|receipt| Line {
                key_hash: receipt.key_hash,
                outcome: receipt.outcome,
                fields: row::json_text(&receipt.fields),
                message: receipt.message.clone(),
            })
            .collect();
        self.write_grouped(move |connection| {
            let (route, run) = page.open(connection)?;
            let now = row::now();
            lines.iter().try_for_each(|line| settle(connection, route, run, now, line))
        })
    }

    /// What a crash or an ambiguous answer has left: intents without a receipt, and unknown outcomes, oldest first in
    /// every sink. Its cost grows with what is open, not with the journal.
    ///
    /// # Errors
    /// Those of a read.
    pub fn unknown(&self, scope: &Scope) -> Result<Vec<Unsettled>> {
        self.read(|connection| {
            let Some(scope) = scope.find(connection)? else {
                return Ok(Vec::new());
            };
            connection
                .prepare_cached(&unsettled_keys())
                .and_then(|mut open| open.query_map([scope], unsettled)?.collect())
                .doing("reading what is unsettled")
        })
    }

    /// How many keys of every sink and target are in which state. Reads the whole journal of the scope.
    ///
    /// # Errors
    /// Those of a read.
    pub fn journal_counts(&self, scope: &Scope) -> Result<Vec<SinkCounts>> {
        let rows: Vec<(String, String, Outcome, u64)> = self.read(|connection| {
            let Some(scope) = scope.find(connection)? else {
                return Ok(Vec::new());
            };
            connection
                .prepare_cached(
                    "SELECT sink, target, outcome, count(*) FROM route JOIN journal ON journal.route = route.id
                     WHERE scope = ?1 GROUP BY sink, target, outcome ORDER BY sink, target",
                )
                .and_then(|mut counts| {
                    counts
                        .query_map([scope], |found| {
                            Ok((found.get(0)?, found.get(1)?, found.get(2)?, row::count(found, 3)?))
                        })?
                        .collect()
                })
                .doing("counting the journal")
        })?;
        Ok(gather(rows))
    }
}

fn gather(rows: Vec<(String, String, Outcome, u64)>) -> Vec<SinkCounts> {
    let mut sinks: Vec<SinkCounts> = Vec::new();
    for (sink, target, outcome, keys) in rows {
        if sinks.last().is_none_or(|last| last.sink != sink || last.target != target) {
            let counts = OutcomeCounts::default();
            sinks.push(SinkCounts { sink, target, counts });
        }
        if let Some(SinkCounts { counts, .. }) = sinks.last_mut() {
            match outcome {
                Outcome::Intent => counts.intents = keys,
                Outcome::Confirmed => counts.confirmed = keys,
                Outcome::Refused => counts.refused = keys,
                Outcome::Unknown => counts.unknown = keys,
            }
        }
    }
    sinks
}

/// Where a group of lines belongs, and the right to write them.
struct Page {
    claim: Claim,
    sink: String,
    target: String,
}

impl Page {
    fn new(lock: &Lock, scope: &Scope, sink: &str, target: &str, run: &RunId) -> Result<Self> {
        Ok(Self { claim: lock.claim_for(scope, Some(run))?, sink: sink.to_owned(), target: target.to_owned() })
    }

    /// The numbers of route and run, after a look at the lock.
    fn open(&self, connection: &Connection) -> Result<(i64, i64)> {
        self.claim.verify(connection)?;
        let run = runs::known(connection, &self.claim.run)?;
        let known = route(connection, self.claim.scope_id, &self.sink, &self.target)?;
        if let Some(route) = known {
            return Ok((route, run));
        }
        connection
            .execute(
                "INSERT INTO route (scope, sink, target) VALUES (?1, ?2, ?3)",
                params![self.claim.scope_id, self.sink, self.target],
            )
            .doing("opening the journal of a sink")?;
        Ok((connection.last_insert_rowid(), run))
    }
}

fn route(connection: &Connection, scope: i64, sink: &str, target: &str) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM route WHERE scope = ?1 AND sink = ?2 AND target = ?3")
        .and_then(|mut known| known.query_row(params![scope, sink, target], |found| found.get(0)).optional())
        .doing("looking up the journal of a sink")
}

fn find_route(connection: &Connection, scope: &Scope, sink: &str, target: &str) -> Result<Option<i64>> {
    match scope.find(connection)? {
        Some(scope) => route(connection, scope, sink, target),
        None => Ok(None),
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

/// A receipt, ready to be stored.
struct Line {
    key_hash: [u8; 16],
    outcome: Outcome,
    fields: Option<String>,
    message: Option<String>,
}

fn settle(connection: &Connection, route: i64, run: i64, now: i64, line: &Line) -> Result<()> {
    let Line { key_hash, outcome, fields, message } = line;
    let changed = connection
        .prepare_cached(SETTLE)
        .and_then(|mut settle| settle.execute(params![route, key_hash, outcome, run, now, fields, message]))
        .doing("journalling receipts")?;
    if changed == 1 {
        return Ok(());
    }
    let settled: Option<Outcome> = connection
        .prepare_cached("SELECT outcome FROM journal WHERE route = ?1 AND key_hash = ?2")
        .and_then(|mut known| known.query_row(params![route, key_hash], |found| found.get(0)).optional())
        .doing("journalling receipts")?;
    match settled {
        // The same answer twice is no harm.
        Some(settled) if settled == *outcome => Ok(()),
        Some(settled) => {
            Err(Error::Misuse(format!("a record that is settled as {settled:?} was given the receipt {outcome:?}")))
        }
        None => Err(Error::Misuse("a receipt came for a record without an intent".into())),
    }
}

/// The columns of a receipt, in the order [`receipt`] reads them.
const RECEIPT: &str = "payload_hash, outcome, fields, message, latest.id, at, attempts,
    confirmed_hash, confirmed_fields, earlier.id, confirmed_at";

/// The ids of the two runs a receipt may name.
const RUNS: &str =
    "JOIN run AS latest ON latest.no = journal.run LEFT JOIN run AS earlier ON earlier.no = confirmed_run";

fn one_key() -> String {
    format!("SELECT {RECEIPT} FROM journal {RUNS} WHERE route = ?1 AND key_hash = ?2")
}

fn unsettled_keys() -> String {
    format!(
        "SELECT {RECEIPT}, key_hash, key, sink, target FROM route JOIN journal ON journal.route = route.id {RUNS}
         WHERE route.scope = ?1 AND outcome IN (0, 3) ORDER BY sink, target, journal.id"
    )
}

fn receipt(found: &Row<'_>) -> rusqlite::Result<Receipt> {
    let mut receipt = Receipt {
        payload_hash: found.get(0)?,
        outcome: found.get(1)?,
        fields: row::json(found, 2)?,
        message: found.get(3)?,
        run: row::run_id(found, 4)?,
        at: row::time(found, 5)?,
        attempts: found.get(6)?,
        confirmed: None,
    };
    receipt.confirmed = match found.get::<_, Option<[u8; 16]>>(7)? {
        Some(payload_hash) => Some(Confirmed {
            payload_hash,
            fields: row::json(found, 8)?,
            run: row::run_id(found, 9)?,
            at: row::time(found, 10)?,
        }),
        None if receipt.outcome == Outcome::Confirmed => Some(Confirmed {
            payload_hash: receipt.payload_hash,
            fields: receipt.fields.clone(),
            run: receipt.run,
            at: receipt.at,
        }),
        None => None,
    };
    Ok(receipt)
}

fn unsettled(found: &Row<'_>) -> rusqlite::Result<Unsettled> {
    Ok(Unsettled {
        key_hash: found.get(11)?,
        key: row::json(found, 12)?,
        sink: found.get(13)?,
        target: found.get(14)?,
        receipt: receipt(found)?,
    })
}

/// The lookups that must stay fast on a journal of millions, and the index each is to use.
#[cfg(test)]
pub(crate) fn lookups() -> [(String, &'static str); 2] {
    [(one_key(), "journal_by_key"), (unsettled_keys(), "journal_unsettled")]
}
