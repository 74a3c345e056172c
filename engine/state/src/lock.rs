//! One run per scope: the lock, its heartbeat, and the fencing token that keeps a dead run from writing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::database::{Connection, OptionalExtension, params};
use crate::error::SqlResultExt;
use crate::owner::Owner;
use crate::{Error, Result, RunId, Scope, Store, row, runs};
use chrono::{DateTime, Utc};

/// How often a lock's heartbeat is renewed.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// A lock whose heartbeat is older than this belongs to nobody.
pub const STALE_AFTER: Duration = Duration::from_secs(30);

/// Why a lock was not given.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LockError {
    /// Another run has it. It is alive as far as can be told from here.
    #[error("run {run} is going on {scope}: process {pid} on {host}, since {since}, last heard of at {heartbeat}",
        since = shown(*since), heartbeat = shown(*heartbeat))]
    Held {
        /// What it has locked.
        scope: Scope,
        /// The run that holds the lock.
        run: RunId,
        /// Its process.
        pid: u32,
        /// Its host's name.
        host: String,
        /// When it took the lock.
        since: DateTime<Utc>,
        /// When it last renewed its heartbeat.
        heartbeat: DateTime<Utc>,
    },
    /// The state failed.
    #[error(transparent)]
    State(#[from] Error),
}

impl LockError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Held { .. } => {
                "wait for that run to finish, or stop it; a run that died is taken over 30 seconds after its last heartbeat"
            }
            Self::State(error) => error.help(),
        }
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The right of one run to write cursors and the journal of one scope. Given back when dropped.
///
/// A thread renews the heartbeat every [`HEARTBEAT_EVERY`]. Should this process be held up for longer than
/// [`STALE_AFTER`] and another run take over, every write under this lock fails with [`Error::Fenced`].
#[derive(Debug)]
pub struct Lock {
    store: Store,
    claim: Claim,
    taken_over_from: Option<RunId>,
    lost: Arc<AtomicBool>,
    /// Dropping it wakes and ends the heartbeat at once.
    stop: Option<mpsc::Sender<()>>,
    heartbeat: Option<JoinHandle<()>>,
}

/// What a write shows to prove that its run still holds the lock.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub scope: Scope,
    pub scope_id: i64,
    pub run: RunId,
    pub token: i64,
}

impl Claim {
    /// Fails unless the lock is still held under this token. Called inside the transaction of the write, so that no takeover
    /// can come between.
    pub(crate) fn verify(&self, connection: &Connection) -> Result<()> {
        if is_held(connection, self.scope_id, self.token)? {
            return Ok(());
        }
        Err(Error::Fenced { run: self.run, scope: self.scope.clone() })
    }

    fn renew(&self, connection: &Connection) -> Result<bool> {
        connection
            .execute(
                "UPDATE lock SET heartbeat = ?3 WHERE scope = ?1 AND token = ?2 AND held = 1",
                params![self.scope_id, self.token, connection.now().doing("reading the clock")?],
            )
            .map(|changed| changed == 1)
            .doing("renewing the heartbeat")
    }

    fn release(&self, connection: &Connection) -> Result<()> {
        connection
            .execute("UPDATE lock SET held = 0 WHERE scope = ?1 AND token = ?2", params![self.scope_id, self.token])
            .map(drop)
            .doing("releasing the lock")
    }
}

/// Whether the scope's lock is held under this token.
pub(crate) fn is_held(connection: &Connection, scope_id: i64, token: i64) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM lock WHERE scope = ?1 AND token = ?2 AND held = 1")
        .and_then(|mut held| held.exists(params![scope_id, token]))
        .doing("checking the lock")
}

impl Lock {
    /// What is locked.
    pub fn scope(&self) -> &Scope {
        &self.claim.scope
    }

    /// The run that holds the lock.
    pub fn run(&self) -> RunId {
        self.claim.run
    }

    /// The fencing token: each holder of a scope has a larger one than all before it.
    pub fn token(&self) -> i64 {
        self.claim.token
    }

    /// The run whose lock was taken over because it had died, if it was so.
    pub fn taken_over_from(&self) -> Option<RunId> {
        self.taken_over_from
    }

