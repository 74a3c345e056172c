//! Rows that could not be delivered, with the reason, until their run is pruned.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value as Json;

use crate::error::SqlResultExt;
use crate::{Result, RunId, Store, row, runs};

/// A row that was turned down.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reject {
    /// The node that turned it down.
    pub node: String,
    /// The step of that node, counted from 0.
    pub step: Option<u32>,
    /// The field at fault.
    pub field: Option<String>,
    /// Its value.
    pub value: Option<Json>,
    /// Why, in a sentence.
    pub reason: String,
    /// The row as it entered the node.
    pub row: Json,
}

/// A reject as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredReject {
    /// Its number, never given to another.
    pub id: i64,
    /// The run it belongs to.
    pub run: RunId,
    /// What was rejected and why.
    pub reject: Reject,
}

/// How often a node gave a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectCount {
    /// The node.
    pub node: String,
    /// The reason.
    pub reason: String,
    /// The number of rows.
    pub rows: u64,
}

impl Store {
    /// Keeps rejects, all or none of them; one transaction a call, so give many at once.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchRun`] if the run never began; [`crate::Error::DiskFull`].
    pub fn add_rejects(&self, run: &RunId, rejects: &[Reject]) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        // Serialised before the connection is taken: others may write meanwhile.
        let texts: Vec<(Option<String>, Option<String>)> = rejects
            .iter()
            .map(|reject| (reject.value.as_ref().map(Json::to_string), row::json_text(&reject.row)))
            .collect();
        self.write("keeping rejects", |connection| {
            let run = runs::known(connection, run)?;
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO reject (run, node, step, field, value, reason, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )
                .doing("keeping rejects")?;
            for (reject, (value, whole)) in rejects.iter().zip(&texts) {
                insert
                    .execute(params![run, reject.node, reject.step, reject.field, value, reject.reason, whole])
                    .doing("keeping rejects")?;
            }
            Ok(())
        })
    }

    /// Rejects of the run whose id begins with `run`, oldest first; those of one node if it is given.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchRun`], [`crate::Error::AmbiguousRun`].
    pub fn rejects(&self, run: &str, node: Option<&str>, limit: usize, offset: usize) -> Result<Vec<StoredReject>> {
        let bounded = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.read(|connection| {
            let (run, _) = runs::resolve(connection, run)?;
            connection
                .prepare_cached(&format!(
                    "{STORED} WHERE reject.run = ?1 AND (?2 IS NULL OR node = ?2) ORDER BY reject.id LIMIT ?3 OFFSET ?4"
                ))
                .and_then(|mut rejects| {
                    rejects.query_map(params![run, node, bounded(limit), bounded(offset)], stored_reject)?.collect()
                })
                .doing("reading rejects")
        })
    }

    /// The reject with this number, if it is still kept.
    ///
    /// # Errors
    /// Those of a read.
    pub fn reject(&self, id: i64) -> Result<Option<StoredReject>> {
        self.read(|connection| {
            connection
                .query_row(&format!("{STORED} WHERE reject.id = ?1"), [id], stored_reject)
                .optional()
                .doing("reading a reject")
        })
    }

    /// How often each node of a run gave each reason, most frequent first.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchRun`], [`crate::Error::AmbiguousRun`].
    pub fn reject_counts(&self, run: &str) -> Result<Vec<RejectCount>> {
        self.read(|connection| {
            let (run, _) = runs::resolve(connection, run)?;
            connection
                .prepare_cached(
                    "SELECT node, reason, count(*) AS times FROM reject WHERE run = ?1
                     GROUP BY node, reason ORDER BY times DESC, node, reason",
                )
                .and_then(|mut counts| {
                    counts
                        .query_map([run], |found| {
                            Ok(RejectCount { node: found.get(0)?, reason: found.get(1)?, rows: row::count(found, 2)? })
                        })?
                        .collect()
                })
                .doing("counting rejects")
        })
    }

    /// Removes the rejects of all but the latest `keep_runs` runs of every scope, and returns how many those were. A run
    /// that has not ended keeps its own. The journal, cursors and the records of runs stay.
    ///
    /// # Errors
    /// Those of a write.
    pub fn prune(&self, keep_runs: usize) -> Result<u64> {
        let keep = i64::try_from(keep_runs).unwrap_or(i64::MAX);
        let old = self.read(|connection| old_runs(connection, keep).doing("finding old runs"))?;
        let mut removed = 0;
        for run in old {
            // A transaction each: a run that goes on meanwhile gets its turn between them.
            removed += self.write("pruning rejects", |connection| {
                connection.execute("DELETE FROM reject WHERE run = ?1", [run]).doing("pruning rejects")
            })?;
        }
        Ok(removed as u64)
    }
}

fn old_runs(connection: &Connection, keep: i64) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare(
            "SELECT no FROM (SELECT no, status, row_number() OVER (PARTITION BY scope ORDER BY id DESC) AS age FROM run)
             WHERE age > ?1 AND status IS NOT NULL",
        )?
        .query_map([keep], |found| found.get(0))?
        .collect()
}

const STORED: &str =
    "SELECT reject.id, run.id, node, step, field, value, reason, row FROM reject JOIN run ON run.no = reject.run";

fn stored_reject(found: &Row<'_>) -> rusqlite::Result<StoredReject> {
    Ok(StoredReject {
        id: found.get(0)?,
        run: row::run_id(found, 1)?,
        reject: Reject {
            node: found.get(2)?,
            step: found.get(3)?,
            field: found.get(4)?,
            value: row::optional_json(found, 5)?,
            reason: found.get(6)?,
            row: row::json(found, 7)?,
        },
    })
}
