//! The contract between the engine and whatever holds data: files, SaaS systems, databases.
//!
//! A connector describes itself (pure), connects (I/O, but starts nothing) and hands out sources, lookups and sinks that
//! the run drives. It contains no retry loop and no scheduler: an [`Error`] says whose fault it is and whether to try
//! again, and the run acts on it. Reading and writing are different types: whoever holds a [`Reader`] cannot write.

mod boundary;
mod descriptor;
mod error;
mod read;
mod registry;
mod secret;
mod settings;
mod write;

pub use boundary::{BOUNDARIES, boundary};
#[cfg(debug_assertions)]
pub use boundary::{die_at, watch_boundaries};
pub use descriptor::{
    CursorInfo, Described, Descriptor, Kind, OperationInfo, OperationKind, Problem, SinkAsk, SourceAsk, StreamInfo,
};
pub use error::{Effect, Error, Fault, Result, Retry};
pub use read::{Chunk, Extract, Lookup, Reader, RejectedRow, Scan, ScanCheck, Source};
pub use registry::{Connect, Connector, Registry};
pub use secret::{MASK, Secret, redact, redact_json, register_secret};
pub use settings::{Setting, Settings};
pub use write::{
    Answer, BatchWriter, Begun, ChangedRow, Committed, Differences, FileSink, Load, Operation, Sink, Sketch,
    TableBatch, TableLook, TableSink, Verified, Writer, Written,
};

/// A JSON object: a record, parameters, an answer's fields.
pub type Record = serde_json::Map<String, serde_json::Value>;
