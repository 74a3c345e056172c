//! How far incremental sources have come.

use crate::database::{OptionalExtension, params};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::error::SqlResultExt;
use crate::{Lock, Result, RunId, Scope, Store, row};

/// The cursor of one source, as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// The source's name.
    pub node: String,
    /// What it stored; its meaning is the connector's.
    pub value: Json,
    /// When it was last moved.
    pub updated_at: DateTime<Utc>,
    /// The run, or the command with an id of its own, that moved it.
    pub run: RunId,
}

impl Store {
    /// The cursor of the source `node`; none if it never had one.
    ///
    /// # Errors
    /// Those of a read.
    pub fn cursor(&self, scope: &Scope, node: &str) -> Result<Option<Json>> {
        self.read(|connection| {
            let Some(scope) = scope.find(connection)? else {
                return Ok(None);
            };
            connection
                .query_row("SELECT value FROM cursor WHERE scope = ?1 AND node = ?2", params![scope, node], |found| {
                    row::json(found, 0)
                })
                .optional()
                .doing("reading a cursor")
        })
    }

    /// All cursors of a scope, by the name of their source.
    ///
    /// # Errors
    /// Those of a read.
    pub fn cursors(&self, scope: &Scope) -> Result<Vec<Cursor>> {
        self.read(|connection| {
            let Some(scope) = scope.find(connection)? else {
                return Ok(Vec::new());
            };
            connection
                .prepare("SELECT node, value, updated_at, run FROM cursor WHERE scope = ?1 ORDER BY node")
                .and_then(|mut cursors| {
                    cursors
                        .query_map([scope], |found| {
                            Ok(Cursor {
                                node: found.get(0)?,
                                value: row::json(found, 1)?,
                                updated_at: row::time(found, 2)?,
                                run: row::run_id(found, 3)?,
                            })
                        })?
                        .collect()
                })
                .doing("reading the cursors")
        })
    }

    /// Moves cursors, all or none of them. The caller has made sure that everything downstream is settled.
    ///
    /// # Errors
    /// [`crate::Error::Fenced`] if the lock was lost.
    pub fn set_cursors(&self, lock: &Lock, scope: &Scope, cursors: &[(&str, Json)]) -> Result<()> {
        let claim = lock.claim_for(scope, None)?;
        self.write("moving cursors", |connection| {
            claim.verify(connection)?;
            let mut set = connection
                .prepare_cached(
                    "INSERT INTO cursor (scope, node, value, updated_at, run) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (scope, node) DO UPDATE
                     SET value = excluded.value, updated_at = excluded.updated_at, run = excluded.run",
                )
                .doing("moving cursors")?;
            for (node, value) in cursors {
                set.execute(params![claim.scope_id, node, row::json_text(value), row::now(), claim.run.as_str()])
                    .doing("moving cursors")?;
            }
            Ok(())
        })
    }

    /// Forgets the cursor of one source, or of all when `node` is none. Returns how many there were.
    ///
    /// # Errors
    /// [`crate::Error::Fenced`] if the lock was lost.
    pub fn clear_cursors(&self, lock: &Lock, scope: &Scope, node: Option<&str>) -> Result<usize> {
        let claim = lock.claim_for(scope, None)?;
        self.write("clearing cursors", |connection| {
            claim.verify(connection)?;
            connection
                .execute(
                    "DELETE FROM cursor WHERE scope = ?1 AND (CAST(?2 AS TEXT) IS NULL OR node = ?2)",
                    params![claim.scope_id, node],
                )
                .doing("clearing cursors")
        })
    }

    /// Every scope for which anything is stored, by name.
    ///
    /// # Errors
    /// Those of a read.
    pub fn scopes(&self) -> Result<Vec<Scope>> {
        self.read(|connection| {
            connection
                .prepare("SELECT pipeline, environment FROM scope ORDER BY pipeline, environment")
                .and_then(|mut scopes| {
                    scopes
                        .query_map(params![], |found| Ok(Scope::new(found.get::<String>(0)?, found.get::<String>(1)?)))?
                        .collect()
                })
                .doing("reading the pipelines")
        })
    }
}
