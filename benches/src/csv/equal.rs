//! Whether two Parquet files hold the same rows, in whatever order.

use crate::Result;
use polars::prelude::*;
use std::path::Path;

/// How many rows a file has.
pub(crate) fn rows(path: &Path) -> Result<usize> {
    Ok(ParquetReader::new(std::fs::File::open(path)?).num_rows()?)
}

/// Whether names, types and sorted values of two files are the same.
pub(super) fn same(one: &Path, other: &Path) -> Result<bool> {
    let (one, other) = (sorted(one)?, sorted(other)?);
    Ok(one.schema() == other.schema() && one.equals_missing(&other))
}

fn sorted(path: &Path) -> Result<DataFrame> {
    let frame = ParquetReader::new(std::fs::File::open(path)?).finish()?;
    let names: Vec<PlSmallStr> = frame.get_column_names().into_iter().cloned().collect();
    Ok(frame.sort(names, SortMultipleOptions::default())?)
}
