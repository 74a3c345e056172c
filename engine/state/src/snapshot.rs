//! A private copy of the state as it is now, for commands that may change nothing.
//!
//! To open a database in the usual way is to write: its schema is brought forward, its log is folded back, lines under way
//! are entered. A plan needs what all that gives and may leave no trace of it, so it works on a copy. What this never does:
//! change the database or its log. Where a run is going on, or was killed, its log is read along; SQLite then keeps its
//! index of the log (`state.db-shm`) up to date, which holds nothing of its own.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use crate::database::{self, Kind, Server, Session, ToSql, Value};
use crate::error::SqlResultExt;
use crate::private;
use crate::store::FILE;
use crate::{Error, Result, Store, copy, schema};

/// A copy of the state in a folder of its own, which is removed with it.
#[derive(Debug)]
pub struct Snapshot {
    store: Store,
    _copy: Copy,
}

/// A folder that goes when it is dropped.
#[derive(Debug)]
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed is only space on disk.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Snapshot {
    /// Copies `dir/state.db` into `copy`, which must not exist yet. A state that is not there is an empty one.
    ///
    /// # Errors
    /// Those of [`Store::open`], of the copy.
    pub fn of(dir: &Path, copy: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        private::new_folder(copy)
            .map_err(|cause| Error::of_io(copy.to_owned(), "making a copy of the state", cause))?;
        let folder = Copy(copy.to_owned());
        if path.exists() {
            let into = copy.join(FILE);
            copied(&path, &into).map_err(|error| error.at(&path))?;
        }
        Ok(Self { store: Store::open(copy)?, _copy: folder })
    }

    /// The same of a server's state, which is only read, as it is at one moment.
    ///
    /// # Errors
    /// Those of [`Store::connect`] and [`Store::open`]; [`Error::Server`] where the server's tables are of an older release: the
    /// next run brings them forward.
    pub fn of_server(server: &Server, copy: &Path) -> Result<Self> {
        private::new_folder(copy)
            .map_err(|cause| Error::of_io(copy.to_owned(), "making a copy of the state", cause))?;
        let folder = Copy(copy.to_owned());
        let store = Store::open(copy)?;
        let place = PathBuf::from(server.to_string());
        taken(server, &store).map_err(|error| error.at(&place))?;
        Ok(Self { store, _copy: folder })
    }

    /// The copy. What is written to it is gone with the snapshot.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Row by row, what is under way as well. Locks stay where they are.
fn taken(server: &Server, store: &Store) -> Result<()> {
    const DOING: &str = "copying the state";
    let mut session = database::Connection::Postgres(Session::open(server, true).doing("connecting")?);
    let view = session.begin(Kind::Read).doing(DOING)?;
    match schema::applied_on_server(&view)? {
        None => return Ok(()),
        Some(version) if version == schema::VERSIONS.len() as i64 => {}
        Some(version) => {
            let detail = format!("its tables are of version {version}; the next run brings them forward");
            return Err(Error::Server { path: PathBuf::new(), action: DOING, detail });
        }
    }
    store.write(DOING, |into| {
        for (table, order) in copy::TABLES.into_iter().chain([("under_way", "id")]) {
            view.each(&format!("SELECT * FROM {table} ORDER BY {order}"), |names, found| {
                let marks: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
                let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "));
                let values: Vec<Value> = (0..names.len()).map(|at| found.get(at)).collect::<database::Result<_>>()?;
                let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
                into.prepare_cached(&sql)?.execute(values.as_slice()).map(drop)
            })
            .doing(DOING)?;
        }
        Ok(())
    })
}

fn copied(path: &Path, into: &Path) -> Result<()> {
    let log = path.with_extension("db-wal");
    let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
    // Without a log nobody is writing, and the file is all there is: then SQLite need not even make the files it keeps
    // locks in.
    let how = if has_log { "mode=ro" } else { "immutable=1" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(format!("file:{}?{how}", escaped(path)), flags).doing("opening")?;
    source.execute("VACUUM INTO ?1", params![into.to_string_lossy()]).map(drop).doing("copying the state")
}

/// The path as it stands in a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Intent, RunId, RunStart, Scope};

    /// Every file of a folder with its bytes.
    fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn sent_to(store: &Store) -> (Scope, [u8; 16]) {
        let scope = Scope::new("pipeline", "");
        let run = RunId::generate();
        let lock = store.lock(&scope, &run).unwrap();
        let start = RunStart {
            id: run,
            scope: scope.clone(),
            pipeline_file: "p.yaml".into(),
            started_at: chrono::Utc::now(),
            params: serde_json::json!({}),
            towpath_version: "0".into(),
        };
        store.begin_run(&start).unwrap();
        let intent =
            Intent { key_hash: [7; 16], key: serde_json::json!({"id": 7}), payload_hash: [8; 16], content: Vec::new() };
        store.intend(&lock, &scope, "sink", "target", &run, &[intent]).unwrap();
        (scope, [7; 16])
    }

    #[test]
    fn a_state_that_is_not_there_is_empty_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (state, copy) = (folder.path().join("state"), folder.path().join("copy"));
        let snapshot = Snapshot::of(&state, &copy).unwrap();
        assert!(snapshot.store().runs(10, None).unwrap().is_empty());
        drop(snapshot);
        assert!(!state.exists() && !copy.exists());
    }

    #[test]
    fn it_knows_what_is_known_and_changes_no_byte() {
        let folder = tempfile::tempdir().unwrap();
        let (state, copy) = (folder.path().join("a state? #1"), folder.path().join("copy"));
        let (scope, key) = sent_to(&Store::open(&state).unwrap());
        let before = files(&state);
        let snapshot = Snapshot::of(&state, &copy).unwrap();
        assert!(snapshot.store().sent_before(&scope, "sink", "target", &[key]).unwrap()[0].is_some());
        assert_eq!(files(&state), before);
    }

    #[test]
    fn it_sees_what_is_only_in_the_log_of_a_run_that_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (state, copy) = (folder.path().join("state"), folder.path().join("copy"));
        let store = Store::open(&state).unwrap();
        let (scope, key) = sent_to(&store);
        let snapshot = Snapshot::of(&state, &copy).unwrap();
        assert!(snapshot.store().sent_before(&scope, "sink", "target", &[key]).unwrap()[0].is_some());
    }
}
