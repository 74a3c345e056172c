//! The one place that knows which database the state is in.
//!
//! The rest of the crate writes its statements once, in what SQLite and PostgreSQL both understand, with `?1` for values. The
//! types here have the shape of `rusqlite`'s, and its values: on SQLite nothing stands between, on PostgreSQL a value is
//! what SQLite would have given. What cannot be said in both tongues is a method here ([`Connection::now`],
//! [`Connection::each`], [`Connection::numbers_taken`]), so that nobody else asks which database it is.

mod address;
mod failure;
mod postgres;
mod rows;
mod tls;
mod transaction;
mod values;

pub use address::Server;
pub(crate) use failure::{Failure, Loss, OptionalExtension, Result, ServerFailure};
pub(crate) use postgres::Session;
pub(crate) use rows::{Row, Statement, unreadable};
pub(crate) use rusqlite::params;
pub(crate) use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
pub(crate) use transaction::{Kind, Transaction};

use values::owned;

/// How many statements go to a server before the answer to the first is waited for.
const PIPELINE: usize = 1000;
/// How many rows a server is asked for at a time.
const FETCH: usize = 5000;

/// A connection to either database.
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Session),
}

/// The values of a statement.
pub(crate) trait Params {
    fn with<T>(self, work: impl FnOnce(&[&dyn ToSql]) -> T) -> T;
}

impl Params for &[&dyn ToSql] {
    fn with<T>(self, work: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        work(self)
    }
}

impl<V: ToSql, const N: usize> Params for [V; N] {
    fn with<T>(self, work: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        work(&self.each_ref().map(|value| value as &dyn ToSql))
    }
}

impl Connection {
    /// Carries out one statement; the number of rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        match self {
            Self::Sqlite(connection) => Ok(params.with(|params| connection.execute(sql, params))?),
            Self::Postgres(session) => params.with(|params| session.execute(sql, owned(params)?)),
        }
    }

    /// Carries out several statements without values.
    pub(crate) fn execute_batch(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(session) => session.batch(sql),
        }
    }

    /// The first row of an answer.
    pub(crate) fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare(sql)?.query_row(params, read)
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        match self {
            Self::Sqlite(connection) => Ok(Statement::Sqlite(connection.prepare(sql)?)),
            Self::Postgres(_) => self.prepare_cached(sql),
        }
    }

    /// A statement that is kept prepared.
    pub(crate) fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>> {
        match self {
            Self::Sqlite(connection) => Ok(Statement::Cached(connection.prepare_cached(sql)?)),
            Self::Postgres(session) => Ok(Statement::Postgres(session, session.prepared(sql)?)),
        }
    }

    /// One statement with many rows of values, and how many rows each of them changed. To a server they go together.
    pub(crate) fn execute_many<'v, const N: usize>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = [ToSqlOutput<'v>; N]>,
    ) -> Result<Vec<usize>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let run = |row: [ToSqlOutput<'v>; N]| Ok(row.with(|row| statement.execute(row))?);
                rows.into_iter().map(run).collect()
            }
            Self::Postgres(session) => {
                let mut rows = rows.into_iter();
                let mut changed = Vec::new();
                loop {
                    let some = rows.by_ref().take(PIPELINE);
                    let some: Vec<Vec<Value>> = some.map(|row| row.map(values::value).into()).collect();
                    if some.is_empty() {
                        return Ok(changed);
                    }
                    let answers = session.execute_all(sql, some)?;
                    changed.extend(answers);
                }
            }
        }
    }

    /// One question for many rows of values, each answered by one row or none. To a server they go together.
    pub(crate) fn query_many<'v, const N: usize, T>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = [ToSqlOutput<'v>; N]>,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<Option<T>>> {
        match self {
            Self::Sqlite(_) => {
                let mut statement = self.prepare_cached(sql)?;
                let ask = |row: [ToSqlOutput<'v>; N]| statement.query_row(row, &mut read).optional();
                rows.into_iter().map(ask).collect()
            }
            Self::Postgres(session) => {
                let mut rows = rows.into_iter();
                let mut found = Vec::new();
                loop {
                    let some = rows.by_ref().take(PIPELINE);
                    let some: Vec<Vec<Value>> = some.map(|row| row.map(values::value).into()).collect();
                    if some.is_empty() {
                        return Ok(found);
                    }
                    for answer in session.query_all(sql, some)? {
                        found.push(answer.first().map(|row| read(&Row::Postgres(row))).transpose()?);
                    }
                }
            }
        }
    }

    /// Every row of an answer with the names of its columns, one after the other, however many there are. Within a
    /// transaction.
    pub(crate) fn each(&self, sql: &str, mut give: impl FnMut(&[String], &Row<'_>) -> Result<()>) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    give(&names, &Row::Sqlite(row))?;
                }
                Ok(())
            }
            Self::Postgres(session) => {
                let names = session.names(sql)?;
                session.batch(&format!("DECLARE towpath_rows NO SCROLL CURSOR FOR {sql}"))?;
                loop {
                    let rows = session.fetch(FETCH, "towpath_rows")?;
                    if rows.is_empty() {
                        return session.batch("CLOSE towpath_rows");
                    }
                    rows.iter().try_for_each(|row| give(&names, &Row::Postgres(row)))?;
                }
            }
        }
    }

    /// Now, in milliseconds since 1970, by the one clock that all who share the database go by: a server's own; where the
    /// database is a file, this machine's.
    pub(crate) fn now(&self) -> Result<i64> {
        const NOW: &str = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";
        match self {
            Self::Sqlite(_) => Ok(crate::row::now()),
            Self::Postgres(_) => self.query_row(NOW, params![], |found| found.get(0)),
        }
    }

    /// Rows were put in with the numbers they had: those are not given out again. SQLite sees to it itself.
    pub(crate) fn numbers_taken(&self, tables: &[(&str, &str)]) -> Result<()> {
        let Self::Postgres(session) = self else { return Ok(()) };
        for (table, number) in tables {
            session.batch(&format!(
                "SELECT setval('{table}_{number}_seq', GREATEST((SELECT coalesce(max({number}), 0) + 1 FROM {table}),
                 nextval('{table}_{number}_seq')), false)"
            ))?;
        }
        Ok(())
    }

    /// Whether no transaction is open any more, since the database has ended it.
    pub(crate) fn is_autocommit(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.is_autocommit(),
            Self::Postgres(session) => session.is_lost(),
        }
    }

    /// The file's connection, for what only files have.
    #[cfg(test)]
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        match self {
            Self::Sqlite(connection) => connection,
            Self::Postgres(_) => panic!("not a file"),
        }
    }
}
