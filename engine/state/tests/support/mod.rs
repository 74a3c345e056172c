//! The same tests on both databases: each is given a [`Place`], a new folder or a new database on a PostgreSQL server.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use tempfile::TempDir;
use towpath_state::{Server, Store};

/// Where a state is that no other test uses.
pub enum Place {
    Folder(TempDir),
    Server(String),
}

impl Place {
    pub fn folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    pub fn server() -> Self {
        Self::Server(towpath_postgres::database())
    }

    /// The place a text of [`Place::text`] names.
    pub fn open(text: &str) -> Store {
        if Server::is_address(text) {
            Store::connect(&Server::parse(text).unwrap()).unwrap()
        } else {
            Store::open(text.as_ref()).unwrap()
        }
    }

    /// Another place of the same kind.
    pub fn another(&self) -> Self {
        match self {
            Self::Folder(_) => Self::folder(),
            Self::Server(_) => Self::server(),
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::Folder(dir) => dir.path().display().to_string(),
            Self::Server(address) => address.clone(),
        }
    }

    /// A handle of its own on the state.
    pub fn store(&self) -> Store {
        Self::open(&self.text())
    }

    /// Changes the database behind the back of everybody, or looks into it: the number in the first row.
    pub fn raw(&self, sql: &str) -> i64 {
        match self {
            Self::Folder(dir) => {
                let raw = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
                if sql.starts_with("SELECT") {
                    raw.query_row(sql, [], |row| row.get(0)).unwrap()
                } else {
                    raw.execute_batch(sql).map(|()| 0).unwrap()
                }
            }
            Self::Server(address) => {
                let told = towpath_postgres::run_sql(address, &format!("SET search_path = towpath; {sql}"));
                told.parse().unwrap_or(0)
            }
        }
    }
}

/// Makes a test on each of the two databases out of every function.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(&super::support::Place::folder()); })+
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(&super::support::Place::server()); })+
        }
    };
}
