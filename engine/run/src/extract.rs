//! Sources: opened here, and extracted into a stage unless Polars scans them by itself.

use crate::accounts::book;
use crate::clock::aside;
use crate::flow::Flow;
use crate::intake::Intake;
use crate::rejects::{NewReject, lock};
use crate::runner::{Mode, Runner};
use crate::stage::Stage;
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_connector::{Chunk, Error, Extract, Result, Source, SourceAsk};
use towpath_plan::SourceNode;

/// What is kept of an incremental source between runs.
const CURSOR: &str = "cursor";

impl Runner {
    /// The rows of a source.
    pub(crate) async fn source(self: &Arc<Self>, node: usize, source: &SourceNode) -> Result<Flow> {
        let opened = lock(&self.opened)?.remove(&node);
        let opened = match opened {
            Some(opened) => opened,
            None => self.open(node, source).await?,
        };
        self.start(node);
        match opened {
            Source::Scan(scan) => self.scan(node, *scan),
            Source::Extract(extract) => {
                let stage = self.extract(node, source, extract).await?;
                let frame = self.tap(stage.scan()?, node, |account| &account.rows_out);
                Ok(Flow { frame, ..Flow::of(&stage)? })
            }
        }
    }

    /// Keeps what was opened for whoever asks for the source's rows.
    pub(crate) fn keep_open(&self, node: usize, opened: Source) -> Result<()> {
        lock(&self.opened)?.insert(node, opened);
        Ok(())
    }

    /// Opens a source; nothing is read yet but what its columns are known by.
    pub(crate) async fn open(self: &Arc<Self>, node: usize, source: &SourceNode) -> Result<Source> {
        let reader = self.reader(source.connection).await?;
        let connector = self.connector(source.connection)?;
        let declared = connector.descriptor().settings_of_source(source.stream.as_deref());
        let mut settings = self.settings(&declared, &source.settings, node)?;
        let connect = self.connect(source.connection)?;
        let cursor = self.kept_cursor(node, source)?;
        if let Some(incremental) = &source.incremental {
            settings.set("lookback", incremental.lookback.as_str());
        }
        let ask = SourceAsk {
            stream: source.stream.as_deref(),
            connection: &connect.settings,
            settings: &settings,
            columns: &source.columns,
            base: &self.plan.base,
        };
        aside(|| reader.source(&ask, cursor.as_ref()))
    }

    pub(crate) fn kept_cursor(&self, node: usize, source: &SourceNode) -> Result<Option<Json>> {
        let Some(incremental) = &source.incremental else {
            return Ok(None);
        };
        let kept = match &self.state {
            Some(state) if !self.options.full_refresh => state.cursor(&self.plan.nodes[node].name)?,
            _ => None,
        };
        match (kept, &incremental.start) {
            (Some(kept), _) => Ok(Some(kept.get(CURSOR).cloned().unwrap_or(kept))),
            // Where to start is the user's word, not what an earlier run left.
            (None, Some(start)) => {
                let settings = self.settings(&[], std::slice::from_ref(start), node)?;
                Ok(settings.get("start").cloned())
            }
            _ => Ok(None),
        }
    }

    /// Fetches everything into a stage, or what an earlier run did not come to.
    async fn extract(
        self: &Arc<Self>,
        node: usize,
        source: &SourceNode,
        mut extract: Box<dyn Extract>,
    ) -> Result<Stage> {
        let whole = self.options.limit.is_none();
        let may_be_gone_on_with = self.mode == Mode::Run && whole && !extract.is_local();
        let fingerprint = if may_be_gone_on_with { Some(self.fingerprint(node, source)?) } else { None };
        let mut intake = match &fingerprint {
            Some(fingerprint) => self.left(node, fingerprint, extract.as_mut())?,
            None => None,
        };
        if let Some(mut intake) = intake.take_if(|intake| intake.mark.position.is_some()) {
            match self.fetch(node, &mut extract, &mut intake).await {
                // Nothing came of it yet, and it is the source that does not know that place any more.
                Err(error) if !intake.went_on && !error.is_passing() && error.message != "interrupted" => {
                    self.warn(
                        node,
                        format!("what an earlier run left cannot be gone on with, all is read anew: {error}"),
                    );
                    intake.give_up()?;
                    extract = self.reopen(node, source).await?;
                }
                ended => {
                    ended?;
                    return self.finish(node, source, extract.as_ref(), intake);
                }
            }
        }
        if let Some(mut intake) = intake {
            self.book_left(node, &mut intake)?;
            return self.finish(node, source, extract.as_ref(), intake);
        }
        let mut intake = Intake::new(self, node, extract.schema(), fingerprint)?;
        self.fetch(node, &mut extract, &mut intake).await?;
        self.finish(node, source, extract.as_ref(), intake)
    }

