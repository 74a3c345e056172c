//! A transaction: all of it, or nothing.

use std::ops::Deref;

use super::{Connection, Result};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It has the right to write from its start: no other of ours writes until it ends.
    Write,
    /// One consistent view.
    Read,
}

/// Undone when dropped, unless it was committed.
pub(crate) struct Transaction<'c> {
    connection: &'c Connection,
    open: bool,
}

impl Connection {
    /// Begins a transaction. The connection is borrowed whole, so that there are no two at once.
    pub(crate) fn begin(&mut self, kind: Kind) -> Result<Transaction<'_>> {
        match (&*self, kind) {
            (Self::Sqlite(connection), Kind::Write) => connection.execute_batch("BEGIN IMMEDIATE")?,
            (Self::Sqlite(connection), Kind::Read) => connection.execute_batch("BEGIN DEFERRED")?,
            (Self::Postgres(session), kind) => session.begin(kind)?,
        }
        Ok(Transaction { connection: self, open: true })
    }
}

impl Transaction<'_> {
    /// Keeps it. On return it is on disk.
    pub(crate) fn commit(mut self) -> Result<()> {
        match self.connection {
            Connection::Sqlite(connection) => connection.execute_batch("COMMIT")?,
            Connection::Postgres(session) => {
                self.open = false;
                session.commit()?;
            }
        }
        self.open = false;
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        match self.connection {
            // The database may have ended it itself.
            Connection::Sqlite(connection) if connection.is_autocommit() => {}
            Connection::Sqlite(connection) => drop(connection.execute_batch("ROLLBACK")),
            Connection::Postgres(session) => session.roll_back(),
        }
    }
}
