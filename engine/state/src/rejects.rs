//! Rows that could not be delivered, with the reason, until their run is pruned.
//!
//! A reject is open until a later run closes it: a replay that ended well (what failed again is a reject of that replay),
//! or a run in which the same node turned the same row down again. So a row is not listed once for every night.

use crate::database::{Connection, OptionalExtension, Row, ToSqlOutput, ValueRef, params};
use serde_json::Value as Json;

use crate::error::SqlResultExt;
use crate::{Lock, Result, RunId, Scope, Store, row, runs};

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
    /// The row as it entered the step, or the node where there is no step.
    pub row: Json,
}

/// A reject as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredReject {
    /// Its number, never given to another.
    pub id: i64,
    /// The run it belongs to.
    pub run: RunId,
    /// The run that closed it; none while it is open.
    pub closed_by: Option<RunId>,
    /// What was rejected and why.
    pub reject: Reject,
}

/// Which rejects are meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct RejectFilter<'a> {
    /// The run whose id begins so.
    pub run: Option<&'a str>,
    /// The pipeline, in any environment.
    pub pipeline: Option<&'a str>,
    /// The node that turned them down.
    pub node: Option<&'a str>,
    /// Those that are closed as well.
    pub closed_too: bool,
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
    /// [`crate::Error::NoSuchRun`] if the run never began; [`crate::Error::Fenced`] if it was taken for dead;
    /// [`crate::Error::DiskFull`].
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
            let run = runs::going(connection, run)?;
            let rows = rejects.iter().zip(&texts).map(|(reject, (value, whole))| {
                [
                    ToSqlOutput::from(run),
                    text(Some(&reject.node)),
                    reject.step.map_or(ToSqlOutput::Borrowed(ValueRef::Null), ToSqlOutput::from),
                    text(reject.field.as_deref()),
                    text(value.as_deref()),
                    text(Some(&reject.reason)),
                    text(whole.as_deref()),
                ]
            });
            connection
                .execute_many(
                    "INSERT INTO reject (run, node, step, field, value, reason, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    rows,
                )
                .map(drop)
                .doing("keeping rejects")
        })
    }

    /// The rejects that are meant, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchRun`], [`crate::Error::AmbiguousRun`].
    pub fn find_rejects(&self, filter: RejectFilter<'_>, limit: usize) -> Result<Vec<StoredReject>> {
        self.read(|connection| {
            let run = filter.run.map(|run| runs::resolve(connection, run)).transpose()?.map(|(run, _)| run);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            connection
                .prepare_cached(&format!("{STORED} {MEANT} ORDER BY reject.id LIMIT ?5"))
                .and_then(|mut rejects| {
                    let values = params![run, filter.pipeline, filter.node, filter.closed_too, limit];
                    rejects.query_map(values, stored_reject)?.collect()
                })
                .doing("reading rejects")
        })
    }

    /// How many rejects are meant.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchRun`], [`crate::Error::AmbiguousRun`].
    pub fn count_rejects(&self, filter: RejectFilter<'_>) -> Result<u64> {
        self.read(|connection| {
            let run = filter.run.map(|run| runs::resolve(connection, run)).transpose()?.map(|(run, _)| run);
            let sql = format!("SELECT count(*) FROM reject JOIN run ON run.no = reject.run {MEANT}");
            let values = params![run, filter.pipeline, filter.node, filter.closed_too];
            connection
                .prepare_cached(&sql)
                .and_then(|mut count| count.query_row(values, |found| row::count(found, 0)))
                .doing("counting rejects")
        })
    }

    /// Closes rejects that the run of `lock` has replayed. Those that are closed stay as they are; returns how many
    /// were open.
    ///
    /// # Errors
    /// [`crate::Error::Fenced`] if the lock was lost; [`crate::Error::NoSuchRun`] if its run never began.
    pub fn close_rejects(&self, lock: &Lock, scope: &Scope, ids: &[i64]) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("closing rejects", |connection| {
            claim.verify(connection)?;
            let run = runs::known(connection, &claim.run)?;
            let mut close = connection
                .prepare_cached(
                    "UPDATE reject SET closed_by = ?2 WHERE id = ?1 AND closed_by IS NULL
                     AND run IN (SELECT no FROM run WHERE scope = ?3)",
                )
                .doing("closing rejects")?;
            ids.iter()
                .map(|id| close.execute(params![id, run, claim.scope_id]).doing("closing rejects"))
                .sum::<Result<usize>>()
        })
    }

    /// Closes the rejects of earlier runs that came again in the run of `lock`: the same row at the same node.
    ///
    /// # Errors
    /// Those of [`Store::close_rejects`].
    pub fn close_repeated_rejects(&self, lock: &Lock, scope: &Scope) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("closing rejects", |connection| {
            claim.verify(connection)?;
            let run = runs::known(connection, &claim.run)?;
            connection
                .execute(
                    "UPDATE reject SET closed_by = ?1 WHERE closed_by IS NULL AND run <> ?1
                     AND run IN (SELECT no FROM run WHERE scope = ?2)
                     AND (node, row) IN (SELECT node, row FROM reject WHERE run = ?1)",
                    params![run, claim.scope_id],
                )
                .doing("closing rejects")
        })
    }

    /// Forgets the rejects of the run of `lock`: of a replay that did not end well, since what it replayed is still open.
    ///
    /// # Errors
    /// Those of [`Store::close_rejects`].
    pub fn drop_rejects(&self, lock: &Lock, scope: &Scope) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("forgetting rejects", |connection| {
            claim.verify(connection)?;
            let run = runs::known(connection, &claim.run)?;
            connection.execute("DELETE FROM reject WHERE run = ?1", [run]).doing("forgetting rejects")
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

    /// Removes the closed rejects of all but the latest `keep_closed` runs of every scope, and the open ones of all but the
    /// latest `keep_open`, and returns how many those were. A run that has not ended keeps its own. The journal, cursors and
    /// the records of runs stay.
    ///
    /// # Errors
    /// Those of a write.
    pub fn prune(&self, keep_closed: usize, keep_open: usize) -> Result<u64> {
        let bounded = |runs: usize| i64::try_from(runs).unwrap_or(i64::MAX);
        let mut removed = 0;
        for (keep, open) in [(bounded(keep_closed), false), (bounded(keep_open), true)] {
            let old = self.read(|connection| old_runs(connection, keep).doing("finding old runs"))?;
            for run in old {
                // A transaction each: a run that goes on meanwhile gets its turn between them.
                removed += self.write("pruning rejects", |connection| {
                    connection
                        .execute(
                            "DELETE FROM reject WHERE run = ?1 AND (?2 OR closed_by IS NOT NULL)",
                            params![run, open],
                        )
                        .doing("pruning rejects")
                })?;
            }
        }
        Ok(removed as u64)
    }
}

fn text(text: Option<&str>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(text.map_or(ValueRef::Null, ValueRef::from))
}

fn old_runs(connection: &Connection, keep: i64) -> crate::database::Result<Vec<i64>> {
    connection
        .prepare(
            "SELECT no FROM (SELECT no, status, row_number() OVER (PARTITION BY scope ORDER BY id DESC) AS age FROM run) AS aged
             WHERE age > ?1 AND status IS NOT NULL",
        )?
        .query_map([keep], |found| found.get(0))?
        .collect()
}

const STORED: &str = "SELECT reject.id, run.id, node, step, field, value, reason, row, closing.id
    FROM reject JOIN run ON run.no = reject.run LEFT JOIN run AS closing ON closing.no = closed_by";

/// The rejects of a [`RejectFilter`].
const MEANT: &str = "WHERE (CAST(?1 AS BIGINT) IS NULL OR reject.run = ?1) AND (CAST(?3 AS TEXT) IS NULL OR node = ?3) AND (?4 OR closed_by IS NULL)
    AND (CAST(?2 AS TEXT) IS NULL OR run.scope IN (SELECT id FROM scope WHERE pipeline = ?2))";

fn stored_reject(found: &Row<'_>) -> crate::database::Result<StoredReject> {
    let closed = found.text(8)?.is_some();
    Ok(StoredReject {
        id: found.get(0)?,
        run: row::run_id(found, 1)?,
        closed_by: if closed { Some(row::run_id(found, 8)?) } else { None },
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
