//! A stream read as a source: page by page, each page whole.

use crate::call::Prepared;
use crate::connection::Connection;
use crate::pager::{Page, Pager, fingerprint};
use crate::plan::StreamPlan;
use crate::policy::{Answered, Verdict};
use crate::template::Names;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::sync::Arc;
use towpath_connector::{Chunk, Error, Extract, Result};
use towpath_spec::Schema;
use url::Url;

/// The largest JSON page that is taken in.
const PAGE_LIMIT: usize = 256 << 20;

/// One page of an answer.
pub(crate) struct Fetched {
    /// `None`: there is nothing.
    pub(crate) answer: Option<Json>,
    pub(crate) headers: HeaderMap,
    pub(crate) url: Url,
}

/// A reader of pages, shared by sources and lookups.
pub(crate) struct Pages {
    pub(crate) connection: Arc<Connection>,
    pub(crate) stream: Arc<StreamPlan>,
    pub(crate) params: Json,
    pub(crate) pager: Pager,
}

impl Pages {
    pub(crate) fn new(connection: Arc<Connection>, stream: Arc<StreamPlan>, params: Json) -> Self {
        let pager = Pager::new(&stream.name, stream.pager.clone());
        Self { connection, stream, params, pager }
    }

    /// The request for the page the pager stands at.
    ///
    /// # Errors
    /// A value that makes no sense in it.
    pub(crate) fn request(&self) -> std::result::Result<Prepared, crate::call::Unready> {
        let record = Json::Object(Map::new());
        let page = self.pager.names();
        let names = Names { config: self.connection.config(), params: &self.params, record: &record, page: &page };
        let request = self.stream.call.prepare(&self.stream.name, &self.connection.surroundings(), &names)?;
        Ok(match self.pager.next_url() {
            Some(url) => request.to(url.clone()),
            None => request,
        })
    }

    /// Asks for the page and hands it to `take`; the pager moves on when that went well.
    ///
    /// # Errors
    /// The page could not be had.
    pub(crate) async fn next<T>(
        &mut self,
        request: &Prepared,
        take: impl FnOnce(&StreamPlan, &[Cow<'_, Json>]) -> Result<T>,
    ) -> Result<T> {
        let fetched = self.fetch(request).await?;
        let Some(answer) = &fetched.answer else {
            self.pager.finish();
            return take(&self.stream, &[]);
        };
        let records = self.stream.records(answer);
        let taken = take(&self.stream, &records)?;
        let page = Page {
            answer,
            headers: &fetched.headers,
            url: &fetched.url,
            records: records.len(),
            content: fingerprint(&records),
        };
        self.pager.advance(&page)?;
        Ok(taken)
    }

    async fn fetch(&self, request: &Prepared) -> Result<Fetched> {
        let reply = self.connection.exchange(request, &self.stream.auth).await?;
        let headers = reply.headers().clone();
        let url = request.url.clone();
        let nothing = |headers, url| Fetched { answer: None, headers, url };
        let (status, pause) = (reply.status(), reply.pause());
        let answered = Answered { connection: &self.connection, what: &self.stream.name, status, pause };
        let body = if status.is_success() { reply.bytes(PAGE_LIMIT).await? } else { reply.head_of_body().await };
        match self.stream.policy.status(&answered, &body) {
            Verdict::Good => {}
            Verdict::Nothing => return Ok(nothing(headers, url)),
            Verdict::Failed(error) => return Err(error),
            Verdict::Refused(message) => return Err(Error::remote(format!("{}: {message}", self.stream.name))),
        }
        let content_type = content_type(&headers);
        let Some(answer) = self.stream.policy.json(&answered, &content_type, &body)? else {
            if self.stream.policy.empty_is_absent() {
                return Ok(nothing(headers, url));
            }
            return Err(Error::data(format!(
                "{}: {} answered {status} with an empty body where JSON was expected",
                self.stream.name,
                self.connection.host()
            )));
        };
        if self.stream.policy.answer_is_absent(&answer) {
            return Ok(nothing(headers, url));
        }
        match self.stream.policy.content(&answered, &answer) {
            Verdict::Failed(error) => Err(error),
            _ => Ok(Fetched { answer: Some(answer), headers, url }),
        }
    }
}

/// The media type of an answer, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}

/// A source of JSON pages.
pub(crate) struct JsonExtract {
    pages: Pages,
    started: Option<DateTime<Utc>>,
}

impl JsonExtract {
    pub(crate) fn new(pages: Pages) -> Self {
        Self { pages, started: None }
    }
}

#[async_trait]
impl Extract for JsonExtract {
    fn schema(&self) -> &Schema {
        &self.pages.stream.schema
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        // The first try counts: what changes while it is made again must be in the next read, too.
        self.started.get_or_insert_with(Utc::now);
        if self.pages.pager.is_done() {
            return Ok(None);
        }
        let what = self.pages.stream.name.clone();
        let request = self.pages.request().map_err(|unready| unready.into_error(&what))?;
        let mut chunk = self.pages.next(&request, StreamPlan::rows).await?;
        chunk.position = Some(self.pages.pager.position());
        Ok(Some(chunk))
    }

    fn cursor(&self) -> Option<Json> {
        Some(self.pages.stream.incremental.as_ref()?.cursor(self.started?))
    }
}
