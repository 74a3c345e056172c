//! All slices of a stream as one source.

use super::feed::{Feed, Next, Slice};
use super::given::Ask;
use super::seen::Seen;
use super::worker::{Item, Rounds, Worker};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use polars::prelude::DataFrame;
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;
use towpath_connector::{Chunk, Error, Extract, RejectedRow, Result};
use towpath_spec::Schema;

/// Rows up to which pages are handed on together: children of a few rows each are many.
const TOGETHER: usize = 8_192;
/// How long pages wait for others to be handed on with them.
const PATIENCE: Duration = Duration::from_millis(20);

/// A source of slices.
pub(crate) struct SliceExtract {
    ask: Ask,
    /// Slices that are begun and not yet handed on: each may hold a page, and pages may be large.
    most: usize,
    /// Whether nothing but one slice is ever read and nothing came yet: its head may be all that is wanted.
    patient: bool,
    rounds: Rounds,
    feed: Option<Feed>,
    fed: bool,
    running: VecDeque<Running>,
    seen: Option<Seen>,
    /// What was found while rows before it had to be handed on first.
    held: Option<Held>,
    failed: bool,
    started: Option<DateTime<Utc>>,
    /// Where to go on, until that is reached.
    behind: Option<Behind>,
    /// The same where windows overlap: what earlier ones had is read again, and not given.
    again: Option<Behind>,
    /// The last place that was given.
    last: Option<Json>,
    /// Rejects of parents that were given behind it.
    told: usize,
    /// Rejects of parents behind the place to go on from that are not to be told again.
    to_skip: usize,
}

/// A place in an earlier read.
struct Behind {
    partition: u64,
    window: u64,
    /// The parameters of the partition: a parent may have changed.
    filled: Json,
    page: Json,
    /// Rejects of parents that were given behind it.
    told: usize,
    /// Whether its slice is begun.
    is_begun: bool,
}

/// What is read, in the order in which it comes out.
enum Running {
    Slice { worker: Box<Worker>, slice: Slice },
    Rejects(Vec<RejectedRow>),
}

/// What waits for the rows before it.
enum Held {
    Chunk(Chunk),
    Failed(Error),
}

/// What the first of those gives.
enum Step {
    Chunk(Chunk),
    /// Nothing new: a slice is done, or a page was given by an earlier read.
    Nothing,
    Failed(Error),
}

impl SliceExtract {
    pub(crate) fn new(ask: Ask) -> Self {
        let stream = &ask.stream;
        let given = stream.router.as_ref().and_then(|router| router.concurrency);
        let windows = stream.incremental.as_ref().filter(|incremental| incremental.has_windows());
        let seen = windows
            .filter(|incremental| incremental.step.is_some() && !stream.key.is_empty())
            .map(|incremental| Seen::new(stream.key.clone(), incremental.reach()));
        Self {
            most: given.unwrap_or(usize::MAX).min(ask.connection.limiter().concurrency()),
            patient: ask.is_single() && windows.is_none(),
            rounds: Rounds::new(),
            feed: None,
            fed: false,
            running: VecDeque::new(),
            seen,
            held: None,
            failed: false,
            started: None,
            behind: None,
            again: None,
            last: None,
            told: 0,
            to_skip: 0,
            ask,
        }
    }

    /// Starts a slice, or passes over it where an earlier read is gone on with.
    fn begin(&mut self, slice: Slice) -> Result<()> {
        let (connection, stream) = (&self.ask.connection, &self.ask.stream);
        let reach = stream.incremental.as_ref().map_or(0, |incremental| incremental.reach() as u64);
        if self.again.as_ref().is_some_and(|again| slice.at < (again.partition, again.window.saturating_sub(reach))) {
            return Ok(());
        }
        if let Some(again) = self.again.as_mut().filter(|again| !again.is_begun && slice.at >= again.place()) {
            again.is_begun = true;
            self.to_skip = again.told;
        }
        let page = match &self.behind {
            Some(behind) if slice.at < behind.place() => return Ok(()),
            Some(behind) => {
                self.to_skip = behind.told;
                self.behind.take().map(|behind| behind.at(&slice, &stream.name)).transpose()?
            }
            None => None,
        };
        if page.as_ref().is_some_and(|page| page["done"] == true) {
            return Ok(());
        }
        let pages = crate::stream::Pages::new(connection.clone(), stream.clone(), slice.params.clone());
        let mut extract = crate::reader::one_slice(pages.of_slice(slice.slice.clone()), self.patient);
        if page.is_some_and(|page| !extract.go_on(&page)) {
            return Err(Error::remote(format!("stream `{}` cannot be gone on with in the middle", stream.name)));
        }
        let worker = Box::new(Worker::start(extract, &self.rounds, self.patient));
        self.running.push_back(Running::Slice { worker, slice });
        Ok(())
    }

