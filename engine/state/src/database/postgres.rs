//! A session on a PostgreSQL server.
//!
//! Calls are synchronous, from threads of a runtime and from others; the driver is not. So it runs on a thread of its own,
//! and a call waits for its answer there. A session that was lost is opened again by the next transaction: whatever
//! was under way is undone by the server, and every transaction looks at its lock anew.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, OnceLock, mpsc};

use rusqlite::types::Value;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Statement};

use super::values::{self, Param};
use super::{Failure, Kind, Loss, Result, Server, ServerFailure};

/// `Towpath!` as a number: whoever writes holds the server's advisory lock of this number until the end of its transaction.
pub(crate) const WRITING: i64 = 0x546f_7770_6174_6821;

/// Every session is told this. A commit is on disk when it returns, whatever the server's own setting; nobody is waited
/// for longer than for a lock of a file; and a process that stops in the middle of a transaction is cut off before its heartbeat
/// counts as stopped, so that it does not keep all others from writing.
const SETTINGS: &str = "
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
    SET search_path = towpath;
    SET lock_timeout = '15s';
    SET idle_in_transaction_session_timeout = '20s'";

/// A session. Used by one thread at a time.
pub(crate) struct Session {
    server: Server,
    live: RefCell<Option<Live>>,
    read_only: bool,
    /// A statement of the open transaction has failed: the server takes no more of it.
    failed: Cell<bool>,
}

struct Live {
    client: Arc<Client>,
    statements: HashMap<String, Statement>,
}

impl Session {
    /// Opens a session.
    pub(crate) fn open(server: &Server, read_only: bool) -> Result<Self> {
        let session = Self { server: server.clone(), live: RefCell::default(), read_only, failed: Cell::new(false) };
        session.connect()?;
        Ok(session)
    }

    fn connect(&self) -> Result<()> {
        let server = self.server.clone();
        let client = waited(async move {
            let (client, connection) = server.connect().await?;
            tokio::spawn(connection);
            client.batch_execute(SETTINGS).await?;
            Ok::<_, Failure>(client)
        })?;
        *self.live.borrow_mut() = Some(Live { client: Arc::new(client), statements: HashMap::new() });
        Ok(())
    }

    /// Whether the session is gone, and with it what was under way.
    pub(crate) fn is_lost(&self) -> bool {
        self.live.borrow().as_ref().is_none_or(|live| live.client.is_closed())
    }

    pub(super) fn begin(&self, kind: Kind) -> Result<()> {
        let sql = match kind {
            Kind::Write if self.read_only => return Err(lost_right()),
            Kind::Write => format!("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITING})"),
            Kind::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        };
        if self.is_lost() {
            self.connect()?;
        }
        self.failed.set(false);
        match self.batch(&sql) {
            // Nothing was done in it yet, so that another session does as well.
            Err(Failure::Server(ServerFailure { loss: Loss::Connection, .. })) => {
                self.connect()?;
                self.failed.set(false);
                self.batch(&sql)
            }
            Err(failure) => {
                self.roll_back();
                Err(failure)
            }
            Ok(()) => Ok(()),
        }
    }

    pub(super) fn commit(&self) -> Result<()> {
        // The server would take it for a rollback and say that all is well.
        if self.failed.get() {
            self.roll_back();
            return Err(ServerFailure::new(Loss::Other, "a statement of the transaction had failed").into());
        }
        if self.is_lost() {
            return Err(ServerFailure::new(Loss::Connection, "the connection was lost").into());
        }
        self.batch("COMMIT").map_err(|failure| match failure {
            Failure::Server(ServerFailure { loss: Loss::Connection, detail }) => {
                ServerFailure::new(Loss::Commit, detail).into()
            }
            other => other,
        })
    }

    pub(super) fn roll_back(&self) {
        // A session that cannot even do this is of no more use.
        if !self.is_lost() && self.batch("ROLLBACK").is_err() {
            *self.live.borrow_mut() = None;
        }
        self.failed.set(false);
    }

    /// Statements without values.
    pub(super) fn batch(&self, sql: &str) -> Result<()> {
        let (client, text) = (self.client()?, sql.to_owned());
        let done = self.noted(waited(async move { Ok(client.batch_execute(&text).await?) }));
        if done.is_ok() && sql.starts_with("ROLLBACK") {
            self.failed.set(false);
        }
        done
    }

    pub(super) fn execute(&self, sql: &str, values: Vec<Value>) -> Result<usize> {
        self.execute_prepared(&self.prepared(sql)?, values)
    }

