//! Stages: data on disk between two parts of a run, as lz4 Parquet segments with a manifest.
//!
//! What is written becomes part of the stage only with [`StageWriter::commit`]: a source that fails in the middle of a
//! page takes back what it wrote of it. A stage never sits in memory as a whole.
//!
//! The stage of a source can be gone on with by another run: a [`StageWriter::checkpoint`] puts what is committed on disk,
//! with a [`Mark`] that says where the source stood. Only the manifest says what belongs to a stage, and it is replaced as a
//! whole; files it does not name are none of it.

mod left;
mod sum;

pub(crate) use left::{Left, Mark};
use sum::Summed;

use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use towpath_connector::{Error, Result, boundary};
use towpath_mapping::schema_to_polars;
use towpath_spec::Schema as Columns;
use towpath_state::private;

/// Rows of a segment, unless its bytes are reached first.
const SEGMENT_ROWS: usize = 250_000;
/// Bytes of a segment in memory.
const SEGMENT_BYTES: usize = 8 << 20;
/// Rows of a chunk that is kept as it came.
const SMALL_ROWS: usize = 512;
/// Smaller chunks that are made one.
const SMALLS: usize = 128;
/// Rows of a row group, which is read as a whole.
const GROUP_ROWS: usize = 16_384;

/// What a stage says of itself.
const MANIFEST: &str = "manifest.json";
/// The version of that.
const VERSION: u32 = 3;

/// A finished stage.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    folder: PathBuf,
    columns: Columns,
    segments: Vec<Segment>,
}

/// A file of a stage.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Segment {
    file: String,
    rows: u64,
    /// Of its bytes: another run takes over nothing else.
    sum: String,
}

/// What a stage says of itself on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    node: String,
    complete: bool,
    columns: Vec<(String, String)>,
    segments: Vec<Segment>,
    /// How far a source was read.
    #[serde(default)]
    source: Option<Mark>,
}

fn described(columns: &Columns) -> Vec<(String, String)> {
    columns.fields.iter().map(|field| (field.name.clone(), field.ty.to_string())).collect()
}

impl Stage {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.segments.iter().map(|segment| segment.rows).sum()
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// A scan of all segments in the order written.
    pub fn scan(&self) -> Result<LazyFrame> {
        if self.segments.is_empty() {
            return Ok(DataFrame::empty_with_schema(&schema_to_polars(&self.columns)).lazy());
        }
        let paths: Vec<PlRefPath> = self
            .segments
            .iter()
            .map(|segment| PlRefPath::new(self.folder.join(&segment.file).to_string_lossy().as_ref()))
            .collect();
        let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
        Ok(LazyFrame::scan_parquet_files(paths.into(), args)?)
    }

    /// One segment after the other, as a whole.
    pub fn segments(&self) -> Segments<'_> {
        Segments { stage: self, next: 0 }
    }

    /// Removes it from disk. What cannot be removed goes with the folder of the run.
    pub fn remove(self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The segments of a stage, read one at a time.
pub(crate) struct Segments<'a> {
    stage: &'a Stage,
    next: usize,
}

impl Segments<'_> {
    /// Whether there are no more.
    pub fn is_at_end(&self) -> bool {
        self.next >= self.stage.segments.len()
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<DataFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        let segment = self.stage.segments.get(self.next)?;
        self.next += 1;
        let path = self.stage.folder.join(&segment.file);
        let read =
            std::fs::File::open(&path).map_err(PolarsError::from).and_then(|file| ParquetReader::new(file).finish());
        Some(read.map_err(|error| Error::from(error).at(path.display())))
    }
}

/// Writes a stage.
///
/// Rows are in one of four places, in this order: written and committed segments, committed rows still in memory
/// (`settled`), written segments not yet committed, rows in memory not yet committed (`held`).
pub(crate) struct StageWriter {
    node: String,
    folder: PathBuf,
    columns: Columns,
    schema: SchemaRef,
    settled: Waiting,
    held: Waiting,
    segments: Vec<Segment>,
    committed: usize,
    written: usize,
    /// Segments that are surely on disk.
    synced: usize,
    /// Bytes of a segment in memory.
    segment_bytes: usize,
}

/// Rows that wait in memory.
#[derive(Default)]
struct Waiting {
    frame: Option<DataFrame>,
    /// The last ones, each in a chunk as small as it came.
    small: Option<DataFrame>,
    smalls: usize,
    /// Counted as they come: to ask a frame of thousands of small chunks each time takes longer than all else.
    bytes: usize,
}

impl Waiting {
    fn rows(&self) -> usize {
        [&self.frame, &self.small].into_iter().flatten().map(DataFrame::height).sum()
    }