    fn take_up(&mut self, next: Option<Next>) -> Result<()> {
        match next {
            Some(Next::Slice(slice)) => self.begin(slice)?,
            Some(Next::Rejects(mut rejects)) => {
                // What is before the place, and the first ones behind it, were told by the read that is gone on with.
                let is_before = self.behind.is_some() || self.again.as_ref().is_some_and(|again| !again.is_begun);
                let known = if is_before { rejects.len() } else { self.to_skip.min(rejects.len()) };
                if !is_before {
                    self.to_skip -= known;
                }
                rejects.drain(..known);
                if !rejects.is_empty() {
                    self.running.push_back(Running::Rejects(rejects));
                }
            }
            None if self.behind.is_some() => return Err(changed(&self.ask.stream.name)),
            None => self.fed = true,
        }
        Ok(())
    }

    /// Starts as many slices as there is room for and as are known without waiting.
    fn fill(&mut self) -> Result<()> {
        while !self.fed && self.running.len() < self.most {
            let Some(feed) = &mut self.feed else { return Ok(()) };
            let Some(next) = feed.next(&self.rounds).now_or_never() else { return Ok(()) };
            let next = next?;
            self.take_up(next)?;
        }
        Ok(())
    }

    /// What comes next, waiting for it; `None` at the end.
    async fn step(&mut self) -> Result<Option<Step>> {
        loop {
            self.fill()?;
            let room = !self.fed && self.running.len() < self.most;
            let (Some(feed), rounds) = (&mut self.feed, &self.rounds) else { return Ok(None) };
            let item = match self.running.front_mut() {
                None if self.fed && self.again.is_some() => return Err(changed(&self.ask.stream.name)),
                None if self.fed => return Ok(None),
                None => {
                    let next = feed.next(rounds).await?;
                    self.take_up(next)?;
                    continue;
                }
                Some(Running::Rejects(rejects)) => {
                    let rejects = std::mem::take(rejects);
                    self.running.pop_front();
                    self.told += rejects.len();
                    let (frame, position) = (self.empty(), Some(self.behind_rejects()));
                    return Ok(Some(Step::Chunk(Chunk { frame, rejects, position })));
                }
                Some(Running::Slice { worker, .. }) => tokio::select! {
                    next = feed.next(rounds), if room => {
                        let next = next?;
                        self.take_up(next)?;
                        continue;
                    }
                    item = worker.next(rounds) => item,
                },
            };
            return self.settle(item).map(Some);
        }
    }

    /// What an item of the first slice means.
    fn settle(&mut self, item: Item) -> Result<Step> {
        let Some(Running::Slice { slice, .. }) = self.running.front() else {
            return Err(Error::bug("an answer belongs to no slice"));
        };
        Ok(match item {
            Item::Chunk(chunk) => {
                let mut frame = slice.taken.before(chunk.frame)?;
                let at = slice.at;
                if let Some(seen) = &mut self.seen {
                    frame = seen.fresh(frame, at)?;
                }
                let rejects = chunk.rejects;
                if let Some(again) = &self.again {
                    // Nothing before the place is one to go on from.
                    let reached = again.reached(slice, chunk.position.as_ref(), &self.ask.stream.name)?;
                    if reached {
                        self.again = None;
                    }
                    return Ok(Step::Nothing);
                }
                let filled = &slice.filled;
                let started = self.started.map(|at| at.to_rfc3339());
                let position = chunk.position.map(|page| {
                    json!({"partition": at.0, "window": at.1, "filled": filled, "page": page, "started": started})
                });
                if let Some(position) = &position {
                    (self.last, self.told) = (Some(position.clone()), 0);
                }
                Step::Chunk(Chunk { frame, rejects, position })
            }
            Item::Failed(error) => Step::Failed(match &slice.label {
                Some(label) => error.at(label),
                None => error,
            }),
            Item::End => {
                self.running.pop_front();
                Step::Nothing
            }
        })
    }

    /// The place behind rejects of parents: that of the page before, and how many came since.
    fn behind_rejects(&self) -> Json {
        let mut place = self.last.clone().unwrap_or_else(|| json!({"parent": true}));
        place["told"] = self.told.into();
        place
    }

    fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&towpath_mapping::schema_to_polars(&self.ask.stream.schema))
    }

    /// The next chunk, and with it those that come soon.
    async fn gather(&mut self) -> Result<Option<Chunk>> {
        let mut whole: Option<Chunk> = None;
        // One timer for all of them: children are many.
        let mut patience = std::pin::pin!(tokio::time::sleep(PATIENCE));
        loop {
            let step = tokio::select! {
                biased;
                step = self.step() => step,
                () = &mut patience, if whole.is_some() => return Ok(whole),
            };
            match (step, &mut whole) {
                (Ok(None), _) => return Ok(whole),
                (Ok(Some(Step::Nothing)), _) => {}
                (Err(error) | Ok(Some(Step::Failed(error))), None) => return Err(error),
                (Err(error) | Ok(Some(Step::Failed(error))), Some(_)) => {
                    self.held = Some(Held::Failed(error));
                    return Ok(whole);
                }
                // What has no position of its own may be taken back, and what is before it may not.
                (Ok(Some(Step::Chunk(chunk))), Some(_)) if chunk.position.is_none() => {
                    self.held = Some(Held::Chunk(chunk));
                    return Ok(whole);
                }
                (Ok(Some(Step::Chunk(chunk))), None) => {
                    let first = std::mem::take(&mut self.patient);
                    let alone = first || chunk.position.is_none() || chunk.frame.height() >= TOGETHER;
                    whole = Some(chunk);
                    patience.as_mut().reset(Instant::now() + PATIENCE);
                    if alone {
                        return Ok(whole);
                    }
                }
                (Ok(Some(Step::Chunk(chunk))), Some(before)) => {
                    before.frame.vstack_mut(&chunk.frame)?;
                    before.rejects.extend(chunk.rejects);
                    before.position = chunk.position;
                    if before.frame.height() >= TOGETHER {
                        return Ok(whole);
                    }
                }
            }
        }
    }
}

impl Behind {
    fn place(&self) -> (u64, u64) {
        (self.partition, self.window)
    }

    /// The page to go on from in the slice that is there now.
    fn at(self, slice: &Slice, stream: &str) -> Result<Json> {
        let is_same = slice.at == self.place() && slice.filled == self.filled;
        if is_same { Ok(self.page) } else { Err(changed(stream)) }
    }

    /// Whether a page of a slice, by its position, is this place.
    fn reached(&self, slice: &Slice, page: Option<&Json>, stream: &str) -> Result<bool> {
        let place = self.place();
        if slice.at > place || (slice.at == place && slice.filled != self.filled) {
            return Err(changed(stream));
        }
        Ok(slice.at == place && page == Some(&self.page))
    }
}

fn changed(stream: &str) -> Error {
    Error::remote(format!("what `{stream}` is read for is not what it was in the read that is to be gone on with"))
}

#[async_trait]
impl Extract for SliceExtract {
    fn schema(&self) -> &Schema {
        &self.ask.stream.schema
    }

    fn go_on(&mut self, position: &Json) -> bool {
        let number = |name: &str| position.get(name).and_then(Json::as_u64);
        let started = position["started"].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
        let (Some(partition), Some(window), Some(started)) = (number("partition"), number("window"), started) else {
            return false;
        };
        // Windows end where they ended, and what changed since is in the next read.
        self.started = Some(started.to_utc());
        let (filled, page) = (position["filled"].clone(), position["page"].clone());
        let told = usize::try_from(number("told").unwrap_or_default()).unwrap_or(usize::MAX);
        (self.last, self.told) = (Some(position.clone()), told);
        let place = Some(Behind { partition, window, filled, page, told, is_begun: false });
        if self.seen.is_some() {
            self.again = place;
        } else {
            self.behind = place;
        }
        true
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        // The first try counts: what changes while it is made again must be in the next read, too.
        let now = *self.started.get_or_insert_with(Utc::now);
        match self.held.take() {
            Some(Held::Chunk(chunk)) => return Ok(Some(chunk)),
            Some(Held::Failed(error)) => {
                self.failed = true;
                return Err(error);
            }
            None => {}
        }
        if std::mem::take(&mut self.failed) {
            self.rounds.begin();
        }
        if self.feed.is_none() {
            self.feed = Some(Feed::start(&self.ask, &self.rounds, now)?);
        }
        let next = self.gather().await;
        self.failed = next.is_err();
        Ok(next?.map(|mut chunk| {
            chunk.frame.rechunk_mut();
            chunk
        }))
    }

    fn cursor(&self) -> Option<Json> {
        Some(self.ask.stream.incremental.as_ref()?.cursor(self.started?))
    }
}
