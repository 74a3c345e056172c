//! What a lock, a cursor and a journal belong to.

use std::fmt;

use crate::Result;
use crate::database::{Connection, OptionalExtension, params};
use crate::error::SqlResultExt;

/// A pipeline in an environment. Nothing is shared between scopes: the same pipeline in `test` and in `production`
/// has two locks, two sets of cursors and two journals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// The name after `pipeline:` in the document.
    pub pipeline: String,
    /// The environment's name; `""` when none was chosen.
    pub environment: String,
}

impl Scope {
    /// A scope; `environment` is `""` for none.
    pub fn new(pipeline: impl Into<String>, environment: impl Into<String>) -> Self {
        Self { pipeline: pipeline.into(), environment: environment.into() }
    }

    /// The scope's number, if anything was ever stored for it.
    pub(crate) fn find(&self, connection: &Connection) -> Result<Option<i64>> {
        connection
            .prepare_cached("SELECT id FROM scope WHERE pipeline = ?1 AND environment = ?2")
            .and_then(|mut found| {
                found.query_row(params![self.pipeline, self.environment], |row| row.get(0)).optional()
            })
            .doing("looking up the pipeline")
    }

    /// The scope's number, given out now if it had none.
    pub(crate) fn intern(&self, connection: &Connection) -> Result<i64> {
        if let Some(id) = self.find(connection)? {
            return Ok(id);
        }
        connection
            .query_row(
                "INSERT INTO scope (pipeline, environment) VALUES (?1, ?2) RETURNING id",
                params![self.pipeline, self.environment],
                |found| found.get(0),
            )
            .doing("registering the pipeline")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.environment.is_empty() {
            write!(f, "pipeline `{}`", self.pipeline)
        } else {
            write!(f, "pipeline `{}` in environment `{}`", self.pipeline, self.environment)
        }
    }
}
