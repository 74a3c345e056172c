//! Reading through a connection. Nothing here can send an operation.

use crate::connection::Connection;
use crate::given::{Completed, complete};
use crate::lookup::StreamLookup;
use crate::plan::{RecordsPlan, StreamPlan};
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
        if let (Some(incremental), Some(cursor)) = (&stream.incremental, cursor) {
            let start = incremental.start_of(cursor, lookback)?;
            given.insert(incremental.start.clone(), Json::from(start));
        }
        let params = match complete(&stream.params, &given, self.connection.config(), true)? {
            Completed::Good(params) => params,
            Completed::Bad(message) | Completed::Missing(message) => {
                return Err(
                    Error::user(format!("stream `{name}`: {message}")).help("set it under `with:` of the source")
                );
            }
        };
        Ok(Source::Extract(extract(&self.connection, stream, params)))
    }

    fn lookup(&self, stream: &str) -> Result<Arc<dyn Lookup>> {
        let stream = self.connection.stream(stream)?;
        Ok(match stream.records {
            RecordsPlan::Json { .. } => Arc::new(StreamLookup { connection: Arc::clone(&self.connection), stream }),
            RecordsPlan::Xml(_) => {
                Arc::new(crate::lookup::XmlLookup { connection: Arc::clone(&self.connection), stream })
            }
        })
    }
}

pub(crate) fn extract(connection: &Arc<Connection>, stream: Arc<StreamPlan>, params: Json) -> Box<dyn Extract> {
    let xml = matches!(stream.records, RecordsPlan::Xml(_));
    let pages = Pages::new(Arc::clone(connection), stream, params);
    if xml { Box::new(XmlExtract::new(pages)) } else { Box::new(JsonExtract::new(pages)) }
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
    let Completed::Good(params) = complete(&stream.params, params, connection.config(), true)? else {
        return login(connection).await;
    };
    // The first chunk says it all: the rest is not read.
    let absence_is_told = stream.policy.absent.is_some();
    let first = extract(connection, stream, params).next().await?;
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
    let all: Vec<usize> = (0..connection.api().auth.len()).collect();
    crate::auth::apply(connection, &all, &mut reqwest::header::HeaderMap::new()).await.map(drop)
}
