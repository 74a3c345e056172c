//! Reading through a connection. Nothing here can send an operation.

use crate::connection::Connection;
use crate::given::Completed;
use crate::plan::RecordsPlan;
use crate::slices::{Ask, SliceExtract};
use crate::stream::{JsonExtract, Pages};
use crate::xml::XmlExtract;
use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_connector::{Error, Extract, Lookup, Reader, Result, Source, SourceAsk};
use towpath_spec::quantity::parse_duration;

/// A connection that reads.
pub(crate) struct ApiReader {
    pub(crate) connection: Arc<Connection>,
}

#[async_trait]
impl Reader for ApiReader {
    async fn check(&self) -> Result<()> {
        check(&self.connection).await
    }

    fn source(&self, ask: &SourceAsk<'_>, cursor: Option<&Json>) -> Result<Source> {
        let name = ask.stream.ok_or_else(|| Error::user("a source of this connector needs a `stream`"))?;
        let stream = self.connection.stream(name)?;
        let mut given = ask.settings.values().clone();
        let lookback = given.remove("lookback").map(|written| lookback(&written)).transpose()?;
        let from = match (&stream.incremental, cursor) {
            (Some(incremental), Some(cursor)) => Some(incremental.start_of(cursor, lookback)?),
            _ => None,
        };
        let ask = match Ask::new(&self.connection, stream, given, from)? {
            Ok(ask) => ask,
            Err(Completed::Bad(message) | Completed::Missing(message)) => {
                return Err(
                    Error::user(format!("stream `{name}`: {message}")).help("set it under `with:` of the source")
                );
            }
            Err(Completed::Good(_)) => return Err(Error::bug("good parameters were refused")),
        };
        Ok(Source::Extract(extract(ask)))
    }

    fn lookup(&self, stream: &str) -> Result<Arc<dyn Lookup>> {
        Ok(crate::lookup::of_stream(&self.connection, self.connection.stream(stream)?))
    }
}

/// A stream as a source, with all its slices.
pub(crate) fn extract(ask: Ask) -> Box<dyn Extract> {
    Box::new(SliceExtract::new(ask))
}

/// The pages of one slice.
pub(crate) fn one_slice(pages: Pages, alone: bool) -> Box<dyn Extract> {
    if matches!(pages.stream.records, RecordsPlan::Xml(_)) {
        Box::new(XmlExtract::new(pages))
    } else {
        // Of several slices each is read by a task of its own already.
        Box::new(JsonExtract::new(pages, alone))
    }
}

fn lookback(written: &Json) -> Result<TimeDelta> {
    let text = written.as_str().unwrap_or_default();
    parse_duration(text)
        .ok()
        .and_then(|duration| TimeDelta::from_std(duration).ok())
        .ok_or_else(|| Error::user(format!("`lookback`: expected a duration such as `PT1H`, found {written}")))
}

/// Asks the definition's `check` stream; without one, whether the login works.
///
/// # Errors
/// The other side cannot be reached or does not let us in.
pub(crate) async fn check(connection: &Arc<Connection>) -> Result<()> {
    let Some((name, params)) = &connection.api().check else {
        return login(connection).await;
    };
    let stream = connection.stream(name)?;
    let Ok(ask) = Ask::new(connection, Arc::clone(&stream), params.clone(), None)? else {
        return login(connection).await;
    };
    // The first chunk says it all: the rest is not read.
    let absence_is_told = stream.policy.absent.is_some();
    let first = extract(ask).next().await?;
    let found = first.is_some_and(|chunk| chunk.frame.height() > 0);
    // A list may be empty; what is one record by its settings has to be there.
    if absence_is_told && !found {
        let message = format!("connection `{}`: {name} has no record for what its settings say", connection.name());
        return Err(
            Error::user(message).help("check the settings of the connection that name an account or organisation")
        );
    }
    Ok(())
}

async fn login(connection: &Connection) -> Result<()> {
    crate::auth::log_in(connection).await
}
