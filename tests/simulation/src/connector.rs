//! The simulated system as the engine sees it: one stream of rows, and operations of every temper.

use crate::system::System;
use async_trait::async_trait;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use towpath_connector::{
    Answer, Chunk, Connect, Connector, CursorInfo, Described, Descriptor, Error, Extract, Kind, Lookup, Operation,
    OperationInfo, OperationKind, Problem, Reader, Record, Result, Setting, Sink, SinkAsk, Source, SourceAsk,
    StreamInfo, Verified, Writer,
};
use towpath_spec::{Field, Schema, Type};

/// Its name in `connector:`.
pub const NAME: &str = "simulated";

/// The stream's name.
pub const STREAM: &str = "rows";

/// Rows of a page.
const PAGE: i64 = 5;

/// How an operation behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Its name in `operation:`.
    pub name: &'static str,
    /// Sending twice does no harm.
    pub idempotent: bool,
    /// It can be looked up whether a record is there.
    pub verifies: bool,
    /// Records of a call.
    pub batch: usize,
}

/// All operations.
pub const OPERATIONS: [Behaviour; 6] = [
    Behaviour { name: "create", idempotent: false, verifies: true, batch: 1 },
    Behaviour { name: "create_unseen", idempotent: false, verifies: false, batch: 1 },
    Behaviour { name: "put", idempotent: true, verifies: false, batch: 1 },
    Behaviour { name: "create_many", idempotent: false, verifies: true, batch: 4 },
    Behaviour { name: "create_many_unseen", idempotent: false, verifies: false, batch: 4 },
    Behaviour { name: "put_many", idempotent: true, verifies: false, batch: 4 },
];

/// The connector of one life.
pub struct Simulated {
    descriptor: Descriptor,
    system: Arc<System>,
    rows: i64,
}

impl Simulated {
    /// A connector to a system whose stream has so many rows.
    pub fn new(system: Arc<System>, rows: i64) -> Self {
        let descriptor = Descriptor {
            name: NAME.to_owned(),
            doc: "A system of a simulation.".to_owned(),
            kind: Kind::Api,
            settings: Vec::new(),
            source_settings: Vec::new(),
            sink_settings: Vec::new(),
            streams: vec![stream()],
            operations: OPERATIONS.iter().map(operation).collect(),
            logins: Vec::new(),
            reads: true,
            writes: true,
        };
        Self { descriptor, system, rows }
    }
}

fn columns() -> Schema {
    Schema::new(vec![Field::new("id", Type::Int), Field::new("name", Type::Text)])
}

fn stream() -> StreamInfo {
    StreamInfo {
        name: STREAM.to_owned(),
        doc: "Rows by id.".to_owned(),
        request: String::new(),
        params: Vec::new(),
        schema: columns(),
        column_docs: vec![String::new(); 2],
        pages: None,
        logins: Vec::new(),
        key: vec!["id".to_owned()],
        cursor: Some(CursorInfo { doc: "the id".to_owned(), lookback: "PT0S".to_owned() }),
        source: String::new(),
    }
}

fn operation(behaviour: &Behaviour) -> OperationInfo {
    OperationInfo {
        name: behaviour.name.to_owned(),
        doc: "Writes.".to_owned(),
        kind: if behaviour.idempotent { OperationKind::Upsert } else { OperationKind::Create },
        request: String::new(),
        fields: vec![Setting::new("id", Type::Int, "The id."), Setting::new("name", Type::Text, "The name.")],
        results: Schema::new(vec![Field::new("number", Type::Int)]),
        result_docs: vec![String::new()],
        logins: Vec::new(),
        idempotent: behaviour.idempotent,
        sends_email: false,
        batch: behaviour.batch,
        verifies: behaviour.verifies,
        source: String::new(),
    }
}

impl Connector for Simulated {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn describe_source(&self, _: &SourceAsk<'_>) -> std::result::Result<Described, Vec<Problem>> {
        Ok(Described { schema: Some(columns()), warnings: Vec::new() })
    }

    fn describe_sink(&self, _: &SinkAsk<'_>) -> std::result::Result<(), Vec<Problem>> {
        Ok(())
    }

    fn reader(&self, _: &Connect) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(Connected { system: self.system.clone(), operations: Vec::new(), rows: self.rows }))
    }

    fn writer(&self, _: &Connect) -> Result<Arc<dyn Writer>> {
        let operations = self.descriptor.operations.clone();
        Ok(Arc::new(Connected { system: self.system.clone(), operations, rows: self.rows }))
    }
}

/// A connection.
struct Connected {
    system: Arc<System>,
    operations: Vec<OperationInfo>,
    rows: i64,
}

#[async_trait]
impl Reader for Connected {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn source(&self, _: &SourceAsk<'_>, cursor: Option<&Json>) -> Result<Source> {
        let last = cursor.and_then(Json::as_i64).unwrap_or_default();
        Ok(Source::Extract(Box::new(Pages { system: self.system.clone(), schema: columns(), last, rows: self.rows })))
    }

    fn lookup(&self, _: &str) -> Result<Arc<dyn Lookup>> {
        Err(Error::user("there are no lookups"))
    }
}

#[async_trait]
impl Writer for Connected {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink> {
        let found = self.operations.iter().find(|info| ask.operation == Some(info.name.as_str()));
        let info = found.cloned().ok_or_else(|| Error::user("there is no such operation"))?;
        Ok(Sink::Operation(Arc::new(Written { system: self.system.clone(), info })))
    }
}

/// The pages of the stream.
struct Pages {
    system: Arc<System>,
    schema: Schema,
    last: i64,
    rows: i64,
}

#[async_trait]
impl Extract for Pages {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if self.last >= self.rows {
            return Ok(None);
        }
        self.system.take_time().await;
        if self.system.is_in_trouble() {
            return Err(Error::passing("busy"));
        }
        let ids: Vec<i64> = (self.last + 1..=self.rows).take(PAGE as usize).collect();
        self.last += ids.len() as i64;
        let names: Vec<String> = ids.iter().map(|id| format!("row {id}")).collect();
        let columns =
            vec![Series::new("id".into(), &ids).into_column(), Series::new("name".into(), &names).into_column()];
        let frame = DataFrame::new(ids.len(), columns)?;
        Ok(Some(Chunk { frame, rejects: Vec::new(), position: Some(json!(self.last)) }))
    }

    fn go_on(&mut self, position: &Json) -> bool {
        let Some(last) = position.as_i64() else { return false };
        self.last = last;
        true
    }

    fn cursor(&self) -> Option<Json> {
        Some(json!(self.last))
    }
}

/// An operation.
struct Written {
    system: Arc<System>,
    info: OperationInfo,
}

#[async_trait]
impl Operation for Written {
    fn info(&self) -> &OperationInfo {
        &self.info
    }

    fn batch(&self) -> usize {
        self.info.batch
    }

    async fn send(&self, record: &Record) -> Result<Answer> {
        let mut answers = self.system.write(std::slice::from_ref(record)).await;
        answers.pop().unwrap_or_else(|| Err(Error::bug("a call without an answer")))
    }

    async fn send_batch(&self, records: &[Record]) -> Vec<Result<Answer>> {
        self.system.write(records).await
    }

    async fn verify(&self, record: &Record) -> Result<Verified> {
        self.system.verify(record).await
    }
}
