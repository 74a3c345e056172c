//! Opening the database, and the two ways into it: a writer and a reader.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{ErrorCode, OpenFlags};

use crate::database::{Connection, Kind, Server, Session, Transaction};
use crate::entering;
use crate::error::SqlResultExt;
use crate::group::Group;
use crate::picture::{Draft, Pictures};
use crate::private;
use crate::schema;
use crate::{Error, Result};

/// The database's name in the state folder.
pub(crate) const FILE: &str = "state.db";
/// How long a statement waits for another process's transaction. Well under the time after which a heartbeat counts as
/// stopped, so that a run which waits here is not taken for dead.
const PATIENCE: Duration = Duration::from_secs(15);

/// The state of all pipelines of a project: one SQLite database. A clone is another handle on the same one.
///
/// Reads see everything committed before they began. Writes go one after the other, across threads and processes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// A second connection, so that looking up receipts does not wait for a commit. None in memory, where a second
    /// connection would be a second database.
    reader: Option<Mutex<Connection>>,
    group: Group,
    pictures: Arc<Pictures>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `dir/state.db`, and makes the folder (mode 0700) and the file (mode 0600) if they are missing. An older
    /// schema is brought forward. What others may read of an existing one is closed
    /// to them: the database and its log, and the folder where it holds nothing else.
    ///
    /// # Errors
    /// [`Error::NotOurs`], [`Error::Newer`], [`Error::Corrupt`], [`Error::Permission`], [`Error::NoWriteAheadLog`],
    /// [`Error::Busy`], [`Error::DiskFull`]. A file that is refused is not changed.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        prepare_files(dir, &path)?;
        let open = || -> Result<Self> {
            let mut writer = connect(&path)?;
            schema::migrate(&mut writer, schema::VERSIONS)?;
            use_write_ahead_log(&writer, &path)?;
            let reader = connect(&path)?;
            reader.pragma_update(None, "query_only", true).doing("opening")?;
            Ok(Self::new(path.clone(), Connection::Sqlite(writer), Some(Connection::Sqlite(reader))))
        };
        open().map_err(|error| error.at(&path))
    }

    /// Opens the state on a server: tables in the schema `towpath` of the address's database, made if they are missing. An
    /// older schema is brought forward.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Rights`], [`Error::NotOurs`], [`Error::Newer`], [`Error::Busy`], [`Error::Server`].
    pub fn connect(server: &Server) -> Result<Self> {
        let place = PathBuf::from(server.to_string());
        let connected = || -> Result<Self> {
            let mut writer = Connection::Postgres(Session::open(server, false).doing("connecting")?);
            schema::migrate_server(&mut writer)?;
            let reader = Connection::Postgres(Session::open(server, true).doing("connecting")?);
            Ok(Self::new(place.clone(), writer, Some(reader)))
        };
        connected().map_err(|error| error.at(&place))
    }

    /// A state that is gone with its last handle: for tests, and for commands that must change no state.
    ///
    /// # Errors
    /// Only when memory cannot be had.
    pub fn in_memory() -> Result<Self> {
        let mut writer = rusqlite::Connection::open_in_memory().doing("opening")?;
        configure(&writer)?;
        schema::migrate(&mut writer, schema::VERSIONS)?;
        Ok(Self::new(PathBuf::from(":memory:"), Connection::Sqlite(writer), None))
    }

    fn new(path: PathBuf, writer: Connection, reader: Option<Connection>) -> Self {
        Self {
            inner: Arc::new(Inner {
                path,
                writer: Mutex::new(writer),
                reader: reader.map(Mutex::new),
                group: Group::default(),
                pictures: Arc::default(),
            }),
        }
    }

    /// The database's file, or `:memory:`; of a server its host, port and database, for messages.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs `work` in a transaction of its own, committed and synced on return.
    pub(crate) fn write<T>(&self, action: &'static str, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = locked(&self.inner.writer);
        begin(&mut writer, action)
            .and_then(|transaction| {
                let answer = work(&transaction)?;
                transaction.commit().doing(action)?;
                Ok(answer)
            })
            .map_err(|error| error.at(&self.inner.path))
    }

    /// Runs `work` in a transaction shared with whatever other threads bring at the same time. The draft it makes is kept
    /// once that is on disk.
    pub(crate) fn write_grouped(&self, work: impl FnOnce(&Connection) -> Result<Draft> + Send + 'static) -> Result<()> {
        self.inner
            .group
            .commit(Box::new(|connection| work(connection).map(Some)), || locked(&self.inner.writer))
            .map_err(|error| error.at(&self.inner.path))
    }

    /// Runs `work` on one consistent view of the database.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut reader = locked(self.inner.reader.as_ref().unwrap_or(&self.inner.writer));
        reader
            .begin(Kind::Read)
            .doing("reading")
            .and_then(|view| work(&view))
            .map_err(|error| error.at(&self.inner.path))
    }

    /// What runs of this process have under way.
    pub(crate) fn pictures(&self) -> &Arc<Pictures> {
        &self.inner.pictures
    }

    /// Whether the two are handles on the same connections.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Runs `look` on the journal with everything entered that is under way, unless `spared` says of a view that what is
    /// under way does not concern it.
    pub(crate) fn read_journal<T>(
        &self,
        spared: impl FnOnce(&Connection) -> Result<bool>,
        look: impl Fn(&Connection) -> Result<T>,
    ) -> Result<T> {
        let seen = self.read(|view| {
            let as_it_is = entering::waiting(view)? == 0 || spared(view)?;
            as_it_is.then(|| look(view)).transpose()
        })?;
        if let Some(seen) = seen {
            return Ok(seen);
        }
        let mut writer = locked(&self.inner.writer);
        begin(&mut writer, "entering lines in the journal")
            .and_then(|transaction| {
                entering::enter(&transaction)?;
                let seen = look(&transaction)?;
                // The answer is right even if there is no room to keep the work.
                let _ = transaction.commit();
                Ok(seen)
            })
            .map_err(|error| error.at(&self.inner.path))
    }
}