    async fn reopen(self: &Arc<Self>, node: usize, source: &SourceNode) -> Result<Box<dyn Extract>> {
        match self.open(node, source).await? {
            Source::Extract(extract) => Ok(extract),
            Source::Scan(_) => Err(Error::bug("a source that is extracted became one that is scanned")),
        }
    }

    fn finish(&self, node: usize, source: &SourceNode, extract: &dyn Extract, mut intake: Intake) -> Result<Stage> {
        self.settle(node, &mut intake)?;
        let keeps_cursor = source.incremental.is_some() && self.options.limit.is_none() && self.mode == Mode::Run;
        if !intake.is_complete {
            intake.mark.cursor = extract.cursor();
            intake.mark.position = None;
        }
        let moved = intake.mark.cursor.clone().filter(|_| keeps_cursor && !intake.was_cut);
        let stage = aside(|| intake.end())?;
        if let Some(cursor) = moved {
            let name = self.plan.nodes[node].name.clone();
            lock(&self.cursors)?.push((name, serde_json::json!({ CURSOR: cursor })));
        }
        Ok(stage)
    }

    /// Fetches what is still to come. A passing error takes back what came since the last position and goes on there.
    async fn fetch(self: &Arc<Self>, node: usize, extract: &mut Box<dyn Extract>, intake: &mut Intake) -> Result<()> {
        let mut failed = 0;
        loop {
            let next = self.next(extract, intake).await?;
            match next {
                Ok(Some(chunk)) => {
                    let positioned = chunk.position.is_some();
                    intake.went_on = true;
                    self.book_left(node, intake)?;
                    // To give way to another thread costs more than to keep a small chunk in memory.
                    if chunk.rejects.is_empty() && !intake.writer.writes_with(&chunk.frame) {
                        self.take_in(node, intake, chunk)?;
                    } else {
                        aside(|| self.take_in(node, intake, chunk))?;
                    }
                    if positioned {
                        failed = 0;
                    }
                    if self.options.limit.is_some_and(|limit| intake.rows + intake.settled >= limit) {
                        intake.was_cut = true;
                        return Ok(());
                    }
                    if intake.is_due() {
                        aside(|| intake.checkpoint())?;
                    }
                }
                Ok(None) => return self.book_left(node, intake),
                Err(error) => {
                    intake.writer.roll_back();
                    intake.rejects.clear();
                    intake.rows = 0;
                    failed += 1;
                    // Whether it is tried again or not: what is here need not be asked for again.
                    aside(|| intake.checkpoint())?;
                    self.wait_or_fail(node, error, failed).await?;
                }
            }
        }
    }

    /// The next chunk. While it is waited for, what came before it is put on disk when that is due.
    async fn next(&self, extract: &mut Box<dyn Extract>, intake: &mut Intake) -> Result<Result<Option<Chunk>>> {
        let mut coming = extract.next();
        loop {
            let due = intake.due();
            let clock = &self.world.clock;
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ok(Err(crate::runner::interrupted())),
                next = &mut coming => return Ok(next),
                () = async { clock.sleep(due.unwrap_or_default()).await }, if due.is_some() => {
                    aside(|| intake.checkpoint())?;
                }
            }
        }
    }

    fn take_in(&self, node: usize, intake: &mut Intake, chunk: Chunk) -> Result<()> {
        let mut frame = chunk.frame;
        if let Some(limit) = self.options.limit {
            let left = limit.saturating_sub(intake.rows + intake.settled);
            frame = frame.head(Some(usize::try_from(left).unwrap_or(usize::MAX)));
        }
        intake.rows += frame.height() as u64;
        self.progress(node, frame.height());
        intake.writer.push(frame)?;
        intake.rejects.extend(chunk.rejects);
        if let Some(position) = chunk.position {
            self.settle(node, intake)?;
            intake.stands_at(position);
        }
        Ok(())
    }

    /// What came so far is whole: it is booked and can no more be taken back.
    fn settle(&self, node: usize, intake: &mut Intake) -> Result<()> {
        intake.writer.commit()?;
        let rejects = std::mem::take(&mut intake.rejects);
        intake.keep_rejects(&rejects)?;
        let rows = usize::try_from(intake.rows).map_err(|_| Error::bug("more rows than this machine can count"))?;
        book(&self.accounts[node].rows_in, rows + rejects.len());
        intake.settled += intake.rows;
        intake.rows = 0;
        self.reject(node, rejects.into_iter().map(NewReject::from).collect())
    }
}
