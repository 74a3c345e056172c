//! What Towpath remembers between runs: runs, cursors, rejects, the journal of writes, and who is running.
//!
//! One SQLite database, `state.db`, in the state folder. Everything else that a run leaves (staged segments)
//! can be made again from the sources; this cannot, so it is written with care:
//!
//! * **Durable before it returns.** The write-ahead log is synced at every commit. An intent that
//!   [`Store::intend`] has accepted survives the loss of power one instruction later.
//! * **Group commits.** Threads that write the journal at the same time share one transaction and one sync
//!   (see [`Store::intend`]); each still gets its own answer.
//! * **One run per scope, held by a fencing token.** A [`Lock`] is a row with a number that only grows. Every write
//!   of the journal and of cursors checks that number inside its own transaction: a run that was taken for
//!   dead and wakes again cannot write.
//! * **Only what is certain is settled.** A record is an intent, confirmed, refused or unknown
//!   ([`Outcome`]); nothing but a receipt moves it out of intent, or the certainty that nothing was sent; and what was confirmed before is kept
//!   while a newer payload is under way.
//!
//! The calls are synchronous and meant for the run's own threads; [`Store`] and [`Lock`] are `Send + Sync`, and a
//! clone of a `Store` is another handle on the same database.
//!
//! What this crate never does: print, read the environment, retry, know a connector. It stores what it is
//! given: **keeping secrets out of params, reject rows, keys, response fields, messages and targets is the caller's
//! duty**, done before the call.

// So that tests of the inside and of the outside share what they need.
#[cfg(test)]
extern crate self as towpath_state;

mod copy;
mod cursors;
mod database;
mod entering;
mod error;
mod group;
mod journal;
mod lines;
mod lock;
mod owner;
mod packed;
mod picture;
pub mod private;
mod receipt;
mod rejects;
mod row;
mod rules;
mod run_id;
mod runs;
mod schema;
mod scope;
mod settling;
mod snapshot;
mod store;

pub use copy::{Copied, ImportError};
pub use cursors::Cursor;
pub use database::Server;
pub use error::{Error, Fault, Result};
pub use lock::{HEARTBEAT_EVERY, Lock, LockError, STALE_AFTER};
pub use receipt::{Confirmed, Entries, Intent, Outcome, OutcomeCounts, Receipt, ReceiptIn, SinkCounts, Unsettled};
pub use rejects::{Reject, RejectCount, RejectFilter, StoredReject};
pub use run_id::{RunId, RunIdError};
pub use runs::{NodeRecord, RunOutcome, RunRecord, RunStart, RunStatus, RunSummary};
pub use scope::Scope;
pub use settling::Verdict;
pub use snapshot::Snapshot;
pub use store::Store;
