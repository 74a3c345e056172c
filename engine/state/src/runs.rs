//! The record of runs: when, with what, how it ended, and what went through every node.

use std::fmt;

use crate::database::{Connection, OptionalExtension, Row, params};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::error::SqlResultExt;
use crate::run_id::normalised_prefix;
use crate::{Error, Result, RunId, Scope, Store, row};

/// A run that begins.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStart {
    /// Its id.
    pub id: RunId,
    /// Pipeline and environment.
    pub scope: Scope,
    /// The pipeline's file, as the user named it.
    pub pipeline_file: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The values of the pipeline's params, an object. No secrets.
    pub params: Json,
    /// The release that runs it.
    pub towpath_version: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Everything is done.
    Done,
    /// It failed.
    Failed,
    /// Done, but with rejects above the limit or records of unknown outcome.
    Rejects,
    /// Stopped before its end, in order or by the death of its process.
    Interrupted,
}

impl RunStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejects => "rejects",
            Self::Interrupted => "interrupted",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Done, Self::Failed, Self::Rejects, Self::Interrupted].into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOutcome {
    /// How it ended.
    pub status: RunStatus,
    /// The exit code; none if the process died without giving one.
    pub exit_code: Option<i32>,
    /// When; for a process that died, its last heartbeat.
    pub finished_at: DateTime<Utc>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What went through a node. Counts are rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeRecord {
    /// Its name in the pipeline.
    pub node: String,
    /// What it is: `source`, `transform`, `sink`.
    pub kind: String,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// Rows left out on purpose.
    pub filtered: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows not sent because the target has them already.
    pub skipped: u64,
    /// Bytes read or written.
    pub bytes: u64,
    /// Time, in milliseconds.
    pub millis: u64,
    /// Whatever else this kind of node counts.
    pub extra: Json,
}

/// A run as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// How it began.
    pub start: RunStart,
    /// How it ended; none while it goes, or after its process died and nobody has taken over its lock yet.
    pub outcome: Option<RunOutcome>,
    /// Records whose outcome it does not know; they are held.
    pub held: u64,
    /// The run whose rejects it took up; none for an ordinary run.
    pub replays: Option<RunId>,
}

/// A run with its nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Beginning and end.
    pub summary: RunSummary,
    /// Its nodes, in the order the run gave them; none before its end.
    pub nodes: Vec<NodeRecord>,
}

