//! Reading: sources and lookups. Nothing here can write to the other system.

use crate::descriptor::SourceAsk;
use crate::{Record, Result};
use async_trait::async_trait;
use polars::prelude::{DataFrame, LazyFrame};
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_spec::Schema;

/// A connection that reads.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Whether the other side can be reached and lets us in.
    ///
    /// # Errors
    /// Says what is wrong with address or credentials.
    async fn check(&self) -> Result<()>;

    /// A source. Nothing is asked of the other side before it is driven; `cursor` is what the last run left.
    ///
    /// # Errors
    /// When the settings do not make sense together.
    fn source(&self, ask: &SourceAsk<'_>, cursor: Option<&Json>) -> Result<Source>;

    /// A lookup of a stream.
    ///
    /// # Errors
    /// When the stream cannot be looked up.
    fn lookup(&self, stream: &str) -> Result<Arc<dyn Lookup>>;
}

/// How a source's data comes.
pub enum Source {
    /// Files Polars scans by itself.
    Scan(Box<Scan>),
    /// Batches that are fetched and staged.
    Extract(Box<dyn Extract>),
}

/// Data Polars scans by itself.
pub struct Scan {
    /// The scan.
    pub frame: LazyFrame,
    /// The columns as the scan gives them; text columns that `schema` types otherwise are converted by the run, and a
    /// value that does not fit makes its row a reject.
    pub raw: Schema,
    /// The columns as the source is to give them: the same names in the same order.
    pub schema: Schema,
    /// Bytes to be read, for progress, when known.
    pub bytes: Option<u64>,
    /// What the scan itself does not see: goes through the files once more and says what is wrong with them. The run
    /// makes sure that nothing the scan gave is of effect unless this is all right.
    pub check: Option<ScanCheck>,
}

/// Looks for what a scan does not see.
pub type ScanCheck = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// A source that is driven batch by batch.
///
/// After a passing error the run throws away what it got since the last chunk with a `position` and calls
/// [`next`](Self::next) again; the extract then goes on behind that position, asking again for what was lost.
#[async_trait]
pub trait Extract: Send {
    /// The columns of its chunks.
    fn schema(&self) -> &Schema;

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// The source failed; see the error for what to do.
    async fn next(&mut self) -> Result<Option<Chunk>>;

    /// Goes on behind a position that an earlier extract of the same source gave, in a run that did not come to its end.
    /// Asked for before the first chunk. `false`: it cannot, and begins at the beginning.
    ///
    /// It may turn out only with the first chunk that there is nothing to go on from any more; that is an error then, and
    /// whoever asked begins anew.
    fn go_on(&mut self, position: &Json) -> bool {
        let _ = position;
        false
    }

    /// Whether it reads files of this machine: its errors do not pass, and nothing it gave is ever taken back, so that
    /// its rows may go on before all of them are there.
    fn is_local(&self) -> bool {
        false
    }

    /// The cursor to keep when everything read is delivered; asked for after the end. `None`: nothing to keep.
    fn cursor(&self) -> Option<Json> {
        None
    }
}

/// A piece of a source.
#[derive(Default)]
pub struct Chunk {
    /// Rows that have the extract's columns.
    pub frame: DataFrame,
    /// Rows that could not be read as such.
    pub rejects: Vec<RejectedRow>,
    /// With it, all that came so far is whole: reading can go on from here.
    pub position: Option<Json>,
}

/// A row a source could not make sense of.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectedRow {
    /// The row as far as it is known.
    pub row: Record,
    /// The field at fault.
    pub field: Option<String>,
    /// Its value.
    pub value: Option<Json>,
    /// Why.
    pub reason: String,
}

/// Asks a stream for the records of one set of parameters.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All records found; none when there is no such thing.
    ///
    /// # Errors
    /// The other side failed, which is not the same as finding nothing.
    async fn get(&self, params: &Record) -> Result<Vec<Record>>;
}
