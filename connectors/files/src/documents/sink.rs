//! Rows as files.
//!
//! All files are written into a hidden folder in their folder, brought to disk, and get their names when the last one is
//! written. Each of them is then moved by itself: whoever looks sees whole files only, and for a moment perhaps some of them.

use super::Told;
use super::names::{self, ASIDE};
use crate::open::io_error;
use polars::prelude::DataFrame;
use serde_json::Value as Json;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use towpath_connector::{Begun, Committed, Error, Load, RejectedRow, Result, TableBatch, TableSink};
use towpath_mapping::{FrameRow, FrameRows, Row, Value};
use towpath_spec::Schema;

/// A folder that is written into.
pub(super) struct Folder {
    folder: PathBuf,
    told: Told,
    open: Option<Open>,
}

/// Files that are being written.
struct Open {
    schema: Schema,
    /// Where they are until they have their names.
    aside: PathBuf,
    /// Where they go, in the order of their numbers aside.
    places: Vec<PathBuf>,
    files: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl Folder {
    pub(super) fn new(folder: PathBuf, told: Told) -> Self {
        Self { folder, told, open: None }
    }
}

impl TableSink for Folder {
    fn begin(&mut self, schema: &Schema, load: &Load) -> Result<Begun> {
        let problems = self.told.problems(schema);
        if !problems.is_empty() {
            return Err(crate::paths::error(&problems));
        }
        let plain = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let aside = self.folder.join(format!("{ASIDE}{}-{}", plain(&load.pipeline), plain(&load.sink)));
        fs::create_dir_all(&self.folder).map_err(|error| io_error(&self.folder, error))?;
        // A run that was killed left it.
        cleared(&aside)?;
        fs::create_dir(&aside).map_err(|error| io_error(&aside, error))?;
        let (files, folders) = (HashSet::new(), HashSet::new());
        self.open = Some(Open { schema: schema.clone(), aside, places: Vec::new(), files, folders });
        Ok(Begun::Now)
    }

    fn write(&mut self, batch: &DataFrame) -> Result<TableBatch> {
        let open = self.open.as_mut().ok_or_else(|| Error::bug("files for a folder that was not begun"))?;
        let schema = open.schema.clone();
        let rows = FrameRows::new(batch, &schema).map_err(Error::bug)?;
        let mut done = TableBatch::default();
        for row in rows.iter() {
            match open.place(&self.folder, &row, &self.told) {
                Ok(place) => {
                    open.write(&row.get(&self.told.content), place)?;
                    done.written += 1;
                }
                Err(reject) => done.rejects.push(*reject),
            }
        }
        Ok(done)
    }

    fn commit(&mut self) -> Result<Committed> {
        let open = self.open.take().ok_or_else(|| Error::bug("the end of a folder that was not begun"))?;
        let moved = open.move_all(&self.folder);
        let cleared = cleared(&open.aside);
        moved.and(cleared).map(|()| Committed::Now { beside: None })
    }

    fn abort(&mut self) {
        if let Some(open) = self.open.take()
            && let Err(error) = cleared(&open.aside)
        {
            tracing::warn!("cannot remove {}: {error}", open.aside.display());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Open {
    /// Where the file of a row goes, or why it is not written.
    fn place(&self, folder: &Path, row: &FrameRow<'_>, told: &Told) -> std::result::Result<PathBuf, Box<RejectedRow>> {
        let reject = |field: &str, value: Json, reason: String| {
            // What is in the file is not kept a second time.
            let mut row = row.to_json();
            row.remove(&told.content);
            Box::new(RejectedRow { row, field: Some(field.to_owned()), value: Some(value), reason })
        };
        let written = row.get(&told.name);
        let refuse = |reason: String| reject(&told.name, written.to_json(), reason);
        let Some(name) = written.as_text() else { return Err(refuse("the file has no name".to_owned())) };
        let below = names::below(name).map_err(refuse)?;
        names::is_free(folder, &below).map_err(refuse)?;
        if self.files.contains(&below) {
            return Err(refuse("a row before has the same name".to_owned()));
        }
        if self.folders.contains(&below) || below.ancestors().any(|above| self.files.contains(above)) {
            return Err(refuse("of this row and one before, one has the name of the other's folder".to_owned()));
        }
        match row.get(&told.content) {
            Value::Null => Err(reject(&told.content, Json::Null, "there is nothing to write".to_owned())),
            _ => Ok(below),
        }
    }

    /// Writes a file aside.
    fn write(&mut self, content: &Value, place: PathBuf) -> Result<()> {
        let bytes: &[u8] = match content {
            Value::Binary(bytes) => bytes,
            Value::Text(text) => text.as_bytes(),
            other => return Err(Error::bug(format!("{} is no content of a file", other.type_of()))),
        };
        let path = self.aside.join(self.places.len().to_string());
        let written = File::create(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| io_error(&path, error))?;
        self.folders.extend(place.ancestors().skip(1).map(Path::to_owned));
        self.files.insert(place.clone());
        self.places.push(place);
        Ok(())
    }

    /// Gives all files their names.
    fn move_all(&self, folder: &Path) -> Result<()> {
        let mut touched: HashSet<PathBuf> = HashSet::new();
        for (number, below) in self.places.iter().enumerate() {
            let place = folder.join(below);
            // A link may have come to stand on the way since it was looked at.
            let free = names::is_free(folder, below);
            free.map_err(|reason| Error::user(format!("cannot write {}: {reason}", place.display())))?;
            let above = place.parent().unwrap_or(folder);
            fs::create_dir_all(above).map_err(|error| io_error(above, error))?;
            fs::rename(self.aside.join(number.to_string()), &place).map_err(|error| io_error(&place, error))?;
            touched.insert(above.to_owned());
        }
        for above in touched {
            // Not every file system can do this for a folder; the files themselves are safe.
            let _ = File::open(above).and_then(|above| above.sync_all());
        }
        Ok(())
    }
}

/// Removes the folder of files that are being written, if it is there.
fn cleared(aside: &Path) -> Result<()> {
    match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(aside, error)),
        _ => Ok(()),
    }
}
