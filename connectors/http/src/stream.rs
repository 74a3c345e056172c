//! A stream read as a source: page by page, each page whole.

use crate::call::Prepared;
use crate::connection::Connection;
use crate::direct::DirectPage;
use crate::pager::{Page, Pager, fingerprint};
use crate::plan::StreamPlan;
use crate::policy::{Answered, Verdict, without_bom};
use crate::template::Names;
use async_trait::async_trait;
use bytes::Bytes;
use polars::prelude::DataFrame;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;
use towpath_connector::{Chunk, Error, Extract, Result};
use towpath_spec::Schema;
use url::Url;

/// A good answer to the call for a page.
struct Good {
    status: StatusCode,
    pause: Option<Duration>,
    headers: HeaderMap,
    url: Url,
    body: Bytes,
}

/// What is on a page.
pub(crate) enum Content {
    /// The answer.
    Answer(Json),
    /// Rows, all of which fit the stream's columns.
    Rows(DataFrame),
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
        match self.fetch(request).await? {
            Some(good) => self.answer(good),
            None => Ok(None),
        }
    }

    /// The same for whoever has no use for the request and wants no more than rows.
    async fn next(&mut self) -> Result<Option<Content>> {
        let request = self.request().map_err(|unready| unready.into_error(&self.stream.name))?;
        let Some(good) = self.fetch(&request).await? else { return Ok(None) };
        if let Some(page) = self.direct(&good) {
            let moved = self.advance(&good, &page.answer, page.frame.height(), page.content)?;
            return Ok(moved.then_some(Content::Rows(page.frame)));
        }
        Ok(self.answer(good)?.map(Content::Answer))
    }

    /// A page straight as rows, when there is nothing unusual about it.
    fn direct(&self, good: &Good) -> Option<DirectPage> {
        let stream = &self.stream;
        let page = stream.direct.as_ref()?.page(&stream.columns, without_bom(&good.body))?;
        let is_good = matches!(stream.policy.content(&self.answered(good), &page.answer), Verdict::Good);
        (is_good && !stream.policy.answer_is_absent(&page.answer)).then_some(page)
    }

    /// A page in general.
    fn answer(&mut self, good: Good) -> Result<Option<Json>> {
        let Some(answer) = self.read(&good)? else {
            self.pager.finish();
            return Ok(None);
        };
        let records = self.stream.records(&answer);
        let (height, content) = (records.len(), fingerprint(&records));
        drop(records);
        Ok(self.advance(&good, &answer, height, content)?.then_some(answer))
    }

    /// Goes on behind a page; false when the same page is to be asked for again.
    fn advance(&mut self, good: &Good, answer: &Json, records: usize, content: u64) -> Result<bool> {
        if self.pager.was_cut(records)? {
            return Ok(false);
        }
        self.pager.advance(&Page { answer, headers: &good.headers, url: &good.url, records, content })?;
        Ok(true)
    }

    fn answered(&self, good: &Good) -> Answered<'_> {
        let (status, pause) = (good.status, good.pause);
        Answered { connection: &self.connection, what: &self.stream.name, status, pause }
    }

    /// Asks for a page; when there is none, that is the end.
    async fn fetch(&mut self, request: &Prepared) -> Result<Option<Good>> {
        let reply = self.connection.exchange(request, &self.stream.auth).await?;
        let (status, pause, headers) = (reply.status(), reply.pause(), reply.headers().clone());
        let body = reply.body(self.stream.records.limit()).await?;
        let good = Good { status, pause, headers, url: request.url.clone(), body };
        match self.stream.policy.status(&self.answered(&good), &good.body) {
            Verdict::Good => Ok(Some(good)),
            Verdict::Nothing => {
                self.pager.finish();
                Ok(None)
            }
            Verdict::Failed(error) => Err(error),
            Verdict::Refused(message) => Err(Error::remote(format!("{}: {message}", self.stream.name))),
        }
    }

    /// What a good answer holds; `None`: nothing.
    fn read(&self, good: &Good) -> Result<Option<Json>> {
        let plan = &self.stream;
        let answered = self.answered(good);
        let Some(answer) = plan.records.read(&plan.policy, &answered, &good.headers, &good.body)? else {
            if plan.policy.empty_is_absent() || plan.records.may_be_empty() {
                return Ok(None);
            }
            return Err(Error::data(format!(
                "{}: {} answered {} with an empty body where JSON was expected",
                self.stream.name,
                self.connection.host(),
                good.status
            )));
        };
        if plan.policy.answer_is_absent(&answer) {
            return Ok(None);
        }
        match plan.policy.content(&answered, &answer) {
            Verdict::Failed(error) => Err(error),
            _ => match plan.records.misplaced(&answer) {
                Some(why) => Err(plan.policy.without_records(&answered, &answer, &why)),
                None => Ok(Some(answer)),
            },
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
    Ahead(AbortOnDropHandle<(Box<Pages>, Result<Option<Content>>)>),
    /// Nowhere: the task is gone.
    Lost,
}

impl JsonExtract {
    /// Reads pages; with `ahead` the next one is asked for while rows are made of the one before, from the second on.
    pub(crate) fn new(pages: Pages, ahead: bool) -> Self {
        Self { stream: Arc::clone(&pages.stream), pages: At::Here(Box::new(pages)), ahead, begun: false }
    }

    /// The pages behind the next one, and what is on that.
    async fn page(&mut self) -> Result<(Box<Pages>, Option<Content>)> {
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

    fn go_on(&mut self, position: &Json) -> bool {
        match &mut self.pages {
            At::Here(pages) => pages.pager.go_on(position),
            At::Ahead(_) | At::Lost => false,
        }
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if matches!(&self.pages, At::Here(pages) if pages.pager.is_done()) {
            return Ok(None);
        }
        // What a call needs is large, and most streams of many slices end behind one page.
        let (mut pages, content) = Box::pin(self.page()).await?;
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
        let chunk = match &content {
            Some(Content::Rows(frame)) => Chunk { frame: frame.clone(), ..Chunk::default() },
            Some(Content::Answer(answer)) => self.stream.rows(&self.stream.records(answer))?,
            None => self.stream.rows(&[])?,
        };
        Ok(Some(Chunk { position, ..chunk }))
    }
}
