//! Files as rows.

use crate::extract::{self, BATCH_BYTES, BATCH_ROWS, Batches};
use crate::open::io_error;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use towpath_connector::{Chunk, Error, RejectedRow, Result, Source};
use towpath_spec::{Field, Schema, Type};

/// Bytes of a file beyond which its row is a reject: a row must have room in memory several times over.
const LARGEST: u64 = 512 << 20;

/// The columns of every source of documents.
pub(super) fn schema() -> Schema {
    Schema::new(vec![
        Field::new("path", Type::Text).required(),
        Field::new("name", Type::Text).required(),
        Field::new("content", Type::Binary).required(),
        Field::new("size", Type::Int).required(),
    ])
}

/// The files, one row each, in their order.
pub(super) fn source(base: PathBuf, files: Vec<PathBuf>) -> Source {
    extract::source(schema(), move |batches| read(&base, &files, batches))
}

fn read(base: &Path, files: &[PathBuf], batches: &Batches) -> Result<()> {
    let mut rows = Rows::default();
    for file in files {
        rows.add(base, file)?;
        if (rows.bytes >= BATCH_BYTES || rows.names.len() >= BATCH_ROWS) && !batches.send(rows.take()?) {
            return Ok(());
        }
    }
    // When nobody wants the last ones any more, that is fine too.
    let _ = batches.send(rows.take()?);
    Ok(())
}

/// Rows of the next batch.
#[derive(Default)]
struct Rows {
    paths: Vec<String>,
    names: Vec<String>,
    contents: Vec<Vec<u8>>,
    sizes: Vec<i64>,
    bytes: usize,
    rejects: Vec<RejectedRow>,
}

impl Rows {
    fn add(&mut self, base: &Path, file: &Path) -> Result<()> {
        let shown = file.strip_prefix(base).unwrap_or(file);
        let names = shown.to_str().zip(file.file_name().and_then(|name| name.to_str()));
        let Some((path, name)) = names else {
            return Err(Error::user(format!("the path {} is not UTF-8", file.display())));
        };
        match content(file)? {
            Ok(content) => {
                self.bytes += content.len();
                self.sizes.push(i64::try_from(content.len()).unwrap_or(i64::MAX));
                self.paths.push(path.to_owned());
                self.names.push(name.to_owned());
                self.contents.push(content);
            }
            Err(size) => {
                let row = json!({"path": path, "name": name, "size": size});
                self.rejects.push(RejectedRow {
                    row: row.as_object().cloned().unwrap_or_default(),
                    field: Some("size".to_owned()),
                    value: Some(size.into()),
                    reason: format!("a file of {size} bytes is too large for a row: {LARGEST} at the most"),
                });
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Chunk> {
        let rows = std::mem::take(self);
        let contents: Vec<&[u8]> = rows.contents.iter().map(Vec::as_slice).collect();
        let columns = vec![
            Series::new("path".into(), &rows.paths).into_column(),
            Series::new("name".into(), &rows.names).into_column(),
            Series::new("content".into(), contents).into_column(),
            Series::new("size".into(), &rows.sizes).into_column(),
        ];
        Ok(Chunk { frame: DataFrame::new(rows.names.len(), columns)?, rejects: rows.rejects, position: None })
    }
}

/// What is in a file; its size when it is too large.
fn content(path: &Path) -> Result<std::result::Result<Vec<u8>, u64>> {
    let failed = |error| io_error(path, error);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > LARGEST {
        return Ok(Err(size));
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // It may grow while it is read.
    file.take(LARGEST + 1).read_to_end(&mut content).map_err(failed)?;
    let read = content.len() as u64;
    Ok(if read > LARGEST { Err(read) } else { Ok(content) })
}
