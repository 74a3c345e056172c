//! Connectors for databases: `sqlite`.
//!
//! A table is written in one transaction: the rows of a run are all there afterwards, or none of them. Which load went in is
//! noted in the database itself, in the same transaction, so that the same load cannot go in twice. What a table is and what a
//! load does to it ([`table`]) is said apart from how one database says it.

mod content;
mod sqlite;
mod table;

use std::sync::Arc;
use towpath_connector::Connector;

/// All connectors of this crate.
pub fn connectors() -> Vec<Arc<dyn Connector>> {
    vec![Arc::new(sqlite::Sqlite::new())]
}
