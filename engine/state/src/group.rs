//! Group commit: threads that write at the same time share one transaction and one sync.
//!
//! Whoever finds no leader leads: it takes everything queued, runs each piece (in a savepoint of its own when there
//! are several) inside one transaction, commits, and hands out the answers. The others wait for theirs. No thread of its own, no delay: a lone
//! writer commits at once, and what arrives during a sync goes together in the next.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::database::Connection;
use crate::error::SqlResultExt;
use crate::picture::Draft;
use crate::store::begin;
use crate::{Error, Result};

/// One caller's part of a transaction. What it remembers of its writes is a draft until they are on disk.
pub(crate) type Work = Box<dyn FnOnce(&Connection) -> Result<Option<Draft>> + Send>;

#[derive(Default)]
pub(crate) struct Group {
    queue: Mutex<Queue>,
    answered: Condvar,
}

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    waiting: Vec<(u64, Work)>,
    answers: HashMap<u64, Result<()>>,
    led: bool,
}

impl Group {
    /// Runs `work` in the next shared transaction. Returns after its commit is on disk, or after `work`, and only
    /// `work`, was rolled back. `writer` gives the connection to whoever leads.
    pub(crate) fn commit<'a>(&self, work: Work, writer: impl FnOnce() -> MutexGuard<'a, Connection>) -> Result<()> {
        let mut queue = self.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push((ticket, work));
        loop {
            if let Some(answer) = queue.answers.remove(&ticket) {
                return answer;
            }
            if !queue.led {
                break;
            }
            queue = self.answered.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.led = true;
        drop(queue);
        self.lead(ticket, writer())
    }

    /// The work is taken only after the connection is free, so that what arrived while waiting for it goes along.
    fn lead(&self, own: u64, mut writer: MutexGuard<'_, Connection>) -> Result<()> {
        let (tickets, works): (Vec<u64>, Vec<Work>) = std::mem::take(&mut self.queue().waiting).into_iter().unzip();
        let outcome = catch_unwind(AssertUnwindSafe(|| run_together(&mut writer, works)));
        drop(writer);
        let (answers, panic) = match outcome {
            Ok(answers) => (answers, None),
            Err(panic) => {
                let broken = Error::Misuse("a write of the same group panicked".into());
                (vec![Err(broken); tickets.len()], Some(panic))
            }
        };
        let mut queue = self.queue();
        queue.led = false;
        queue.answers.extend(tickets.into_iter().zip(answers));
        let answer = queue.answers.remove(&own);
        drop(queue);
        self.answered.notify_all();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        answer.unwrap_or_else(|| Err(Error::Misuse("a write was left without an answer".into())))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One transaction for all; a piece that fails is rolled back alone. When the transaction itself fails (disk full), so do
/// all. A draft is kept or dropped before the connection goes to anybody else.
fn run_together(writer: &mut Connection, works: Vec<Work>) -> Vec<Result<()>> {
    let count = works.len();
    let together = || -> Result<Vec<Result<()>>> {
        let transaction = begin(writer, "writing the journal")?;
        let mut answers = Vec::with_capacity(count);
        for work in works {
            // Alone it may take the whole transaction with it.
            let answer = if count == 1 { Ok(work(&transaction)?) } else { run_in_savepoint(&transaction, work)? };
            answers.push(answer);
        }
        transaction.commit().doing("committing the journal")?;
        let keep = |draft: Option<Draft>| draft.into_iter().for_each(Draft::keep);
        Ok(answers.into_iter().map(|answer: Result<_>| answer.map(keep)).collect())
    };
    together().unwrap_or_else(|error| vec![Err(error); count])
}

/// The outer error means that the whole transaction is gone.
fn run_in_savepoint(transaction: &Connection, work: Work) -> Result<Result<Option<Draft>>> {
    let savepoint = |sql| transaction.execute_batch(sql).doing("writing the journal");
    savepoint("SAVEPOINT piece")?;
    let answer = work(transaction);
    if let Err(error) = &answer {
        if transaction.is_autocommit() {
            return Err(error.clone());
        }
        savepoint("ROLLBACK TO piece")?;
    }
    savepoint("RELEASE piece")?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::params;
    use std::sync::{Arc, Barrier, mpsc};

    fn table() -> Arc<Mutex<Connection>> {
        let connection = Connection::Sqlite(rusqlite::Connection::open_in_memory().expect("memory"));
        connection.execute_batch("CREATE TABLE t (a INTEGER); CREATE TABLE groups (n INTEGER)").expect("tables");
        Arc::new(Mutex::new(connection))
    }

    fn insert(value: i64) -> Work {
        Box::new(move |connection| {
            connection.execute("INSERT INTO t VALUES (?1)", [value]).doing("inserting")?;
            if value % 7 == 0 {
                return Err(Error::Misuse(format!("{value}")));
            }
            Ok(None)
        })
    }

    fn rows(connection: &Mutex<Connection>) -> i64 {
        let connection = connection.lock().expect("free");
        connection.query_row("SELECT count(*) FROM t", params![], |row| row.get(0)).expect("a count")
    }

    #[test]
    fn what_waits_together_is_committed_together_and_answered_apart() {
        let (connection, group) = (table(), Arc::new(Group::default()));
        let (entered, first_is_in) = mpsc::channel();
        let (release, may_go_on) = mpsc::channel::<()>();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let blocking: Work = Box::new(move |_| {
                    entered.send(()).expect("the test listens");
                    may_go_on.recv().expect("the test answers");
                    Ok(None)
                });
                group.commit(blocking, || connection.lock().expect("free")).expect("commits");
            });
            first_is_in.recv().expect("the first leads");
            let followers: Vec<_> = (1..=20)
                .map(|value| {
                    let (group, connection) = (&group, &connection);
                    threads.spawn(move || group.commit(insert(value), || connection.lock().expect("free")))
                })
                .collect();
            while group.queue().waiting.len() < 20 {
                std::thread::yield_now();
            }
            release.send(()).expect("the first waits");
            for (value, follower) in (1..=20).zip(followers) {
                let answer = follower.join().expect("no panic");
                assert_eq!(answer.is_err(), value % 7 == 0, "{value}");
            }
        });
        assert_eq!(rows(&connection), 18);
        assert!(group.queue().answers.is_empty());
    }

    #[test]
    fn many_threads_lose_nothing() {
        let (connection, group, start) = (table(), Group::default(), Barrier::new(8));
        std::thread::scope(|threads| {
            for thread in 0..8 {
                let (group, connection, start) = (&group, &connection, &start);
                threads.spawn(move || {
                    start.wait();
                    for step in 0..50 {
                        let value = thread * 50 + step;
                        let answer = group.commit(insert(value), || connection.lock().expect("free"));
                        assert_eq!(answer.is_err(), value % 7 == 0);
                    }
                });
            }
        });
        assert_eq!(rows(&connection), (0..400).filter(|value| value % 7 != 0).count() as i64);
    }

    #[test]
    fn a_panic_does_not_leave_others_waiting() {
        let (connection, group) = (table(), Group::default());
        let writer = || connection.lock().unwrap_or_else(PoisonError::into_inner);
        let panicking: Work = Box::new(|_| panic!("in a write"));
        let panicked = catch_unwind(AssertUnwindSafe(|| group.commit(panicking, writer)));
        assert!(panicked.is_err());
        group.commit(insert(1), writer).expect("the next one leads");
        assert_eq!(
            connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .query_row("SELECT count(*) FROM t", params![], |row| row.get::<i64>(0))
                .expect("a count"),
            1
        );
    }
}
