//! Keys that must each be there once, for joins that say so.

use crate::merging::{Key, encoded};
use polars::prelude::*;
use std::collections::HashSet;
use towpath_mapping::row_to_json;
use towpath_spec::Schema as Columns;

/// The same rows, when no key is there twice; keys with null match nothing and do not count. `place` says where, for the
/// error.
pub(crate) fn once_each(frame: LazyFrame, keys: Vec<String>, columns: &Columns, place: String) -> LazyFrame {
    let fields = columns.fields.iter().filter(|field| keys.contains(&field.name)).cloned().collect();
    let columns = Columns::new(fields);
    let check = move |frame: DataFrame| match first_twice(&frame, &keys)? {
        None => Ok(frame),
        Some(row) => {
            let key = row_to_json(&frame, &columns, row).unwrap_or_default();
            let key: Vec<String> = key.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let message = format!("{place}: the key {} is there more than once", key.join(", "));
            Err(PolarsError::ComputeError(message.into()))
        }
    };
    // All rows at once: a key may come again in any batch.
    frame.map(check, AllowedOptimizations::empty(), None, Some("keys"))
}

/// The first row whose key was there before.
fn first_twice(frame: &DataFrame, keys: &[String]) -> PolarsResult<Option<usize>> {
    let order: Vec<Key> = keys.iter().map(|column| Key::ascending(column)).collect();
    let encoded = encoded(frame, &order)?;
    let encoded = encoded.rechunk();
    let missing = missing(frame, keys)?;
    let mut seen = HashSet::with_capacity(frame.height());
    Ok((0..frame.height()).filter(|row| !missing[*row]).find(|row| !seen.insert(encoded.get(*row))))
}

/// By row: whether any of the columns is null.
pub(crate) fn missing(frame: &DataFrame, columns: &[String]) -> PolarsResult<Vec<bool>> {
    let mut missing = vec![false; frame.height()];
    for column in columns {
        let column = frame.column(column)?;
        if column.null_count() > 0 {
            let null = column.is_null();
            missing.iter_mut().zip(null.iter()).for_each(|(missing, null)| *missing |= null == Some(true));
        }
    }
    Ok(missing)
}
