//! Writing: operations of SaaS systems and files.

use crate::descriptor::{OperationInfo, SinkAsk};
use crate::{Record, Result};
use async_trait::async_trait;
use polars::prelude::{DataFrame, LazyFrame};
use std::path::PathBuf;
use std::sync::Arc;
use towpath_spec::Schema;

/// A connection that writes.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Whether the other side can be reached and lets us in.
    ///
    /// # Errors
    /// Says what is wrong with address or credentials.
    async fn check(&self) -> Result<()>;

    /// What the journal knows the other system by: its address and whose account of it, never a secret. Records
    /// delivered to one target are not delivered to another.
    fn target(&self) -> String {
        String::new()
    }

    /// A sink. Nothing is written before it is driven.
    ///
    /// # Errors
    /// When the settings do not make sense together.
    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink>;
}

/// How a sink takes data.
pub enum Sink {
    /// Records, one request each.
    Operation(Arc<dyn Operation>),
    /// Files written by a Polars plan.
    File(Box<dyn FileSink>),
}

/// An operation of the other system.
#[async_trait]
pub trait Operation: Send + Sync {
    /// What it is.
    fn info(&self) -> &OperationInfo;

    /// Sends one record, once.
    ///
    /// # Errors
    /// No answer or no usable one; [`Effect`](crate::Effect) says whether it may have happened all the same.
    async fn send(&self, record: &Record) -> Result<Answer>;
}

/// The other system's answer to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was done.
    Confirmed {
        /// The answer's fields by the names of [`OperationInfo::results`].
        fields: Record,
    },
    /// It was turned down; sending it again would be turned down again.
    Refused {
        /// The vendor's reason.
        message: String,
    },
}

/// Files that are written aside and moved into their place when all is well.
pub trait FileSink: Send {
    /// The plan that writes the input to temporary files.
    ///
    /// # Errors
    /// When the columns cannot be written in this format.
    fn plan(&mut self, input: LazyFrame, schema: &Schema) -> Result<LazyFrame>;

    /// A writer of temporary files that takes batches as they come, instead of a plan; `None` when this sink needs a
    /// plan.
    ///
    /// # Errors
    /// The columns cannot be written in this format, or the machine's.
    fn batches(&mut self, schema: &Schema) -> Result<Option<Box<dyn BatchWriter>>> {
        let _ = schema;
        Ok(None)
    }

    /// Moves the files into their place.
    ///
    /// # Errors
    /// The machine's; what was there before is then still there.
    fn commit(&mut self) -> Result<Vec<Written>>;

    /// Removes what was written aside.
    fn abort(&mut self);
}

/// Takes batches as they come.
pub trait BatchWriter: Send {
    /// Writes a batch behind those before it.
    ///
    /// # Errors
    /// The machine's.
    fn write(&mut self, batch: DataFrame) -> Result<()>;

    /// Everything is written and on disk.
    ///
    /// # Errors
    /// The machine's.
    fn finish(&mut self) -> Result<()>;
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// How many bytes.
    pub bytes: u64,
}
