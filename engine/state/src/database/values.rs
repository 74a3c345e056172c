//! Values on their way to and from PostgreSQL. Every number is a BIGINT there, every text TEXT, every hash BYTEA.

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, Value};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{Failure, Loss, Result, ServerFailure};

/// Values that may wait for their turn.
pub(super) fn owned(params: &[&dyn rusqlite::ToSql]) -> Result<Vec<Value>> {
    params.iter().map(|param| Ok(value(param.to_sql()?))).collect()
}

/// A value that may wait for its turn.
pub(super) fn value(given: ToSqlOutput<'_>) -> Value {
    match given {
        ToSqlOutput::Owned(value) => value,
        // A text that is no UTF-8 is none of ours.
        ToSqlOutput::Borrowed(value) => Value::try_from(value).unwrap_or(Value::Null),
        // Kinds of values that only SQLite has, and this crate does not use.
        _ => Value::Null,
    }
}

/// A value as a parameter.
#[derive(Debug)]
pub(super) struct Param(pub(super) Value);

type Encoded = std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Param {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Encoded {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => match *kind {
                Type::BOOL => (*number != 0).to_sql(kind, out),
                Type::INT2 => i16::try_from(*number)?.to_sql(kind, out),
                Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
                Type::INT8 => number.to_sql(kind, out),
                _ => Err(format!("a number for a column of type {kind}").into()),
            },
            Value::Real(number) => number.to_sql(kind, out),
            // PostgreSQL has no character of number zero in a text. JSON escapes it; elsewhere it is shown for what it is.
            Value::Text(text) if *kind == Type::TEXT => text.replace('\0', "\u{fffd}").to_sql(kind, out),
            Value::Blob(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            Value::Text(_) => Err(format!("a text for a column of type {kind}").into()),
            Value::Blob(_) => Err(format!("bytes for a column of type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row of an answer.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Vec<Value>> {
    let read = |(at, column): (usize, &tokio_postgres::Column)| -> Result<Value> {
        let value = match *column.type_() {
            Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|truth| Value::Integer(truth.into())),
            Type::INT2 => row.try_get::<_, Option<i16>>(at)?.map(|number| Value::Integer(number.into())),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|number| Value::Integer(number.into())),
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
            Type::TEXT | Type::VARCHAR | Type::NAME => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Blob),
            ref other => {
                let detail = format!("column `{}` has the type {other}, which the state does not use", column.name());
                return Err(Failure::Server(ServerFailure::new(Loss::Other, detail)));
            }
        };
        Ok(value.unwrap_or(Value::Null))
    };
    row.columns().iter().enumerate().map(read).collect()
}
