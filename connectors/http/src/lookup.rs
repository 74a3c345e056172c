//! A stream asked for one set of parameters.

use crate::call::Unready;
use crate::connection::Connection;
use crate::given::{Completed, complete};
use crate::plan::{RecordsPlan, StreamPlan};
use crate::slices::Ask;
use crate::stream::Pages;
use async_trait::async_trait;
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_connector::{Error, Lookup, Record, Result};

/// A lookup of a JSON stream.
pub(crate) struct StreamLookup {
    pub(crate) connection: Arc<Connection>,
    pub(crate) stream: Arc<StreamPlan>,
}

#[async_trait]
impl Lookup for StreamLookup {
    async fn get(&self, params: &Record) -> Result<Vec<Record>> {
        let stream = &self.stream;
        let params = match complete(&stream.params, params, self.connection.config(), true)? {
            Completed::Good(params) => params,
            // Nothing has no name: there is no such record, and asking would ask for another one.
            Completed::Missing(_) => return Ok(Vec::new()),
            Completed::Bad(message) => return Err(Error::data(format!("{}: {message}", stream.name))),
        };
        let mut pages = Pages::new(Arc::clone(&self.connection), Arc::clone(stream), params);
        let mut found = Vec::new();
        while !pages.pager.is_done() {
            let request = match pages.request() {
                Ok(request) => request,
                Err(Unready::Value(_)) => return Ok(found),
                Err(unready) => return Err(unready.into_error(&stream.name)),
            };
            if let Some(answer) = pages.page(&request).await? {
                for record in stream.records(&answer) {
                    found.push(stream.record(&record)?);
                }
            }
        }
        Ok(found)
    }
}

/// A lookup of a stream of another kind, or of several slices: it is read as a source would be.
struct ReadLookup {
    connection: Arc<Connection>,
    stream: Arc<StreamPlan>,
}

/// A lookup of a stream.
pub(crate) fn of_stream(connection: &Arc<Connection>, stream: Arc<StreamPlan>) -> Arc<dyn Lookup> {
    let connection = Arc::clone(connection);
    let windows = stream.incremental.as_ref().is_some_and(|incremental| incremental.has_windows());
    if !matches!(stream.records, RecordsPlan::Xml(_)) && stream.router.is_none() && !windows {
        Arc::new(StreamLookup { connection, stream })
    } else {
        Arc::new(ReadLookup { connection, stream })
    }
}

#[async_trait]
impl Lookup for ReadLookup {
    async fn get(&self, params: &Record) -> Result<Vec<Record>> {
        let stream = &self.stream;
        // What a router fills need not be given, but nothing given for it has no name, either.
        let filled = stream.router.iter().flat_map(|router| router.fills());
        if filled.into_iter().any(|name| params.get(name).is_some_and(is_nothing)) {
            return Ok(Vec::new());
        }
        let ask = match Ask::new(&self.connection, Arc::clone(stream), params.clone(), None)? {
            Ok(ask) => ask,
            Err(Completed::Good(_) | Completed::Missing(_)) => return Ok(Vec::new()),
            Err(Completed::Bad(message)) => return Err(Error::data(format!("{}: {message}", stream.name))),
        };
        let mut extract = crate::reader::extract(ask);
        let mut found = Vec::new();
        while let Some(chunk) = extract.next().await? {
            if let Some(reject) = chunk.rejects.first() {
                let field = reject.field.as_deref().unwrap_or_default();
                return Err(Error::data(format!("{}: field `{field}`: {}", stream.name, reject.reason)));
            }
            found.extend(towpath_mapping::frame_to_json_rows(&chunk.frame, &stream.schema).map_err(Error::bug)?);
        }
        Ok(found)
    }
}

fn is_nothing(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}