/// A transaction that has the right to write from its start.
pub(crate) fn begin<'a>(writer: &'a mut Connection, action: &'static str) -> Result<Transaction<'a>> {
    writer.begin(Kind::Write).doing(action)
}

/// A connection is consistent after a panic: its transaction was rolled back when it was dropped.
fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands beside the database in a state folder.
const BESIDE: [&str; 2] = ["stages", "sandbox"];

/// Makes folder and file with modes that keep others out. An existing database is never opened here: closing any
/// descriptor of it would drop the locks that another connection of this process holds.
fn prepare_files(dir: &Path, path: &Path) -> Result<()> {
    let failed = |cause| Error::of_io(dir.to_owned(), "making the state folder", cause);
    if dir.is_dir() {
        if is_ours(dir).map_err(failed)? {
            private::close(dir).map_err(failed)?;
        }
    } else {
        private::lasting_folder(dir).map_err(failed)?;
    }
    match private::new_file(path) {
        Ok(_) => {}
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => close_to_others(path)?,
        Err(cause) => return Err(Error::of_io(path.to_owned(), "making the state database", cause)),
    }
    // A process that was killed left them; SQLite makes new ones like the database.
    for suffix in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let beside = PathBuf::from(name);
        match private::close(&beside) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(Error::of_io(beside, "closing the state database to others", cause));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a folder holds state and nothing else. One that has other things in it may be shared for a reason.
fn is_ours(dir: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let ours = |name: &str| name.starts_with(FILE) || BESIDE.contains(&name);
        if !name.to_str().is_some_and(ours) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn close_to_others(path: &Path) -> Result<()> {
    let failed = |cause| Error::of_io(path.to_owned(), "closing the state database to others", cause);
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::NotOurs { path: path.to_owned(), found: "it is not a file".into() });
    }
    private::close(path).map_err(failed)
}

fn connect(path: &Path) -> Result<rusqlite::Connection> {
    // The connections are guarded by our own mutexes; the file exists by now.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags).doing("opening")?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &rusqlite::Connection) -> Result<()> {
    let pragma = |name, value: i64| connection.pragma_update(None, name, value);
    connection.set_prepared_statement_cache_capacity(64);
    connection
        .busy_timeout(PATIENCE)
        // FULL: the log is synced at every commit, not only when it is folded back.
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| pragma("foreign_keys", 1))
        // The index of a journal of a million keys (some 30 MB) stays in memory; the number is in KiB when negative.
        .and_then(|()| pragma("cache_size", -65_536))
        // Fold the log back every 16 MB: with keys in hash order a page is often changed again before then.
        .and_then(|()| pragma("wal_autocheckpoint", 4_000))
        .doing("opening")
}

/// Switches to the write-ahead log. SQLite does not wait for others in this one statement, so two processes that make the
/// database at the same time would see each other's lock: try until it is free.
fn use_write_ahead_log(connection: &rusqlite::Connection, path: &Path) -> Result<()> {
    let started = Instant::now();
    loop {
        let switched = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match switched {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => break,
            Ok(mode) => {
                return Err(Error::NoWriteAheadLog { path: path.to_owned(), mode });
            }
            Err(cause)
                if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && started.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(cause) => return Err(cause).doing("switching to the write-ahead log"),
        }
    }
    // Shrinks the log after a burst instead of keeping its largest size for ever.
    connection.pragma_update_and_check(None, "journal_size_limit", 67_108_864, |_| Ok(())).doing("opening")
}

#[cfg(test)]
mod tests;
