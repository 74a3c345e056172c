//! The journal: intents before records leave, receipts after they are answered.
//!
//! A key of a sink and target has one row. An intent opens it, a receipt settles it, and an intent of which it is certain
//! that nothing was sent can be withdrawn; a run that starts reads what is open and decides. A new intent over an open one is allowed (that is what resending is) and
//! counted in [`Receipt::attempts`]. What was confirmed last stays on the row until something newer is confirmed, so
//! that ids the target gave out are never lost to a later attempt that failed.
//!
//! While a run sends, all this is put down line by line in `under_way`, and entered in `journal` in bulk (see
//! [`crate::entering`]); what is said here of the journal is said of the two together.
//!
//! The caller sees to it that a key has no two sends under way at the same time: both would be one row here.

use crate::database::{Connection, OptionalExtension, Row, ToSqlOutput, params};
use crate::error::SqlResultExt;
use crate::lines::{Hand, Lines};
use crate::lock::{self, Claim};
use crate::picture::Draft;
use crate::{
    Confirmed, Entries, Error, Intent, Lock, Outcome, OutcomeCounts, Receipt, ReceiptIn, Result, RunId, Scope,
    SinkCounts, Store, Unsettled, row, runs,
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
        // Asked before the view is taken: what was entered by then is in the view.
        let token = self.pictures().token_without(scope, keys);
        let none_under_way = |connection: &Connection| match (token, scope.find(connection)?) {
            (Some(token), Some(scope)) => lock::is_held(connection, scope, token),
            _ => Ok(false),
        };
        self.read_journal(none_under_way, |connection| {
            let Some(route) = find_route(connection, scope, sink, target)? else {
                return Ok(vec![None; keys.len()]);
            };
            let keys = keys.iter().map(|key| [ToSqlOutput::from(route), ToSqlOutput::from(key.as_slice())]);
            connection.query_many(&one_key(), keys, receipt).doing("reading the journal")
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
        self.journal(lock, scope, sink, target, run, Entries { intents, ..Entries::default() })
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
        self.journal(lock, scope, sink, target, run, Entries { receipts, ..Entries::default() })
    }

    /// Receipts, withdrawals and intents, in this order, in one transaction with one sync: all of them are on disk when it
    /// returns, or none.
    ///
    /// # Errors
    /// Those of [`Store::intend`] and [`Store::receive`]; [`Error::Misuse`] for a withdrawal without an intent.
    pub fn journal(
        &self,
        lock: &Lock,
        scope: &Scope,
        sink: &str,
        target: &str,
        run: &RunId,
        entries: Entries<'_>,
    ) -> Result<()> {
        let page = Page::new(lock, scope, sink, target, run)?;
        if !lock.is_of(self) {
            return Err(Error::Misuse("a write under a lock that was taken through another handle".into()));
        }
        if entries.receipts.iter().any(|receipt| receipt.outcome == Outcome::Intent) {
            return Err(Error::Misuse("an intent was given as a receipt".into()));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let lines = Lines::of(entries);
        let pictures = self.pictures().clone();
        self.write_grouped(move |connection| {
            let (route, run) = page.open(connection)?;
            let Claim { scope, token, .. } = page.claim;
            let draft = Draft::new(pictures.clone(), scope.clone());
            pictures.with(&scope, token, |picture| {
                Hand { connection, picture, route, run, now: row::now() }.write(&lines)
            })?;
            Ok(draft)
        })
    }

    /// Enters in the journal what runs have put down line by line.
    pub(crate) fn enter_journal(&self) -> Result<()> {
        self.read_journal(any_line_matters, |_| Ok(()))
    }

    /// What a crash or an ambiguous answer has left: intents without a receipt, and unknown outcomes, oldest first in
    /// every sink. Its cost grows with what is open, not with the journal.
    ///
    /// # Errors
    /// Those of a read.
    pub fn unknown(&self, scope: &Scope) -> Result<Vec<Unsettled>> {
        self.read_journal(any_line_matters, |connection| {
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
        let rows: Vec<(String, String, Outcome, u64)> = self.read_journal(any_line_matters, |connection| {
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

/// Nothing that is under way may be left out.
fn any_line_matters(_: &Connection) -> Result<bool> {
    Ok(false)
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
        let route = connection
            .query_row(
                "INSERT INTO route (scope, sink, target) VALUES (?1, ?2, ?3) RETURNING id",
                params![self.claim.scope_id, self.sink, self.target],
                |found| found.get(0),
            )
            .doing("opening the journal of a sink")?;
        Ok((route, run))
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

/// The columns of a receipt, in the order [`receipt`] reads them.
const RECEIPT: &str = "payload_hash, outcome, fields, message, latest.id, at, attempts,
    confirmed_hash, confirmed_fields, earlier.id, confirmed_at, content, confirmed_content";

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

fn receipt(found: &Row<'_>) -> crate::database::Result<Receipt> {
    let mut receipt = Receipt {
        payload_hash: found.get(0)?,
        content: found.get::<Option<Vec<u8>>>(11)?.unwrap_or_default(),
        outcome: found.get(1)?,
        fields: row::json(found, 2)?,
        message: found.get(3)?,
        run: row::run_id(found, 4)?,
        at: row::time(found, 5)?,
        attempts: found.get(6)?,
        confirmed: None,
    };
    receipt.confirmed = match found.get::<Option<[u8; 16]>>(7)? {
        Some(payload_hash) => Some(Confirmed {
            payload_hash,
            content: found.get::<Option<Vec<u8>>>(12)?.unwrap_or_default(),
            fields: row::json(found, 8)?,
            run: row::run_id(found, 9)?,
            at: row::time(found, 10)?,
        }),
        None if receipt.outcome == Outcome::Confirmed => Some(Confirmed {
            payload_hash: receipt.payload_hash,
            content: receipt.content.clone(),
            fields: receipt.fields.clone(),
            run: receipt.run,
            at: receipt.at,
        }),
        None => None,
    };
    Ok(receipt)
}

fn unsettled(found: &Row<'_>) -> crate::database::Result<Unsettled> {
    Ok(Unsettled {
        key_hash: found.get(13)?,
        key: row::json(found, 14)?,
        sink: found.get(15)?,
        target: found.get(16)?,
        receipt: receipt(found)?,
    })
}

/// The lookups that must stay fast on a journal of millions, and the index each is to use.
#[cfg(test)]
pub(crate) fn lookups() -> [(String, &'static str); 2] {
    [(one_key(), "journal_by_key"), (unsettled_keys(), "journal_unsettled")]
}
