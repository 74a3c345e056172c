//! Sources: opened here, and extracted into a stage unless Polars scans them by itself.

use crate::accounts::book;
use crate::flow::Flow;
use crate::rejects::{NewReject, lock};
use crate::runner::{Mode, Runner};
use crate::stage::{Stage, StageWriter};
use serde_json::Value as Json;
use std::sync::Arc;
use towpath_connector::{Chunk, Error, Extract, Result, Setting, Source, SourceAsk};
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
                let keep_cursor = source.incremental.is_some() && self.options.limit.is_none();
                let stage = self.extract(node, extract, keep_cursor).await?;
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
        let descriptor = connector.descriptor();
        let stream = source.stream.as_deref().and_then(|name| descriptor.stream(name));
        let declared: Vec<&Setting> =
            descriptor.source_settings.iter().chain(stream.iter().flat_map(|stream| &stream.params)).collect();
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
        tokio::task::block_in_place(|| reader.source(&ask, cursor.as_ref()))
    }

    fn kept_cursor(&self, node: usize, source: &SourceNode) -> Result<Option<Json>> {
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

    /// Fetches everything into a stage. A passing error takes back what came since the last position and goes on there.
    async fn extract(self: &Arc<Self>, node: usize, mut extract: Box<dyn Extract>, keep_cursor: bool) -> Result<Stage> {
        let name = self.plan.nodes[node].name.clone();
        let mut intake = Intake {
            writer: StageWriter::new(&self.stage_folder(&name), &name, extract.schema())?,
            rejects: Vec::new(),
            rows: 0,
            settled: 0,
        };
        let mut failed = 0;
        let mut whole = true;
        loop {
            let next = tokio::select! {
                next = extract.next() => next,
                () = self.cancel.cancelled() => Err(crate::runner::interrupted()),
            };
            match next {
                Ok(Some(chunk)) => {
                    let positioned = chunk.position.is_some();
                    // To give way to another thread costs more than to keep a small chunk in memory.
                    if chunk.rejects.is_empty() && !intake.writer.writes_with(&chunk.frame) {
                        self.take_in(node, &mut intake, chunk)?;
                    } else {
                        tokio::task::block_in_place(|| self.take_in(node, &mut intake, chunk))?;
                    }
                    if positioned {
                        failed = 0;
                    }
                    if self.options.limit.is_some_and(|limit| intake.rows + intake.settled >= limit) {
                        whole = false;
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    intake.writer.roll_back();
                    intake.rejects.clear();
                    intake.rows = 0;
                    failed += 1;
                    self.wait_or_fail(node, error, failed).await?;
                }
            }
        }
        self.settle(node, &mut intake)?;
        let stage = tokio::task::block_in_place(|| intake.writer.finish())?;
        let moved = extract.cursor().filter(|_| keep_cursor && whole && self.mode == Mode::Run);
        if let Some(cursor) = moved {
            lock(&self.cursors)?.push((name, serde_json::json!({ CURSOR: cursor })));
        }
        Ok(stage)
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
        intake.rejects.extend(chunk.rejects.into_iter().map(NewReject::from));
        if chunk.position.is_some() {
            self.settle(node, intake)?;
        }
        Ok(())
    }

    /// What came so far is whole: it is booked and can no more be taken back.
    fn settle(&self, node: usize, intake: &mut Intake) -> Result<()> {
        intake.writer.commit()?;
        let rejects = std::mem::take(&mut intake.rejects);
        let rows = usize::try_from(intake.rows).map_err(|_| Error::bug("more rows than this machine can count"))?;
        book(&self.accounts[node].rows_in, rows + rejects.len());
        intake.settled += intake.rows;
        intake.rows = 0;
        self.reject(node, rejects)
    }
}

/// What an extract gave so far.
struct Intake {
    writer: StageWriter,
    rejects: Vec<NewReject>,
    /// Rows since the last position.
    rows: u64,
    /// Rows before it.
    settled: u64,
}
