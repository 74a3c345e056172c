//! Statements and the rows they answer with.

use rusqlite::types::{FromSql, ToSql, Type, Value, ValueRef};

use super::values::owned;
use super::{Failure, Params, Result, Session};

/// A prepared statement.
pub(crate) enum Statement<'c> {
    Sqlite(rusqlite::Statement<'c>),
    Cached(rusqlite::CachedStatement<'c>),
    Postgres(&'c Session, tokio_postgres::Statement),
}

impl Statement<'_> {
    /// Carries it out; the number of rows it changed.
    pub(crate) fn execute(&mut self, params: impl Params) -> Result<usize> {
        match self {
            Self::Sqlite(statement) => Ok(params.with(|params| statement.execute(params))?),
            Self::Cached(statement) => Ok(params.with(|params| statement.execute(params))?),
            Self::Postgres(session, statement) => {
                params.with(|params| session.execute_prepared(statement, owned(params)?))
            }
        }
    }

    /// All rows, each read or not.
    pub(crate) fn query_map<T>(
        &mut self,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<std::vec::IntoIter<Result<T>>> {
        let mut all = Vec::new();
        self.for_each(params, |row| {
            all.push(read(row));
            true
        })?;
        Ok(all.into_iter())
    }

    /// The first row.
    pub(crate) fn query_row<T>(&mut self, params: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        let (mut read, mut first) = (Some(read), None);
        self.for_each(params, |row| {
            first = read.take().map(|read| read(row));
            false
        })?;
        first.unwrap_or(Err(Failure::Sqlite(rusqlite::Error::QueryReturnedNoRows)))
    }

    /// Whether there is a row.
    pub(crate) fn exists(&mut self, params: impl Params) -> Result<bool> {
        let mut found = false;
        self.for_each(params, |_| {
            found = true;
            false
        })?;
        Ok(found)
    }

    fn for_each(&mut self, params: impl Params, mut give: impl FnMut(&Row<'_>) -> bool) -> Result<()> {
        match self {
            Self::Sqlite(statement) => params.with(|params| step(statement, params, give)),
            Self::Cached(statement) => params.with(|params| step(statement, params, give)),
            Self::Postgres(session, statement) => {
                let rows = params.with(|params| session.query_prepared(statement, owned(params)?))?;
                let _ = rows.iter().all(|row| give(&Row::Postgres(row)));
                Ok(())
            }
        }
    }
}

fn step(
    statement: &mut rusqlite::Statement<'_>,
    params: &[&dyn ToSql],
    mut give: impl FnMut(&Row<'_>) -> bool,
) -> Result<()> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        if !give(&Row::Sqlite(row)) {
            break;
        }
    }
    Ok(())
}

/// A row of an answer.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r [Value]),
}

impl Row<'_> {
    /// The value of a column.
    pub(crate) fn get<T: FromSql>(&self, column: usize) -> Result<T> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(_) => {
                let value = self.get_ref(column)?;
                T::column_result(value).map_err(|cause| unreadable(column, value.data_type(), cause))
            }
        }
    }

    /// The value of a column where it lies.
    pub(crate) fn get_ref(&self, column: usize) -> Result<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(column)?),
            Self::Postgres(row) => {
                let missing = || Failure::Sqlite(rusqlite::Error::InvalidColumnIndex(column));
                row.get(column).map(ValueRef::from).ok_or_else(missing)
            }
        }
    }
}

impl Row<'_> {
    /// A text where it lies; none where the column is null.
    pub(crate) fn text(&self, column: usize) -> Result<Option<&str>> {
        let value = self.get_ref(column)?;
        value.as_str_or_null().map_err(|cause| unreadable(column, value.data_type(), cause))
    }
}

/// A value that is not what it should be.
pub(crate) fn unreadable(column: usize, kind: Type, cause: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Sqlite(rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(cause)))
}
