//! Writing: operations of SaaS systems and files.

use crate::descriptor::{OperationInfo, SinkAsk};
use crate::read::RejectedRow;
use crate::{Error, Record, Result};
use async_trait::async_trait;
use polars::prelude::{DataFrame, LazyFrame};
use serde::Serialize;
use serde_json::Value as Json;
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

    /// A look at what a load would change in a table, for those who may change nothing; none where nobody can tell.
    ///
    /// # Errors
    /// When the settings do not make sense together, or the table does not fit the columns of the ask.
    fn look(&self, _ask: &SinkAsk<'_>) -> Result<Option<Box<dyn TableLook>>> {
        Ok(None)
    }
}

/// How a sink takes data.
pub enum Sink {
    /// Records, one request each, or several in one.
    Operation(Arc<dyn Operation>),
    /// Files written by a Polars plan.
    File(Box<dyn FileSink>),
    /// A table of a database.
    Table(Box<dyn TableSink>),
}

/// Rows that go into a table: all of them, or none.
///
/// Calls block; whoever makes them does so in a thread that may.
pub trait TableSink: Send {
    /// Begins, and makes the table fit for these columns as its settings say. Nobody else sees any of it before
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    /// The table cannot be written, or does not fit the columns.
    fn begin(&mut self, schema: &Schema, load: &Load) -> Result<Begun>;

    /// Writes rows that have the columns it was begun with.
    ///
    /// # Errors
    /// The database's; nothing of the load is then written.
    fn write(&mut self, batch: &DataFrame) -> Result<TableBatch>;

    /// Brings everything into the table at once, with a note that this load is in; or nothing, when the same rows are in
    /// by a run that was not settled.
    ///
    /// # Errors
    /// The database's; nothing of the load is then written.
    fn commit(&mut self) -> Result<Committed>;

    /// Takes everything back.
    fn abort(&mut self);
}

/// Rows that are compared with a table. It has no way to write: a plan is given nothing else.
///
/// Calls block; whoever makes them does so in a thread that may.
pub trait TableLook: Send {
    /// Takes rows up.
    ///
    /// # Errors
    /// The database's.
    fn take(&mut self, batch: &DataFrame) -> Result<TableBatch>;

    /// What a load of these rows would change.
    ///
    /// # Errors
    /// The database's.
    fn differences(&mut self) -> Result<Differences>;
}

/// What a load would change in a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Differences {
    /// Whether the table would be made.
    pub makes_table: bool,
    /// Columns the table would get.
    pub new_columns: Vec<String>,
    /// Rows that would come to it.
    pub insert: u64,
    /// Rows that would be changed.
    pub update: u64,
    /// Rows that are there as they are to be.
    pub unchanged: u64,
    /// Rows that would go.
    pub delete: u64,
    /// In how many rows a column would be changed.
    pub changed: Vec<(String, u64)>,
    /// Some of the rows that would be changed.
    pub samples: Vec<ChangedRow>,
}

/// A row that would be changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangedRow {
    /// The columns it is known by.
    pub key: Record,
    /// The columns that would be changed: name, what is there, what would be there.
    pub fields: Vec<(String, Json, Json)>,
}

/// What a load is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The pipeline.
    pub pipeline: String,
    /// The sink.
    pub sink: String,
    /// The run.
    pub run: String,
    /// Runs of the pipeline since the last one that was settled: what they loaded is likely to come again.
    pub unsettled: Vec<String>,
}

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// All rows that were taken are in.
    Now {
        /// A run that was not settled and had loaded other rows, some of which may be in twice now.
        beside: Option<String>,
    },
    /// They were in before, by this run, which was not settled; nothing was written.
    Before(String),
}

/// Whether a load is still to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is.
    Now,
    /// It went in before, all of it; there is nothing to do.
    Before,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct TableBatch {
    /// Rows that are in.
    pub written: u64,
    /// Rows that are not.
    pub rejects: Vec<RejectedRow>,
    /// Values that were left out of rows that are in, as the sink's settings say.
    pub left_out: u64,
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

    /// How many records [`send_batch`](Self::send_batch) takes in one call of the other system, at the most.
    fn batch(&self) -> usize {
        1
    }

    /// Sends several records, each once, and says what became of each, in their order. Whoever turns a batch down as a
    /// whole is asked again with fewer of them by the operation itself, but never when it is not clear that nothing
    /// was done.
    async fn send_batch(&self, records: &[Record]) -> Vec<Result<Answer>> {
        let mut answers = Vec::with_capacity(records.len());
        for record in records {
            answers.push(self.send(record).await);
        }
        answers
    }

    /// The call that would be made of these records, which are not more than a batch; nothing is sent and nobody is asked.
    /// `None` when it depends on what the other system answers before.
    ///
    /// # Errors
    /// The records make no call.
    fn sketch(&self, records: &[Record]) -> Result<Option<Sketch>> {
        let _ = records;
        Ok(None)
    }

    /// Looks whether a record was written. Nothing is written.
    ///
    /// # Errors
    /// The other side failed, or the operation has no way to find out: see [`OperationInfo::verifies`].
    async fn verify(&self, record: &Record) -> Result<Verified> {
        let _ = record;
        Err(Error::user(format!("{}: its definition does not say how to verify a record", self.info().name)))
    }
}

/// A call as it would be made, with secrets masked. What lets it in (a token, a signature) is added when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Headers in the order they are sent in.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: Option<String>,
}

/// What was found of a record whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Verified {
    /// It is there.
    Found {
        /// Its fields by the names of [`OperationInfo::results`], as far as the definition gives them.
        fields: Record,
    },
    /// It is not there.
    NotFound,
    /// Several fit: nobody can tell.
    Ambiguous {
        /// How many.
        candidates: usize,
    },
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
