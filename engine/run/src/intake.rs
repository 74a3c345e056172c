//! What an extract gave so far, and how much of it is safe on disk.
//!
//! What is read of a system takes time and calls, so a run that dies leaves it to the next one: about once a second, and when
//! something fails, what came so far is put on disk with the place to go on from. It is gone on with only in the same
//! read: the same connection, stream, settings, columns and cursor, told by a fingerprint.

use crate::accounts::book;
use crate::clock::Clock;
use crate::payload::hash;
use crate::rejects::NewReject;
use crate::runner::Runner;
use crate::stage::{Left, Mark, Stage, StageWriter};
use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Error, Extract, RejectedRow, Result};
use towpath_plan::SourceNode;
use towpath_spec::Schema;

/// How long rows are in memory alone.
const CHECKPOINT: Duration = Duration::from_secs(1);

/// The rejects of a source, beside its segments.
const REJECTS: &str = "rejects.jsonl";

/// What an extract gave so far.
pub(crate) struct Intake {
    pub(crate) writer: StageWriter,
    folder: PathBuf,
    pub(crate) rejects: Vec<RejectedRow>,
    /// Rows since the last position.
    pub(crate) rows: u64,
    /// Rows before it.
    pub(crate) settled: u64,
    /// Where the source stands; without a fingerprint it is not gone on with by anybody.
    pub(crate) mark: Mark,
    /// Whether anything came in this run.
    pub(crate) went_on: bool,
    /// Whether an earlier run read all there is.
    pub(crate) is_complete: bool,
    /// Whether only the head of it was wanted.
    pub(crate) was_cut: bool,
    /// What an earlier run left, until it is sure that it can be gone on with.
    unbooked: Option<(usize, Vec<RejectedRow>)>,
    /// Lines of rejects that are not on disk.
    lines: Vec<u8>,
    /// What came since the last checkpoint waits since then.
    waits_since: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl Intake {
    pub(crate) fn new(runner: &Runner, node: usize, schema: &Schema, fingerprint: Option<String>) -> Result<Self> {
        let name = &runner.plan.nodes[node].name;
        let folder = runner.stage_folder(name);
        let writer = StageWriter::new(&folder, name, schema)?;
        let mark = Mark { fingerprint: fingerprint.unwrap_or_default(), ..Mark::default() };
        Ok(Self::of(runner, writer, folder, mark))
    }

    fn of(runner: &Runner, writer: StageWriter, folder: PathBuf, mark: Mark) -> Self {
        Self {
            writer,
            folder,
            rejects: Vec::new(),
            rows: 0,
            settled: 0,
            mark,
            went_on: false,
            is_complete: false,
            was_cut: false,
            unbooked: None,
            lines: Vec::new(),
            waits_since: None,
            clock: runner.world.clock.clone(),
        }
    }

    fn is_kept(&self) -> bool {
        !self.mark.fingerprint.is_empty()
    }

    /// All that came so far is whole up to here.
    pub(crate) fn stands_at(&mut self, position: Json) {
        self.mark.position = Some(position);
        self.waits_since.get_or_insert_with(|| self.clock.now());
    }

    /// How long it is until what came is to be put on disk.
    pub(crate) fn due(&self) -> Option<Duration> {
        let since = self.waits_since.filter(|_| self.is_kept())?;
        Some((since + CHECKPOINT).saturating_sub(self.clock.now()))
    }

    pub(crate) fn is_due(&self) -> bool {
        self.due().is_some_and(|left| left.is_zero())
    }

    /// Keeps rejects of what is whole.
    pub(crate) fn keep_rejects(&mut self, rejects: &[RejectedRow]) -> Result<()> {
        if !self.is_kept() {
            return Ok(());
        }
        for reject in rejects {
            let RejectedRow { row, field, value, reason } = reject;
            let line = json!({"row": row, "field": field, "value": value, "reason": reason});
            serde_json::to_writer(&mut self.lines, &line).map_err(|error| Error::bug(error.to_string()))?;
            self.lines.push(b'\n');
            self.mark.rejects += 1;
        }
        Ok(())
    }

    /// Puts what is whole on disk, if anything came since the last time.
    pub(crate) fn checkpoint(&mut self) -> Result<()> {
        if !self.is_kept() || self.waits_since.take().is_none() {
            return Ok(());
        }
        self.write_rejects()?;
        self.writer.checkpoint(&self.mark)
    }

    fn write_rejects(&mut self) -> Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(REJECTS);
        let lines = std::mem::take(&mut self.lines);
        let written = std::fs::OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
            towpath_state::private::close(&path)?;
            file.write_all(&lines)?;
            file.sync_all()
        });
        written.map_err(|error| Error::from(error).at(path.display()))
    }

    /// The stage, when everything was read.
    pub(crate) fn end(mut self) -> Result<Stage> {
        if !self.is_kept() {
            return self.writer.finish();
        }
        self.write_rejects()?;
        self.writer.finish_source(&self.mark)
    }

    /// Throws away what an earlier run left, of which nothing is booked yet.
    pub(crate) fn give_up(self) -> Result<()> {
        std::fs::remove_dir_all(&self.folder).map_err(|error| Error::from(error).at(self.folder.display()))
    }
}