    /// The next rows of what is open under a name: prepared anew, as the same words give other columns each time.
    pub(super) fn fetch(&self, count: usize, cursor: &str) -> Result<Vec<Vec<Value>>> {
        let (client, text) = (self.client()?, format!("FETCH {count} FROM {cursor}"));
        self.noted(waited(async move {
            let statement = client.prepare(&text).await?;
            asked(&client, &statement, Vec::new()).await
        }))
    }

    pub(super) fn execute_prepared(&self, statement: &Statement, values: Vec<Value>) -> Result<usize> {
        let (client, statement) = (self.client()?, statement.clone());
        self.noted(waited(async move { executed(&client, &statement, values).await }))
    }

    pub(super) fn query_prepared(&self, statement: &Statement, values: Vec<Value>) -> Result<Vec<Vec<Value>>> {
        let (client, statement) = (self.client()?, statement.clone());
        self.noted(waited(async move { asked(&client, &statement, values).await }))
    }

    /// One statement many times; all are sent before the first answer is waited for.
    pub(super) fn execute_all(&self, sql: &str, all: Vec<Vec<Value>>) -> Result<Vec<usize>> {
        let (client, statement) = (self.client()?, self.prepared(sql)?);
        self.noted(waited(async move {
            futures::future::join_all(all.into_iter().map(|values| executed(&client, &statement, values)))
                .await
                .into_iter()
                .collect()
        }))
    }

    /// One question many times; all are sent before the first answer is waited for.
    pub(super) fn query_all(&self, sql: &str, all: Vec<Vec<Value>>) -> Result<Vec<Vec<Vec<Value>>>> {
        let (client, statement) = (self.client()?, self.prepared(sql)?);
        self.noted(waited(async move {
            futures::future::join_all(all.into_iter().map(|values| asked(&client, &statement, values)))
                .await
                .into_iter()
                .collect()
        }))
    }

    /// The names of a statement's columns.
    pub(super) fn names(&self, sql: &str) -> Result<Vec<String>> {
        Ok(self.prepared(sql)?.columns().iter().map(|column| column.name().to_owned()).collect())
    }

    /// A statement is prepared once in a session.
    pub(super) fn prepared(&self, sql: &str) -> Result<Statement> {
        if let Some(known) = self.live.borrow().as_ref().and_then(|live| live.statements.get(sql)) {
            return Ok(known.clone());
        }
        let (client, text) = (self.client()?, translated(sql));
        let statement = self.noted(waited(async move { Ok(client.prepare(&text).await?) }))?;
        if let Some(live) = self.live.borrow_mut().as_mut() {
            live.statements.insert(sql.to_owned(), statement.clone());
        }
        Ok(statement)
    }

    fn client(&self) -> Result<Arc<Client>> {
        let lost = || ServerFailure::new(Loss::Connection, "the connection was lost").into();
        self.live.borrow().as_ref().map(|live| live.client.clone()).ok_or_else(lost)
    }

    fn noted<T>(&self, answer: Result<T>) -> Result<T> {
        if answer.is_err() {
            self.failed.set(true);
        }
        answer
    }
}

fn lost_right() -> Failure {
    ServerFailure::new(Loss::Rights, "this session only reads").into()
}

async fn executed(client: &Client, statement: &Statement, values: Vec<Value>) -> Result<usize> {
    let changed = client.execute_raw(statement, values.into_iter().map(Param)).await?;
    Ok(usize::try_from(changed).unwrap_or(usize::MAX))
}

async fn asked(client: &Client, statement: &Statement, values: Vec<Value>) -> Result<Vec<Vec<Value>>> {
    let params: Vec<Param> = values.into_iter().map(Param).collect();
    let params: Vec<_> = params.iter().map(|param| param as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
    client.query(statement, &params).await?.iter().map(values::row).collect()
}

/// Our SQL in PostgreSQL's tongue: `$1` for `?1`; and a field of a JSON text, which SQLite takes out as the number it is.
fn translated(sql: &str) -> String {
    sql.replace('?', "$").replace("extra ->> 'unknown'", "CAST(CAST(extra AS JSON) ->> 'unknown' AS BIGINT)")
}

/// Waits for the driver's thread to have done `work`.
fn waited<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let (tell, told) = mpsc::sync_channel(1);
    driver()?.spawn(async move {
        let _ = tell.send(work.await);
    });
    let gone = |_| ServerFailure::new(Loss::Connection, "the driver of the connection has stopped").into();
    told.recv().map_err(gone).and_then(|answer| answer)
}

/// The thread that all sessions of this process are served on.
fn driver() -> Result<&'static Runtime> {
    static DRIVER: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let start = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(1).thread_name("towpath-state").enable_all().build()
    };
    let failed = |cause: &std::io::Error| ServerFailure::new(Loss::Other, format!("no thread: {cause}")).into();
    DRIVER.get_or_init(start).as_ref().map_err(failed)
}
