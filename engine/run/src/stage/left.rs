//! Stages of sources that a run left which did not come to its end, taken over by the next one.
//!
//! Nothing is taken over that is not whole: what a manifest names is looked at, and what it does not name is no part of it.

use super::{MANIFEST, Manifest, Segment, StageWriter, VERSION, described, sum};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use towpath_connector::{Error, Result};
use towpath_spec::Schema as Columns;

/// How far a source was read into its stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// What was read: the same for the same connection, stream, settings and cursor.
    pub fingerprint: String,
    /// Where to go on; none when everything was read.
    pub position: Option<Json>,
    /// The cursor to keep when all of it is delivered.
    pub cursor: Option<Json>,
    /// Rejects so far, in the lines of their file.
    pub rejects: u64,
}

/// A stage an earlier run left.
pub(crate) struct Left {
    folder: PathBuf,
    manifest: Manifest,
}

impl Left {
    /// What is left in a folder of the stage of a source, if there is anything.
    pub fn of(folder: &Path) -> Option<Self> {
        let text = std::fs::read(folder.join(MANIFEST)).ok()?;
        let manifest: Manifest = serde_json::from_slice(sum::unsealed(&text)?).ok()?;
        (manifest.version == VERSION && manifest.source.is_some()).then(|| Self { folder: folder.to_owned(), manifest })
    }

    /// The node whose rows these are.
    pub fn node(&self) -> &str {
        &self.manifest.node
    }

    /// The source, and how far it was read.
    pub fn mark(&self) -> Option<&Mark> {
        self.manifest.source.as_ref()
    }

    /// When the last of it was put on disk.
    pub fn written(&self) -> Option<std::time::SystemTime> {
        std::fs::metadata(self.folder.join(MANIFEST)).and_then(|manifest| manifest.modified()).ok()
    }

    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.manifest.segments.iter().map(|segment| segment.rows).sum()
    }

    /// Moves it to another folder and goes on writing there; `None` when it is not what it should be: it has other columns,
    /// power was lost before it was on disk, or a disk turned a bit over. A file that is not as it was written is never read:
    /// Polars may ask for any amount of memory then.
    pub fn take_over(self, folder: &Path, node: &str, columns: &Columns) -> Result<Option<(StageWriter, Mark)>> {
        let Self { folder: old, manifest } = self;
        let are_same = manifest.columns == described(columns);
        let is_whole = |segment: &Segment| {
            let sum = std::fs::File::open(old.join(&segment.file)).and_then(sum::of);
            sum.is_ok_and(|sum| sum == segment.sum)
        };
        let Some(mark) = manifest.source.filter(|_| are_same && manifest.segments.iter().all(is_whole)) else {
            return Ok(None);
        };
        if let Some(parent) = folder.parent() {
            towpath_state::private::folder(parent).map_err(|error| Error::from(error).at(parent.display()))?;
        }
        std::fs::rename(&old, folder).map_err(|error| Error::from(error).at(folder.display()))?;
        let mut writer = StageWriter::new(folder, node, columns)?;
        // A number once given is not given again: a file that was written and not committed is in no manifest.
        let taken = std::fs::read_dir(folder).map_err(|error| Error::from(error).at(folder.display()))?.flatten();
        let number = |name: &str| name.strip_prefix("segment-")?.strip_suffix(".parquet")?.parse::<usize>().ok();
        let last = taken.filter_map(|entry| number(entry.file_name().to_str()?)).max();
        writer.written = last.map_or(0, |last| last + 1);
        writer.segments = manifest.segments;
        writer.committed = writer.segments.len();
        writer.synced = writer.committed;
        Ok(Some((writer, mark)))
    }
}