    /// True once the heartbeat has found the lock in other hands. [`Store::fence_ok`] asks the database instead.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Gives the lock back and says whether that worked. Dropping does the same in silence.
    ///
    /// # Errors
    /// Those of a write; the lock is then free once its heartbeat is stale.
    pub fn release(mut self) -> Result<()> {
        self.end()
    }

    /// Whether it was taken through this handle.
    pub(crate) fn is_of(&self, store: &Store) -> bool {
        self.store.is(store)
    }

    /// The claim, if it is for `scope` and `run`.
    pub(crate) fn claim_for(&self, scope: &Scope, run: Option<&RunId>) -> Result<Claim> {
        if self.claim.scope != *scope || run.is_some_and(|run| *run != self.claim.run) {
            return Err(Error::Misuse(format!(
                "a write to {scope} under the lock of run {} on {}",
                self.claim.run, self.claim.scope
            )));
        }
        Ok(self.claim.clone())
    }

    fn end(&mut self) -> Result<()> {
        let Some(stop) = self.stop.take() else {
            return Ok(());
        };
        drop(stop);
        if let Some(heartbeat) = self.heartbeat.take() {
            // A heartbeat that panicked has stopped as well, which is all that is wanted here.
            let _ = heartbeat.join();
        }
        self.let_go()
    }

    /// Gives the lock back where others still hold this: from now on they cannot write. For the end of a run, parts of which
    /// may outlive it.
    ///
    /// # Errors
    /// Those of a write; the lock is then free once its heartbeat is stale.
    pub fn let_go(&self) -> Result<()> {
        let claim = &self.claim;
        self.store.pictures().forget(&claim.scope);
        let released = self.store.write("releasing the lock", |connection| claim.release(connection));
        // If it fails, whoever reads the journal next does it.
        let _ = self.store.enter_journal();
        released
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody is left to tell: a lock that could not be released goes stale.
        let _ = self.end();
    }
}

impl Store {
    /// Takes the lock of `scope` for `run`. A lock whose heartbeat is older than [`STALE_AFTER`], or whose process has
    /// certainly died, is taken over, and its run, if it is on record as going, is marked as interrupted.
    ///
    /// # Errors
    /// [`LockError::Held`] if another run has it (this process included).
    pub fn lock(&self, scope: &Scope, run: &RunId) -> Result<Lock, LockError> {
        self.lock_beating(scope, run, HEARTBEAT_EVERY)
    }

    pub(crate) fn lock_beating(&self, scope: &Scope, run: &RunId, every: Duration) -> Result<Lock, LockError> {
        let us = Owner::this_process();
        let taken = self.write("taking the lock", |connection| take(connection, scope, *run, &us))?;
        let (claim, taken_over_from) = taken?;
        let mut lock = Lock {
            store: self.clone(),
            claim,
            taken_over_from,
            lost: Arc::new(AtomicBool::new(false)),
            stop: None,
            heartbeat: None,
        };
        let (stop, stopped) = mpsc::channel();
        // Set first: should the thread not start, dropping the lock still gives it back.
        lock.stop = Some(stop);
        let (store, claim, lost) = (self.clone(), lock.claim.clone(), Arc::clone(&lock.lost));
        let thread = std::thread::Builder::new()
            .name("towpath-heartbeat".into())
            .spawn(move || beat(&store, &claim, &lost, &stopped, every))
            .map_err(|cause| Error::of_io(self.path().to_owned(), "starting the heartbeat", cause))?;
        lock.heartbeat = Some(thread);
        Ok(lock)
    }

    /// Asks the database whether `lock` is still held.
    ///
    /// # Errors
    /// Those of a read.
    pub fn fence_ok(&self, lock: &Lock) -> Result<bool> {
        self.read(|connection| match lock.claim.verify(connection) {
            Ok(()) => Ok(true),
            Err(Error::Fenced { .. }) => Ok(false),
            Err(error) => Err(error),
        })
    }
}