impl Store {
    /// Records that a run begins. Rejects and the journal refer to it, so this comes before them.
    ///
    /// # Errors
    /// Those of a write; [`Error::Misuse`] if the run is on record already.
    pub fn begin_run(&self, start: &RunStart) -> Result<()> {
        self.write("recording the run", |connection| {
            if number(connection, &start.id)?.is_some() {
                return Err(Error::Misuse(format!("run {} began twice", start.id)));
            }
            let scope = start.scope.intern(connection)?;
            connection
                .execute(
                    "INSERT INTO run (id, scope, pipeline_file, started_at, params, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        start.id.as_str(),
                        scope,
                        start.pipeline_file,
                        row::millis(start.started_at),
                        row::json_text(&start.params),
                        start.towpath_version
                    ],
                )
                .map(drop)
                .doing("recording the run")
        })
    }

    /// Records that a run takes up the rejects of another one.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`] if one of them never began; [`Error::Fenced`].
    pub fn mark_replay(&self, id: &RunId, of: &RunId) -> Result<()> {
        self.write("recording the run", |connection| {
            let (run, of) = (going(connection, id)?, known(connection, of)?);
            connection
                .execute("UPDATE run SET replays = ?2 WHERE no = ?1", [run, of])
                .map(drop)
                .doing("recording the run")
        })
    }

    /// Records the end of a run and what went through its nodes.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`] if it never began; [`Error::Misuse`] if it has reported its end before; [`Error::Fenced`] if it was
    /// taken for dead meanwhile: its record then says so, and stays.
    pub fn finish_run(&self, id: &RunId, outcome: &RunOutcome, nodes: &[NodeRecord]) -> Result<()> {
        self.write("recording the end of the run", |connection| {
            let run = going(connection, id)?;
            let changed = connection
                .execute(
                    "UPDATE run SET status = ?2, exit_code = ?3, finished_at = ?4, error = ?5
                     WHERE no = ?1 AND status IS NULL",
                    params![
                        run,
                        outcome.status.name(),
                        outcome.exit_code,
                        row::millis(outcome.finished_at),
                        outcome.error
                    ],
                )
                .doing("recording the end of the run")?;
            if changed == 0 {
                return Err(Error::Misuse(format!("run {id} ended twice")));
            }
            connection.execute("DELETE FROM node WHERE run = ?1", [run]).doing("recording the nodes")?;
            for (position, node) in (0_i64..).zip(nodes) {
                insert_node(connection, run, position, node).doing("recording the nodes")?;
            }
            Ok(())
        })
    }

    /// The latest runs, newest first; those of one pipeline (in any environment) if it is given.
    ///
    /// # Errors
    /// Those of a read.
    pub fn runs(&self, limit: usize, pipeline: Option<&str>) -> Result<Vec<RunSummary>> {
        self.read(|connection| {
            let sql = format!(
                "{SUMMARY} WHERE CAST(?1 AS TEXT) IS NULL OR scope.pipeline = ?1 ORDER BY run.id DESC LIMIT ?2"
            );
            connection
                .prepare(&sql)
                .and_then(|mut runs| {
                    runs.query_map(params![pipeline, i64::try_from(limit).unwrap_or(i64::MAX)], summary)?.collect()
                })
                .doing("reading the runs")
        })
    }

    /// The latest runs of one scope, newest first.
    ///
    /// # Errors
    /// Those of a read.
    pub fn runs_of(&self, scope: &Scope, limit: usize) -> Result<Vec<RunSummary>> {
        self.read(|connection| {
            let Some(scope) = scope.find(connection)? else { return Ok(Vec::new()) };
            connection
                .prepare(&format!("{SUMMARY} WHERE run.scope = ?1 ORDER BY run.id DESC LIMIT ?2"))
                .and_then(|mut runs| {
                    runs.query_map(params![scope, i64::try_from(limit).unwrap_or(i64::MAX)], summary)?.collect()
                })
                .doing("reading the runs")
        })
    }

    /// The one run whose id begins with `prefix`, in either case.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`], [`Error::AmbiguousRun`].
    pub fn run(&self, prefix: &str) -> Result<RunRecord> {
        self.read(|connection| {
            let (run, id) = resolve(connection, prefix)?;
            let summary = connection
                .query_row(&format!("{SUMMARY} WHERE run.id = ?1"), [id.as_str()], summary)
                .doing("reading the run")?;
            let nodes = connection
                .prepare(
                    "SELECT node, kind, rows_in, rows_out, filtered, rejected, skipped, bytes, millis, extra
                     FROM node WHERE run = ?1 ORDER BY position",
                )
                .and_then(|mut nodes| nodes.query_map([run], node)?.collect())
                .doing("reading the nodes")?;
            Ok(RunRecord { summary, nodes })
        })
    }
}

const SUMMARY: &str = "SELECT run.id, scope.pipeline, scope.environment, run.pipeline_file, run.started_at, run.params,
    run.version, run.status, run.exit_code, run.finished_at, run.error,
    (SELECT CAST(coalesce(sum(extra ->> 'unknown'), 0) AS BIGINT) FROM node WHERE node.run = run.no),
    (SELECT before.id FROM run AS before WHERE before.no = run.replays) FROM run JOIN scope ON scope.id = run.scope";

fn summary(found: &Row<'_>) -> crate::database::Result<RunSummary> {
    let start = RunStart {
        id: row::run_id(found, 0)?,
        scope: Scope::new(found.get::<String>(1)?, found.get::<String>(2)?),
        pipeline_file: found.get(3)?,
        started_at: row::time(found, 4)?,
        params: row::json(found, 5)?,
        towpath_version: found.get(6)?,
    };
    let status = found.text(7)?.and_then(RunStatus::of);
    let outcome = match (status, row::optional_time(found, 9)?) {
        (Some(status), Some(finished_at)) => {
            Some(RunOutcome { status, exit_code: found.get(8)?, finished_at, error: found.get(10)? })
        }
        _ => None,
    };
    let replays = found.text(12)?.is_some().then(|| row::run_id(found, 12)).transpose()?;
    Ok(RunSummary { start, outcome, held: row::count(found, 11)?, replays })
}

