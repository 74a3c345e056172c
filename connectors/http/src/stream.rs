//! A stream read as a source: page by page, each page whole.

use crate::call::Prepared;
use crate::connection::Connection;
use crate::pager::{Page, Pager, fingerprint};
use crate::plan::StreamPlan;
use crate::policy::{Answered, Verdict};
use crate::template::Names;
use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;
use towpath_connector::{Chunk, Error, Extract, Result};
use towpath_spec::Schema;
use url::Url;

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
    /// What `slice` stands for.
    slice: Json,
    pub(crate) pager: Pager,
}

impl Pages {
    pub(crate) fn new(connection: Arc<Connection>, stream: Arc<StreamPlan>, params: Json) -> Self {
        let pager = Pager::new(&stream.name, stream.pager.clone());
        Self { connection, stream, params, slice: Json::Null, pager }
    }

    /// The same as one of several slices.
    pub(crate) fn of_slice(self, slice: Json) -> Self {
        Self { slice, ..self }
    }

    /// The request for the page the pager stands at.
    ///
    /// # Errors
    /// A value that makes no sense in it.
    pub(crate) fn request(&self) -> std::result::Result<Prepared, crate::call::Unready> {
        let record = Json::Object(Map::new());
        let page = self.pager.names();
        let config = Names::config(self.connection.config());
        let slice = [("slice", &self.slice)];
        let names = Names { params: &self.params, record: &record, page: &page, ..config }.with(&slice);
        let request = self.stream.call.prepare(&self.stream.name, &self.connection.surroundings(), &names)?;
        Ok(match self.pager.next_url() {
            Some(url) => request.to(url.clone()),
            None => request,
        })
    }

    /// Asks for the page and moves on behind it; `None` when nothing is on it.
    ///
    /// # Errors
    /// The page could not be had, and is still the next one; or going on would never end.
    pub(crate) async fn page(&mut self, request: &Prepared) -> Result<Option<Json>> {
        let fetched = self.fetch(request).await?;
        let Some(answer) = fetched.answer else {
            self.pager.finish();
            return Ok(None);
        };
        let records = self.stream.records(&answer);
        if self.pager.was_cut(records.len())? {
            return Ok(None);
        }
        let page = Page {
            answer: &answer,
            headers: &fetched.headers,
            url: &fetched.url,
            records: records.len(),
            content: fingerprint(&records),
        };
        self.pager.advance(&page)?;
        drop(records);
        Ok(Some(answer))
    }

    /// The same for whoever has no use for the request.
    async fn next(&mut self) -> Result<Option<Json>> {
        let request = self.request().map_err(|unready| unready.into_error(&self.stream.name))?;
        self.page(&request).await
    }

    async fn fetch(&self, request: &Prepared) -> Result<Fetched> {
        let reply = self.connection.exchange(request, &self.stream.auth).await?;
        let headers = reply.headers().clone();
        let url = request.url.clone();
        let nothing = |headers, url| Fetched { answer: None, headers, url };
        let (status, pause) = (reply.status(), reply.pause());
        let answered = Answered { connection: &self.connection, what: &self.stream.name, status, pause };
        let body = if status.is_success() {
            reply.bytes(self.stream.records.limit()).await?
        } else {
            reply.head_of_body().await
        };
        match self.stream.policy.status(&answered, &body) {
            Verdict::Good => {}
            Verdict::Nothing => return Ok(nothing(headers, url)),
            Verdict::Failed(error) => return Err(error),
            Verdict::Refused(message) => return Err(Error::remote(format!("{}: {message}", self.stream.name))),
        }
        let plan = &self.stream;
        let Some(answer) = plan.records.read(&plan.policy, &answered, &headers, &body)? else {
            if plan.policy.empty_is_absent() || plan.records.may_be_empty() {
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

/// A source of pages that are held as a whole.
pub(crate) struct JsonExtract {
    stream: Arc<StreamPlan>,
    pages: At,
    ahead: bool,
    begun: bool,
}

/// Where the pages are.
enum At {
    Here(Box<Pages>),
    /// With a task that reads the next one.
    Ahead(AbortOnDropHandle<(Box<Pages>, Result<Option<Json>>)>),
    /// Nowhere: the task is gone.
    Lost,
}

impl JsonExtract {
    /// Reads pages; with `ahead` the next one is asked for while rows are made of the one before, from the second on.
    pub(crate) fn new(pages: Pages, ahead: bool) -> Self {
        Self { stream: Arc::clone(&pages.stream), pages: At::Here(Box::new(pages)), ahead, begun: false }
    }

    /// The pages behind the next one, and what is on that.
    async fn page(&mut self) -> Result<(Box<Pages>, Option<Json>)> {
        let (pages, read) = match &mut self.pages {
            At::Here(pages) => {
                let read = pages.next().await;
                let At::Here(pages) = std::mem::replace(&mut self.pages, At::Lost) else { return Err(lost()) };
                (pages, read)
            }
            At::Ahead(task) => task.await.map_err(|_| lost())?,
            At::Lost => return Err(lost()),
        };
        match read {
            Ok(answer) => Ok((pages, answer)),
            Err(error) => {
                self.pages = At::Here(pages);
                Err(error)
            }
        }
    }
}

fn lost() -> Error {
    Error::bug("a task that reads pages ended before its page")
}

#[async_trait]
impl Extract for JsonExtract {
    fn schema(&self) -> &Schema {
        &self.stream.schema
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if matches!(&self.pages, At::Here(pages) if pages.pager.is_done()) {
            return Ok(None);
        }
        // What a call needs is large, and most streams of many slices end behind one page.
        let (mut pages, answer) = Box::pin(self.page()).await?;
        let position = Some(pages.pager.position());
        self.pages = if self.ahead && self.begun && !pages.pager.is_done() {
            At::Ahead(AbortOnDropHandle::new(tokio::spawn(async move {
                let read = pages.next().await;
                (pages, read)
            })))
        } else {
            At::Here(pages)
        };
        self.begun = true;
        if matches!(self.pages, At::Ahead(_)) {
            // A task that was just spawned runs on this thread and on no other as long as this one does not let go of it.
            tokio::task::yield_now().await;
        }
        let records = answer.as_ref().map(|answer| self.stream.records(answer)).unwrap_or_default();
        Ok(Some(Chunk { position, ..self.stream.rows(&records)? }))
    }
}