/// Renews until told to stop or until the lock is lost. A renewal that fails (disk full, database busy) is tried again at
/// the next beat: what matters is checked by every write anyway.
fn beat(store: &Store, claim: &Claim, lost: &AtomicBool, stopped: &mpsc::Receiver<()>, every: Duration) {
    while stopped.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
        let renewed = store.write("renewing the heartbeat", |connection| claim.renew(connection));
        if matches!(renewed, Ok(false)) {
            lost.store(true, Ordering::Release);
            return;
        }
    }
}

struct Holder {
    token: i64,
    held: bool,
    run: RunId,
    owner: Owner,
    since: DateTime<Utc>,
    heartbeat: DateTime<Utc>,
}

impl Holder {
    /// Whether it is alive as far as can be told from here.
    fn lives(&self, now: DateTime<Utc>) -> bool {
        let silent = now.signed_duration_since(self.heartbeat).to_std().unwrap_or_default();
        self.held && silent <= STALE_AFTER && !self.owner.is_dead()
    }
}

/// A run that holds a lock of any scope and is not known to be dead.
pub(crate) fn living_run(connection: &Connection) -> Result<Option<RunId>> {
    let scopes: Vec<i64> = connection
        .prepare("SELECT scope FROM lock WHERE held = 1")
        .and_then(|mut held| held.query_map(params![], |found| found.get(0))?.collect())
        .doing("reading the locks")?;
    let now = clock(connection)?;
    for scope in scopes {
        if let Some(holder) = holder(connection, scope)?.filter(|holder| holder.lives(now)) {
            return Ok(Some(holder.run));
        }
    }
    Ok(None)
}

type Taken = Result<(Claim, Option<RunId>), LockError>;

fn take(connection: &Connection, scope: &Scope, run: RunId, us: &Owner) -> Result<Taken> {
    let scope_id = scope.intern(connection)?;
    let before = holder(connection, scope_id)?;
    let now = clock(connection)?;
    let mut dead = None;
    if let Some(holder) = before.as_ref().filter(|holder| holder.held) {
        if holder.lives(now) {
            return Ok(Err(LockError::Held {
                scope: scope.clone(),
                run: holder.run,
                pid: holder.owner.pid,
                host: holder.owner.host.clone(),
                since: holder.since,
                heartbeat: holder.heartbeat,
            }));
        }
        runs::mark_as_interrupted(connection, &holder.run, holder.heartbeat)?;
        dead = Some(holder.run);
    }
    let token = before.map_or(1, |holder| holder.token + 1);
    connection
        .execute(
            "INSERT INTO lock (scope, token, held, run, pid, host, machine, born, since, heartbeat)
             VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
             ON CONFLICT (scope) DO UPDATE
             SET token = excluded.token, held = excluded.held, run = excluded.run, pid = excluded.pid, host = excluded.host,
                 machine = excluded.machine, born = excluded.born, since = excluded.since, heartbeat = excluded.heartbeat",
            params![scope_id, token, run.as_str(), us.pid, us.host, us.machine, us.born, row::millis(now)],
        )
        .doing("taking the lock")?;
    let scope = scope.clone();
    Ok(Ok((Claim { scope, scope_id, run, token }, dead)))
}

/// Now, by the clock that heartbeats go by.
fn clock(connection: &Connection) -> Result<DateTime<Utc>> {
    connection.now().map(|now| DateTime::from_timestamp_millis(now).unwrap_or_default()).doing("reading the clock")
}

fn holder(connection: &Connection, scope_id: i64) -> Result<Option<Holder>> {
    connection
        .query_row(
            "SELECT token, held, run, pid, host, machine, born, since, heartbeat FROM lock WHERE scope = ?1",
            [scope_id],
            |found| {
                Ok(Holder {
                    token: found.get(0)?,
                    held: found.get(1)?,
                    run: row::run_id(found, 2)?,
                    owner: Owner {
                        pid: found.get(3)?,
                        host: found.get(4)?,
                        machine: found.get(5)?,
                        born: found.get(6)?,
                    },
                    since: row::time(found, 7)?,
                    heartbeat: row::time(found, 8)?,
                })
            },
        )
        .optional()
        .doing("reading the lock")
}

#[cfg(test)]
mod tests;