    fn append(&mut self, frame: DataFrame) -> Result<()> {
        self.bytes += frame.estimated_size();
        if frame.height() >= SMALL_ROWS {
            self.gather()?;
            return stack(&mut self.frame, &frame);
        }
        self.smalls += 1;
        stack(&mut self.small, &frame)?;
        if self.smalls >= SMALLS { self.gather() } else { Ok(()) }
    }

    /// Makes one chunk of small ones, which take much more than their rows.
    fn gather(&mut self) -> Result<()> {
        self.smalls = 0;
        let Some(mut small) = self.small.take() else { return Ok(()) };
        small.rechunk_mut();
        stack(&mut self.frame, &small)
    }

    /// All rows, which wait no longer.
    fn take(&mut self) -> Result<Option<DataFrame>> {
        self.gather()?;
        Ok(std::mem::take(self).frame)
    }
}

fn stack(on: &mut Option<DataFrame>, frame: &DataFrame) -> Result<()> {
    match on {
        Some(waiting) => {
            waiting.vstack_mut(frame)?;
        }
        None => *on = Some(frame.clone()),
    }
    Ok(())
}

impl StageWriter {
    /// Starts a stage in a folder of its own.
    pub fn new(folder: &Path, node: &str, columns: &Columns) -> Result<Self> {
        private::folder(folder).map_err(|error| Error::from(error).at(folder.display()))?;
        Ok(Self {
            node: node.to_owned(),
            folder: folder.to_owned(),
            columns: columns.clone(),
            schema: Arc::new(schema_to_polars(columns)),
            settled: Waiting::default(),
            held: Waiting::default(),
            segments: Vec::new(),
            committed: 0,
            written: 0,
            synced: 0,
            segment_bytes: SEGMENT_BYTES,
        })
    }

    /// Makes segments of other than the usual size, where many stages are written or read at the same time.
    pub fn with_segments_of(mut self, bytes: usize) -> Self {
        self.segment_bytes = bytes.min(SEGMENT_BYTES);
        self
    }

    /// Adds rows. They belong to the stage only after [`commit`](Self::commit).
    pub fn push(&mut self, frame: DataFrame) -> Result<()> {
        if frame.height() == 0 {
            return Ok(());
        }
        self.held.append(conform(frame, &self.schema)?)?;
        if self.is_full(&self.held) {
            self.write_settled()?;
            if let Some(held) = self.held.take()? {
                self.write_segment(held)?;
            }
        }
        Ok(())
    }

    /// Makes everything pushed so far part of the stage.
    pub fn commit(&mut self) -> Result<()> {
        self.committed = self.segments.len();
        if let Some(held) = self.held.take()? {
            self.settled.append(held)?;
        }
        if self.is_full(&self.settled) { self.write_settled() } else { Ok(()) }
    }

    /// Puts everything committed on disk, so that another run can go on from there, even after a loss of power.
    pub fn checkpoint(&mut self, mark: &Mark) -> Result<()> {
        self.write_settled()?;
        for segment in &self.segments[self.synced..self.committed] {
            std::fs::File::open(self.folder.join(&segment.file))
                .and_then(|file| file.sync_all())
                .map_err(|error| Error::from(error).at(format!("staging `{}`", self.node)))?;
        }
        self.synced = self.committed;
        self.manifest(false, Some(mark))?;
        boundary("checkpoint-written");
        Ok(())
    }

    /// Whether something is written to disk when a frame is pushed and committed.
    pub fn writes_with(&self, frame: &DataFrame) -> bool {
        let rows = self.settled.rows() + self.held.rows() + frame.height();
        let bytes = self.settled.bytes + self.held.bytes + frame.estimated_size();
        rows >= SEGMENT_ROWS || bytes >= self.segment_bytes
    }

    /// Takes back what was pushed since the last commit.
    pub fn roll_back(&mut self) {
        self.held = Waiting::default();
        for segment in self.segments.drain(self.committed..) {
            // A file left behind is in no manifest: nobody reads it, and it goes with the folder.
            let _ = std::fs::remove_file(self.folder.join(&segment.file));
        }
    }

    /// Ends the stage; what was pushed last is committed with it.
    pub fn finish(self) -> Result<Stage> {
        self.end(None)
    }

    /// Ends the stage of a source that was read to its end.
    pub fn finish_source(self, mark: &Mark) -> Result<Stage> {
        self.end(Some(mark))
    }

    fn end(mut self, mark: Option<&Mark>) -> Result<Stage> {
        self.commit()?;
        match mark {
            Some(mark) => self.checkpoint(mark)?,
            None => self.write_settled()?,
        }
        self.manifest(true, mark)?;
        Ok(Stage { folder: self.folder, columns: self.columns, segments: self.segments })
    }

