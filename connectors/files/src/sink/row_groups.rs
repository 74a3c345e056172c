//! Parquet, written a row group at a time as batches come.

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{DataFrame, ParquetCompression, ParquetWriter};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use towpath_connector::{BatchWriter, Error, Result};
use towpath_mapping::schema_to_polars;
use towpath_spec::Schema;

/// Rows of a group, unless its bytes are reached first.
const GROUP_ROWS: usize = 49_152;
/// Bytes of a group in memory.
const GROUP_BYTES: usize = 16 << 20;

/// Row groups on their way into a file.
pub(super) struct RowGroups {
    writer: BatchedWriter<BufWriter<File>>,
    held: Option<DataFrame>,
}

impl RowGroups {
    /// Begins a file.
    ///
    /// # Errors
    /// The machine's, or Parquet has no form for a column.
    pub(super) fn new(path: &Path, compression: ParquetCompression, schema: &Schema) -> Result<Self> {
        let file = File::create(path).map_err(|error| Error::from(error).at(path.display()))?;
        let writer = ParquetWriter::new(BufWriter::with_capacity(1 << 20, file)).with_compression(compression);
        Ok(Self { writer: writer.batched(&schema_to_polars(schema))?, held: None })
    }

    fn write_held(&mut self) -> Result<()> {
        if let Some(mut group) = self.held.take() {
            // The writer asks for columns that are cut at the same rows: one piece each.
            group.rechunk_mut();
            self.writer.write_batch(&group)?;
        }
        Ok(())
    }
}

impl BatchWriter for RowGroups {
    fn write(&mut self, batch: DataFrame) -> Result<()> {
        if batch.height() == 0 {
            return Ok(());
        }
        let held = match self.held.take() {
            Some(mut held) => {
                held.vstack_mut(&batch)?;
                held
            }
            None => batch,
        };
        let full = held.height() >= GROUP_ROWS || held.estimated_size() >= GROUP_BYTES;
        self.held = Some(held);
        if full { self.write_held() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        self.write_held()?;
        self.writer.finish()?;
        Ok(())
    }
}
