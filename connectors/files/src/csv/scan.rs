//! Plain files as Polars scans.

use super::head::Head;
use super::{Known, shape};
use crate::paths;
use polars::prelude::{
    DataType, Field as PolarsField, IntoLazy, LazyCsvReader, LazyFileListReader, LazyFrame, NullValues,
    Schema as PolarsSchema, UnionArgs, col, concat,
};
use std::sync::Arc;
use towpath_connector::{Result, Scan, ScanCheck};
use towpath_spec::{Field, Schema, Type};

/// Bytes whose shape is checked before the scan begins: what the threads of the scan may reach, and stumble over,
/// before its first batch comes by the check of the whole.
const AHEAD: u64 = 16 << 20;

/// A scan of all files, every column as text.
pub(super) fn scan(known: &Known) -> Result<Scan> {
    let raw = Schema::new(known.schema.names().map(|name| Field::new(name, Type::Text)).collect());
    let files: Vec<_> = known.heads.iter().map(|head| head.path.clone()).collect();
    let bytes = paths::size(&files);
    let mut left = AHEAD;
    for head in &known.heads {
        left = left.saturating_sub(shape::check(&head.path, &known.options, head.names.len(), left)?);
    }
    let all_checked = left > 0 && bytes.is_some_and(|bytes| bytes < AHEAD);
    Ok(Scan {
        frame: frame(known, &raw)?,
        raw,
        schema: known.schema.clone(),
        bytes,
        check: (!all_checked).then(|| check_of(known)),
    })
}

fn frame(known: &Known, raw: &Schema) -> Result<LazyFrame> {
    let Some(first) = known.heads.first() else {
        let schema = towpath_mapping::schema_to_polars(raw);
        return Ok(polars::prelude::DataFrame::empty_with_schema(&schema).lazy());
    };
    if known.heads.iter().all(|head| head.names == first.names) {
        return one_order(known, &known.heads);
    }
    let by_name = |head: &Head| {
        let frame = one_order(known, std::slice::from_ref(head))?;
        Ok(frame.select(raw.names().map(col).collect::<Vec<_>>()))
    };
    let frames: Vec<LazyFrame> = known.heads.iter().map(by_name).collect::<Result<_>>()?;
    Ok(concat(frames, UnionArgs::default())?)
}

/// Files whose columns are in the same order.
fn one_order(known: &Known, heads: &[Head]) -> Result<LazyFrame> {
    let options = &known.options;
    let text = |name: &String| PolarsField::new(name.as_str().into(), DataType::String);
    let schema: PolarsSchema = heads[0].names.iter().map(text).collect();
    let paths: Vec<_> = heads.iter().map(|head| paths::for_polars(&head.path)).collect::<Result<_>>()?;
    let nulls = options.null_values.iter().map(|value| value.as_str().into()).collect::<Vec<_>>();
    let reader = LazyCsvReader::new_paths(paths.into())
        .with_glob(false)
        .with_schema(Some(Arc::new(schema)))
        .with_has_header(options.header)
        .with_separator(options.delimiter)
        .with_quote_char(options.quote)
        .with_skip_lines(options.skip_rows)
        .with_comment_prefix(options.comment.as_deref().map(Into::into))
        .with_null_values((!nulls.is_empty()).then_some(NullValues::AllColumns(nulls)))
        // The shape is checked by us.
        .with_truncate_ragged_lines(true)
        .with_raise_if_empty(false);
    Ok(reader.finish()?)
}

/// Whether the shape of all files is right.
fn check_of(known: &Known) -> ScanCheck {
    let options = known.options.clone();
    let files: Vec<_> = known.heads.iter().map(|head| (head.path.clone(), head.names.len())).collect();
    Box::new(move || {
        let mut files = files.iter();
        files.try_for_each(|(path, columns)| shape::check(path, &options, *columns, u64::MAX).map(drop))
    })
}
