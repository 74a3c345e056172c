//! How times, JSON and run ids lie in columns: milliseconds since 1970, JSON text, the id's text.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSqlError, Type};
use serde_json::Value as Json;

use crate::RunId;
use crate::database::{Failure, Result, Row, ValueRef, unreadable};

/// Milliseconds since 1970, as stored.
pub(crate) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// Now, as stored.
pub(crate) fn now() -> i64 {
    millis(Utc::now())
}

/// A time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<DateTime<Utc>> {
    let stored: i64 = row.get(column)?;
    DateTime::from_timestamp_millis(stored)
        .ok_or_else(|| unreadable(column, Type::Integer, FromSqlError::OutOfRange(stored)))
}

/// A time, or none.
pub(crate) fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<DateTime<Utc>>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => time(row, column).map(Some),
    }
}

/// JSON, or none where the column is null.
pub(crate) fn optional_json(row: &Row<'_>, column: usize) -> Result<Option<Json>> {
    row.text(column)?
        .map(|text| serde_json::from_str(text).map_err(|cause| unreadable(column, Type::Text, cause)))
        .transpose()
}

/// JSON; a null column is JSON's null.
pub(crate) fn json(row: &Row<'_>, column: usize) -> Result<Json> {
    Ok(optional_json(row, column)?.unwrap_or(Json::Null))
}

/// JSON as stored; null is stored as no value, which is most of what sinks answer.
pub(crate) fn json_text(value: &Json) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// The id of a run.
pub(crate) fn run_id(row: &Row<'_>, column: usize) -> Result<RunId> {
    row.text(column)?.unwrap_or_default().parse().map_err(|cause| unreadable(column, Type::Text, cause))
}

/// A count. SQLite's integers are signed; counts of rows and bytes fit in 63 bits.
pub(crate) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    let stored: i64 = row.get(column)?;
    u64::try_from(stored).map_err(|_| Failure::Sqlite(rusqlite::Error::IntegralValueOutOfRange(column, stored)))
}

/// A count as stored.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