impl Runner {
    /// What tells one read of a source from another. No secret is in it, and no address of a stand-in.
    pub(crate) fn fingerprint(&self, node: usize, source: &SourceNode) -> Result<String> {
        let connector = self.connector(source.connection)?;
        let descriptor = connector.descriptor();
        let declared = descriptor.settings_of_source(source.stream.as_deref());
        let settings = self.settings(&declared, &source.settings, node)?;
        let planned = &self.plan.connections[source.connection];
        let connection = match self.world.overrides.get(&planned.name) {
            Some(stand_in) => json!(stand_in.identity),
            None => {
                let mut settings = self.connect(source.connection)?.settings.values().clone();
                settings.retain(|name, _| !descriptor.settings.iter().any(|one| one.name == *name && one.secret));
                Json::Object(settings)
            }
        };
        let columns: Vec<String> = source.columns.iter().map(|field| format!("{} {}", field.name, field.ty)).collect();
        let whole = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "connector": descriptor.name,
            "connection": connection,
            "stream": source.stream,
            "settings": settings.values(),
            "columns": columns,
            "cursor": self.kept_cursor(node, source)?,
            "lookback": source.incremental.as_ref().map(|incremental| &incremental.lookback),
        });
        let whole = whole.as_object().cloned().unwrap_or_default();
        Ok(HEXLOWER.encode(&hash(&whole)))
    }

    /// What an earlier run left of the same read, with the extract set to go on behind it.
    pub(crate) fn left(&self, node: usize, fingerprint: &str, extract: &mut dyn Extract) -> Result<Option<Intake>> {
        let name = self.plan.nodes[node].name.clone();
        let Some(earlier) = self.state.as_ref().and_then(|state| state.earlier()) else { return Ok(None) };
        let is_ours =
            |left: &Left| left.node() == name && left.mark().is_some_and(|mark| mark.fingerprint == fingerprint);
        let Some(left) = leftovers(&earlier.folder).into_iter().find(is_ours) else { return Ok(None) };
        let (rows, position) = (left.rows(), left.mark().and_then(|mark| mark.position.clone()));
        if position.as_ref().is_some_and(|position| !extract.go_on(position)) {
            return Ok(None);
        }
        let folder = self.stage_folder(&name);
        let Some((writer, mark)) = left.take_over(&folder, &name, extract.schema())? else { return Ok(None) };
        let rejects = read_rejects(&folder.join(REJECTS), mark.rejects)?;
        let counted = usize::try_from(rows).map_err(|_| Error::bug("more rows than this machine can count"))?;
        let end = if position.is_some() { "goes on behind them" } else { "that is all of it" };
        self.note(node, format!("run {} read {rows} rows before it ended: {end}", earlier.run));
        let mut intake = Intake::of(self, writer, folder, mark);
        intake.settled = rows;
        intake.is_complete = position.is_none();
        intake.unbooked = Some((counted, rejects));
        Ok(Some(intake))
    }

    /// Books what an earlier run left, once.
    pub(crate) fn book_left(&self, node: usize, intake: &mut Intake) -> Result<()> {
        let Some((rows, rejects)) = intake.unbooked.take() else { return Ok(()) };
        book(&self.accounts[node].rows_in, rows + rejects.len());
        self.progress(node, rows);
        self.reject(node, rejects.into_iter().map(NewReject::from).collect())
    }
}

/// A run that did not come to its end, and the folder of what it left.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) run: String,
    pub(crate) folder: PathBuf,
}

/// The stages of sources in a folder, the run's own before those it was left itself.
pub(crate) fn leftovers(folder: &Path) -> Vec<Left> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let mut found: Vec<Left> = folders.iter().filter_map(|folder| Left::of(folder)).collect();
    found.extend(folders.iter().filter(|folder| folder.ends_with(EARLIER)).flat_map(|folder| leftovers(folder)));
    found
}

/// What the run before left, in the folder of a run.
pub(crate) const EARLIER: &str = "earlier";

fn read_rejects(path: &Path, count: u64) -> Result<Vec<RejectedRow>> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok(Vec::new());
    }
    let at = |error: std::io::Error| Error::from(error).at(path.display());
    // Lines behind those belong to what is read again.
    let text = std::fs::read(path).map_err(at)?;
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').take(count).collect();
    if lines.len() < count {
        return Err(Error::data(format!("{}: there are fewer lines than there should be", path.display())));
    }
    let length = lines.iter().map(|line| line.len() as u64).sum();
    std::fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(length)).map_err(at)?;
    let rejects = lines.into_iter().map(|line| {
        let mut line: Json =
            serde_json::from_slice(line).map_err(|error| Error::data(format!("{}: {error}", path.display())))?;
        Ok(RejectedRow {
            row: line["row"].as_object().cloned().unwrap_or_default(),
            field: line["field"].as_str().map(str::to_owned),
            value: Some(line["value"].take()).filter(|value| !value.is_null()),
            reason: line["reason"].as_str().unwrap_or_default().to_owned(),
        })
    });
    rejects.collect()
}
