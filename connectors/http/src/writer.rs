//! Writing through a connection.

use crate::connection::Connection;
use crate::operation::ApiOperation;
use async_trait::async_trait;
use std::sync::Arc;
use towpath_connector::{Error, Result, Sink, SinkAsk, Writer};
use towpath_spec::diagnostic::did_you_mean;

/// A connection that writes.
pub(crate) struct ApiWriter {
    pub(crate) connection: Arc<Connection>,
}

#[async_trait]
impl Writer for ApiWriter {
    async fn check(&self) -> Result<()> {
        crate::reader::check(&self.connection).await
    }

    fn target(&self) -> String {
        self.connection.identity()
    }

    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink> {
        let api = self.connection.api();
        let name = ask.operation.ok_or_else(|| Error::user("a sink of this connector needs an `operation`"))?;
        let plan = api.operation(name).ok_or_else(|| {
            let names = api.operations.iter().map(|operation| operation.info.name.as_str());
            let error = Error::user(format!("connector `{}` has no operation `{name}`", api.descriptor.name));
            match did_you_mean(name, names) {
                Some(help) => error.help(help),
                None => error,
            }
        })?;
        let plan = self.connection.overrides().operation(plan);
        Ok(Sink::Operation(Arc::new(ApiOperation { connection: Arc::clone(&self.connection), plan })))
    }
}