fn node(found: &Row<'_>) -> crate::database::Result<NodeRecord> {
    Ok(NodeRecord {
        node: found.get(0)?,
        kind: found.get(1)?,
        rows_in: row::count(found, 2)?,
        rows_out: row::count(found, 3)?,
        filtered: row::count(found, 4)?,
        rejected: row::count(found, 5)?,
        skipped: row::count(found, 6)?,
        bytes: row::count(found, 7)?,
        millis: row::count(found, 8)?,
        extra: row::json(found, 9)?,
    })
}

fn insert_node(connection: &Connection, run: i64, position: i64, node: &NodeRecord) -> crate::database::Result<()> {
    connection
        .prepare_cached("INSERT INTO node VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
        .execute(params![
            run,
            position,
            node.node,
            node.kind,
            row::stored(node.rows_in),
            row::stored(node.rows_out),
            row::stored(node.filtered),
            row::stored(node.rejected),
            row::stored(node.skipped),
            row::stored(node.bytes),
            row::stored(node.millis),
            row::json_text(&node.extra)
        ])
        .map(drop)
}

/// Closes the record of a run whose lock was taken over. It did not say how it ended, so it has no exit code.
pub(crate) fn mark_as_interrupted(connection: &Connection, run: &RunId, last_sign: DateTime<Utc>) -> Result<()> {
    connection
        .execute(
            "UPDATE run SET status = 'interrupted', finished_at = ?2, error = 'the process ended without reporting how'
             WHERE id = ?1 AND status IS NULL",
            params![run.as_str(), row::millis(last_sign)],
        )
        .map(drop)
        .doing("closing the record of the dead run")
}

/// The same of all runs of which no end is on record.
pub(crate) fn mark_all_as_interrupted(connection: &Connection) -> Result<()> {
    let open: Vec<RunId> = connection
        .prepare("SELECT id FROM run WHERE status IS NULL")
        .and_then(|mut open| open.query_map(params![], |found| row::run_id(found, 0))?.collect())
        .doing("reading the runs")?;
    open.iter().try_for_each(|run| mark_as_interrupted(connection, run, Utc::now()))
}

fn number(connection: &Connection, run: &RunId) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT no FROM run WHERE id = ?1")
        .and_then(|mut found| found.query_row([run.as_str()], |found| found.get(0)).optional())
        .doing("looking up the run")
}

/// The number of a run that must have begun.
pub(crate) fn known(connection: &Connection, run: &RunId) -> Result<i64> {
    number(connection, run)?.ok_or_else(|| Error::NoSuchRun(run.to_string()))
}

/// The number of a run that must have begun, and must not have been taken for dead since: whoever takes over its lock marks it
/// in the same transaction.
pub(crate) fn going(connection: &Connection, run: &RunId) -> Result<i64> {
    let number = known(connection, run)?;
    let fenced = connection
        .prepare_cached(
            "SELECT pipeline, environment FROM run JOIN scope ON scope.id = run.scope
             WHERE no = ?1 AND status IS NOT NULL AND exit_code IS NULL",
        )
        .and_then(|mut found| {
            found
                .query_row([number], |found| Ok(Scope::new(found.get::<String>(0)?, found.get::<String>(1)?)))
                .optional()
        })
        .doing("looking up the run")?;
    fenced.map_or(Ok(number), |scope| Err(Error::Fenced { run: *run, scope }))
}

/// The one run whose id begins with `prefix`.
pub(crate) fn resolve(connection: &Connection, prefix: &str) -> Result<(i64, RunId)> {
    const SHOWN: usize = 5;
    let unknown = || Error::NoSuchRun(prefix.to_owned());
    let low = normalised_prefix(prefix).ok_or_else(unknown)?;
    // `{` sorts after every character of an id.
    let matching: Vec<(i64, RunId)> = connection
        .prepare_cached("SELECT no, id FROM run WHERE id >= ?1 AND id < ?1 || '{' ORDER BY id LIMIT ?2")
        .and_then(|mut runs| {
            runs.query_map(params![low, SHOWN as i64], |found| Ok((found.get(0)?, row::run_id(found, 1)?)))?.collect()
        })
        .doing("looking up the run")?;
    match matching.as_slice() {
        [] => Err(unknown()),
        [one] => Ok(*one),
        several => Err(Error::AmbiguousRun {
            prefix: prefix.to_owned(),
            candidates: several.iter().map(|(_, id)| *id).collect(),
        }),
    }
}