    fn write_settled(&mut self) -> Result<()> {
        let Some(settled) = self.settled.take()? else {
            return Ok(());
        };
        self.write_segment(settled)?;
        // Nothing uncommitted is ever written before what is settled, so this segment stands behind committed ones.
        self.committed = self.segments.len();
        Ok(())
    }

    fn write_segment(&mut self, mut frame: DataFrame) -> Result<()> {
        let file = format!("segment-{:06}.parquet", self.written);
        let at = |error: Error| error.at(format!("staging `{}`", self.node));
        let out = private::create(&self.folder.join(&file)).map_err(|error| at(error.into()))?;
        let mut out = Summed::new(std::io::BufWriter::new(out));
        ParquetWriter::new(&mut out)
            .with_compression(ParquetCompression::Lz4Raw)
            .with_row_group_size(Some(GROUP_ROWS))
            .finish(&mut frame)
            .map_err(|error| at(error.into()))?;
        out.flush().map_err(|error| at(error.into()))?;
        boundary("segment-written");
        self.written += 1;
        self.segments.push(Segment { file, rows: frame.height() as u64, sum: out.sum() });
        Ok(())
    }

    fn is_full(&self, waiting: &Waiting) -> bool {
        waiting.rows() >= SEGMENT_ROWS || waiting.bytes >= self.segment_bytes
    }

    fn manifest(&mut self, complete: bool, source: Option<&Mark>) -> Result<()> {
        let manifest = Manifest {
            version: VERSION,
            node: self.node.clone(),
            complete,
            columns: described(&self.columns),
            segments: self.segments[..self.committed].to_vec(),
            source: source.cloned(),
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| Error::bug(error.to_string()))?;
        let temporary = self.folder.join("manifest.json.new");
        private::create(&temporary)
            .and_then(|mut file| {
                file.write_all(&sum::sealed(text))?;
                // Nobody goes on with any other stage.
                if source.is_some() { file.sync_all() } else { Ok(()) }
            })
            .and_then(|()| std::fs::rename(&temporary, self.folder.join(MANIFEST)))
            .map_err(|error| Error::from(error).at(format!("staging `{}`", self.node)))
    }
}

