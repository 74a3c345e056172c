//! A stream asked for one set of parameters.

use crate::call::Unready;
use crate::connection::Connection;
use crate::given::{Completed, complete};
use crate::plan::StreamPlan;
use crate::stream::Pages;
use async_trait::async_trait;
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
            let page: Vec<Record> = pages
                .next(&request, |stream, records| records.iter().map(|record| stream.record(record)).collect())
                .await?;
            found.extend(page);
        }
        Ok(found)
    }
}

/// A lookup of an XML stream: the document is read as a source would be.
pub(crate) struct XmlLookup {
    pub(crate) connection: Arc<Connection>,
    pub(crate) stream: Arc<StreamPlan>,
}

#[async_trait]
impl Lookup for XmlLookup {
    async fn get(&self, params: &Record) -> Result<Vec<Record>> {
        let stream = &self.stream;
        let params = match complete(&stream.params, params, self.connection.config(), true)? {
            Completed::Good(params) => params,
            Completed::Missing(_) => return Ok(Vec::new()),
            Completed::Bad(message) => return Err(Error::data(format!("{}: {message}", stream.name))),
        };
        let mut extract = crate::reader::extract(&self.connection, Arc::clone(stream), params);
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
