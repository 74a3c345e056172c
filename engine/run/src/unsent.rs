//! An operation that cannot be carried out: what a plan holds in the place of a sink's.
//!
//! Its fields are private to this module, and no method of it sends: that a plan writes nothing to another system is held
//! by the types, not by care.

use crate::runner::Runner;
use std::sync::Arc;
use towpath_connector::{Error, Operation, OperationInfo, Record, Result, Sink, SinkAsk, Sketch};
use towpath_plan::SinkNode;
use towpath_spec::Schema as Columns;

/// An operation that only tells about itself.
pub(crate) struct Unsent {
    operation: Arc<dyn Operation>,
    /// What the journal knows the other system by.
    pub target: String,
}

impl Unsent {
    /// What it is.
    pub fn info(&self) -> &OperationInfo {
        self.operation.info()
    }

    /// The call that would be made of these records.
    pub fn sketch(&self, records: &[Record]) -> Result<Option<Sketch>> {
        self.operation.sketch(records)
    }
}

impl Runner {
    /// The operation of a sink, unable to send.
    pub(crate) async fn unsent(&self, node: usize, sink: &SinkNode, columns: &Columns) -> Result<Unsent> {
        let connector = self.connector(sink.connection)?;
        let connect = self.connect(sink.connection)?;
        let writer = connector.writer(&connect)?;
        let declared: Vec<_> = connector.descriptor().sink_settings.iter().collect();
        let settings = self.settings(&declared, &sink.settings, node)?;
        let ask = SinkAsk {
            operation: sink.operation.as_ref().map(|(name, _)| name.as_str()),
            connection: &connect.settings,
            settings: &settings,
            schema: Some(columns),
            base: &self.plan.base,
        };
        match writer.sink(&ask)? {
            Sink::Operation(operation) => {
                let target = self.target(sink, &connector.descriptor().name, &writer.target());
                Ok(Unsent { operation, target })
            }
            Sink::File(_) | Sink::Table(_) => Err(Error::bug("only operations are sent")),
        }
    }
}