/// The frame with exactly these columns, in this order and of these types.
pub(crate) fn conform(frame: DataFrame, schema: &Schema) -> PolarsResult<DataFrame> {
    let mut columns = Vec::with_capacity(schema.len());
    for (name, dtype) in schema.iter() {
        let column = frame.column(name)?;
        columns.push(if column.dtype() == dtype { column.clone() } else { column.strict_cast(dtype)? });
    }
    DataFrame::new(frame.height(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_spec::{Field, Type};

    fn numbers(range: std::ops::Range<i64>) -> DataFrame {
        df!("n" => range.collect::<Vec<_>>()).expect("a frame")
    }

    fn read(stage: &Stage) -> Vec<i64> {
        let frame = stage.scan().expect("a scan").collect().expect("rows");
        frame.column("n").expect("the column").i64().expect("ints").into_no_null_iter().collect()
    }

    fn writer(folder: &Path) -> StageWriter {
        let columns = Columns::new(vec![Field::new("n", Type::Int)]);
        StageWriter::new(folder, "numbers", &columns).expect("a writer")
    }

    #[test]
    fn what_was_not_committed_is_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut stage = writer(folder.path());
        stage.push(numbers(0..10)).expect("a push");
        stage.commit().expect("a commit");
        stage.push(numbers(10..20)).expect("a push");
        // Large enough to be written before it is committed.
        stage.push(numbers(20..300_000)).expect("a push");
        stage.roll_back();
        stage.push(numbers(10..13)).expect("a push");
        let stage = stage.finish().expect("a stage");
        assert_eq!(stage.rows(), 13);
        assert_eq!(read(&stage), (0..13).collect::<Vec<_>>());
    }

    #[test]
    fn order_and_rows_survive_many_segments() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut stage = writer(folder.path());
        let mut at = 0;
        for size in [1, 100_000, 200_000, 5, 300_000, 7] {
            stage.push(numbers(at..at + size)).expect("a push");
            at += size;
            if size != 200_000 {
                stage.commit().expect("a commit");
            }
        }
        let stage = stage.finish().expect("a stage");
        assert_eq!(read(&stage), (0..at).collect::<Vec<_>>());
    }

    #[test]
    fn another_run_goes_on_behind_the_last_checkpoint() {
        let home = tempfile::tempdir().expect("a folder");
        let (first, second) = (home.path().join("first"), home.path().join("second"));
        let mark = |position: i64| Mark { position: Some(position.into()), ..Mark::default() };
        let mut stage = writer(&first);
        stage.push(numbers(0..10)).expect("a push");
        stage.commit().expect("a commit");
        stage.checkpoint(&mark(1)).expect("a checkpoint");
        stage.push(numbers(10..20)).expect("a push");
        stage.commit().expect("a commit");
        stage.push(numbers(20..25)).expect("a push");
        stage.checkpoint(&mark(2)).expect("a checkpoint");
        // Large enough to be on disk before it is committed, and in no manifest.
        stage.push(numbers(25..300_000)).expect("a push");
        drop(stage);
        let left = Left::of(&first).expect("something is left");
        assert_eq!((left.node(), left.rows()), ("numbers", 20));
        let columns = Columns::new(vec![Field::new("n", Type::Int)]);
        let (mut stage, found) = left.take_over(&second, "numbers", &columns).expect("no trouble").expect("a stage");
        assert_eq!(found, mark(2));
        stage.push(numbers(20..23)).expect("a push");
        let stage = stage.finish_source(&Mark::default()).expect("a stage");
        assert_eq!(read(&stage), (0..23).collect::<Vec<_>>());
        assert!(Left::of(&first).is_none());
    }

    #[test]
    fn what_is_not_whole_is_not_gone_on_with() {
        let columns = Columns::new(vec![Field::new("n", Type::Int)]);
        let others = Columns::new(vec![Field::new("n", Type::Text)]);
        for (columns, bytes) in [(&columns, Some(7)), (&columns, Some(0)), (&others, None)] {
            let home = tempfile::tempdir().expect("a folder");
            let mut stage = writer(&home.path().join("a"));
            stage.push(numbers(0..1_000)).expect("a push");
            stage.commit().expect("a commit");
            stage.checkpoint(&Mark::default()).expect("a checkpoint");
            if let Some(bytes) = bytes {
                let file = home.path().join("a/segment-000000.parquet");
                let whole = std::fs::read(&file).expect("a segment");
                std::fs::write(&file, &whole[..whole.len() * bytes / 10]).expect("a cut");
            }
            let left = Left::of(&home.path().join("a")).expect("something is left");
            assert!(left.take_over(&home.path().join("b"), "numbers", columns).expect("no trouble").is_none());
        }
    }

    #[test]
    fn an_empty_stage_has_its_columns() {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = writer(folder.path()).finish().expect("a stage");
        assert_eq!(stage.rows(), 0);
        assert_eq!(read(&stage), Vec::<i64>::new());
    }

    /// Stages whose files are cut, filled with zeros or changed anywhere: nothing is taken over, or all of it as it was.
    #[test]
    fn fuzz_stages_that_are_damaged() {
        use proptest::prelude::*;
        use proptest::sample::Index;
        let home = tempfile::tempdir().expect("a folder");
        let mut writing = writer(&home.path().join("whole"));
        for from in [0, 1_000] {
            writing.push(numbers(from..from + 1_000)).expect("a push");
            writing.commit().expect("a commit");
            writing.checkpoint(&Mark { position: Some(from.into()), ..Mark::default() }).expect("a checkpoint");
        }
        let files = ["segment-000000.parquet", "segment-000001.parquet", MANIFEST];
        let whole = files.map(|file| std::fs::read(home.path().join("whole").join(file)).expect("a file"));
        let columns = Columns::new(vec![Field::new("n", Type::Int)]);
        let (old, new) = (home.path().join("old"), home.path().join("new"));
        let cut = proptest::option::of(any::<Index>());
        let turned = proptest::collection::vec((any::<Index>(), 1..=255_u8), 0..3);
        towpath_fuzz::fuzz(
            "stages",
            200,
            (0..files.len(), cut, any::<bool>(), turned),
            |(which, cut, zeros, turned)| {
                let _ = std::fs::remove_dir_all(&new);
                std::fs::create_dir_all(&old).expect("a folder");
                let mut found = whole.clone();
                let bytes = &mut found[which];
                if let Some(cut) = cut {
                    bytes.truncate(cut.index(bytes.len()));
                }
                if zeros {
                    bytes.resize(whole[which].len(), 0);
                }
                for (at, by) in turned {
                    if !bytes.is_empty() {
                        let at = at.index(bytes.len());
                        bytes[at] ^= by;
                    }
                }
                for (file, bytes) in files.iter().zip(&found) {
                    std::fs::write(old.join(file), bytes).expect("written");
                }
                let taken =
                    Left::of(&old).and_then(|left| left.take_over(&new, "numbers", &columns).expect("no trouble"));
                prop_assert_eq!(taken.is_some(), found == whole, "damage is seen, and nothing else is");
                if let Some((writer, mark)) = taken {
                    prop_assert_eq!(mark.position, Some(1_000.into()));
                    prop_assert_eq!(read(&writer.finish().expect("a stage")), (0..2_000).collect::<Vec<i64>>());
                }
                Ok(())
            },
        );
    }
}
