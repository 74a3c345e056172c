//! The tables, and how an older database becomes a current one.
//!
//! A version is one SQL script that is never edited after a release; `user_version` counts those that were applied.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::database::{self, Kind, params};
use crate::error::SqlResultExt;
use crate::{Error, Result};

/// `Towp`, in the header of every database of ours: tells them from other programs' databases.
const APPLICATION_ID: i64 = 0x546f_7770;

/// Every version's script, oldest first.
pub(crate) const VERSIONS: &[&str] = &[
    include_str!("schema/version_1.sql"),
    include_str!("schema/version_2.sql"),
    include_str!("schema/version_3.sql"),
    include_str!("schema/version_4.sql"),
];

/// The same for PostgreSQL, which came with the third.
const SERVER_VERSIONS: &[(i64, &str)] =
    &[(3, include_str!("schema/postgres/version_3.sql")), (4, include_str!("schema/postgres/version_4.sql"))];

/// Brings a server's tables to the last version, in one transaction that nobody else writes beside.
pub(crate) fn migrate_server(connection: &mut database::Connection) -> Result<()> {
    let view = connection.begin(Kind::Read).doing("reading the schema version")?;
    let known = VERSIONS.len() as i64;
    if applied_on_server(&view)? == Some(known) {
        return Ok(());
    }
    drop(view);
    let transaction = connection.begin(Kind::Write).doing("starting a migration")?;
    let done = applied_on_server(&transaction)?;
    if done.is_none() {
        transaction.execute_batch("CREATE SCHEMA IF NOT EXISTS towpath").doing("making the schema `towpath`")?;
        transaction.execute_batch("CREATE TABLE schema_version (version BIGINT NOT NULL)").doing("migrating")?;
        transaction.execute_batch("INSERT INTO schema_version VALUES (0)").doing("migrating")?;
    }
    for (_, script) in SERVER_VERSIONS.iter().filter(|(version, _)| *version > done.unwrap_or(0)) {
        transaction.execute_batch(script).doing("migrating")?;
    }
    transaction.execute("UPDATE schema_version SET version = ?1", [known]).doing("migrating")?;
    transaction.commit().doing("migrating")
}

/// The version of a server's tables; none if there are none.
pub(crate) fn applied_on_server(connection: &database::Connection) -> Result<Option<i64>> {
    let count = |sql: &str| -> Result<i64> {
        connection.query_row(sql, params![], |found| found.get(0)).doing("reading the schema version")
    };
    const TABLES: &str = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'towpath'";
    if count(&format!("{TABLES} AND tablename = 'schema_version'"))? == 0 {
        if count(TABLES)? > 0 {
            let found = "its schema `towpath` holds the tables of another program".into();
            return Err(Error::NotOurs { path: Default::default(), found });
        }
        return Ok(None);
    }
    let (version, known) = (count("SELECT max(version) FROM schema_version")?, VERSIONS.len() as i64);
    if version > known {
        return Err(Error::Newer { path: Default::default(), found: version, known });
    }
    Ok(Some(version))
}

/// Brings the database to the last of `versions`, in one transaction: another process that opens it at the same time
/// waits and then finds the work done.
pub(crate) fn migrate(connection: &mut Connection, versions: &[&str]) -> Result<()> {
    let known = i64::try_from(versions.len()).unwrap_or(i64::MAX);
    // One view for all that is read: without it, another process that makes the database just now is seen half done.
    let view = Transaction::new(connection, TransactionBehavior::Deferred).doing("reading the schema version")?;
    let current = applied(&view, known)? == versions.len();
    view.finish().doing("reading the schema version")?;
    if current {
        return Ok(());
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate).doing("starting a migration")?;
    let done = applied(&transaction, known)?;
    for script in &versions[done..] {
        transaction.execute_batch(script).doing("migrating")?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .and_then(|()| transaction.pragma_update(None, "user_version", known))
        .doing("migrating")?;
    transaction.commit().doing("migrating")
}

/// How many versions the database has seen; an error if it is not ours or newer than `known`.
fn applied(connection: &Connection, known: i64) -> Result<usize> {
    let number = |name| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).doing("reading the schema version")
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).doing("reading the schema")?;
    if application == 0 && version == 0 && objects == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(Error::NotOurs { path: Default::default(), found: "it is the database of another program".into() });
    }
    if version > known {
        return Err(Error::Newer { path: Default::default(), found: version, known });
    }
    usize::try_from(version)
        .map_err(|_| Error::Corrupt { path: Default::default(), detail: format!("its schema version is {version}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a database")
    }

    #[test]
    fn an_older_database_is_brought_forward_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(&mut connection, VERSIONS).expect("the last version");
        connection.execute("INSERT INTO scope (pipeline, environment) VALUES ('p', '')", []).expect("a row");
        let later = [VERSIONS, &["ALTER TABLE scope ADD COLUMN note TEXT DEFAULT 'new';"]].concat();
        let (known, found) = (VERSIONS.len() as i64, later.len() as i64);
        migrate(&mut connection, &later).expect("a later version");
        migrate(&mut connection, &later).expect("a later version again");
        let row: (String, String) = connection
            .query_row("SELECT pipeline, note FROM scope", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("the row");
        assert_eq!(row, ("p".into(), "new".into()));
        assert_eq!(version(&connection), found);
        let refused = migrate(&mut connection, VERSIONS);
        assert!(matches!(refused, Err(Error::Newer { found: it, known: ours, .. }) if (it, ours) == (found, known)));
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(&mut connection, VERSIONS).expect("the last version");
        let broken = [VERSIONS, &["CREATE TABLE extra (a); CREATE TABLE scope (a);"]].concat();
        assert!(migrate(&mut connection, &broken).is_err());
        assert_eq!(version(&connection), VERSIONS.len() as i64);
        assert!(connection.prepare("SELECT a FROM extra").is_err());
        migrate(&mut connection, VERSIONS).expect("still usable");
    }
}
