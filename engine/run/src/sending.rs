//! Records on their way: each announced in the journal, sent, and confirmed there.
//!
//! Three stages: records whose intents are written ahead, records under way, records whose answers came and whose receipts
//! are not yet on disk. There is room for as many under way as the sink's `concurrency`, for twice that before and four
//! times that behind: while no room is left behind no request gets on, so it has to hold those that are being written
//! and those that come meanwhile. What a crash leaves in doubt is bounded by that (see [`crate::desk`]).
//!
//! Calls that take several records go another way (see [`crate::sending_batches`]); what became of a record is written and
//! booked in the same way.

use crate::accounts::book;
use crate::clock::aside;
use crate::deliver::{Delivery, refused};
use crate::desk::Written;
use crate::records::Parcel;
use crate::rejects::lock;
use crate::runner::Runner;
use futures::stream::{self, StreamExt};
use serde_json::Value as Json;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use towpath_connector::{Answer, Effect, Error, Record, Result, boundary};
use towpath_spec::document::OnError;
use towpath_state::{Intent, Outcome, ReceiptIn};

/// So many records in a row of unknown outcome, and the run stops: an outage would put all the rest in doubt.
const UNANSWERED: usize = 20;

/// What a batch of unknown outcome counts for among those: three of them in a row, and the run stops.
const UNANSWERED_BATCH: usize = UNANSWERED.div_ceil(3);

/// Ends that are booked together, at most: room for so many is made each time.
const BOOKED: usize = 16;

/// How one record ended.
pub(crate) enum End {
    Delivered(Record),
    Refused(String),
    Unknown(Error),
    /// It was surely not acted on; the run cannot go on.
    Failed(Error),
    /// Its turn never came.
    NotSent,
}

/// Where the intent of a record is.
enum Announced {
    /// Not in the journal: it has to wait for its turn first, or nothing more is sent.
    No,
    OnDisk,
    Failed(Error),
}

/// A record that was dealt with, and what is still to be written of it.
pub(crate) struct Sent {
    pub parcel: Parcel,
    pub end: End,
    pub written: Option<Written>,
}

/// A record whose end is on disk, and how many calls are booked with it: those of a batch with its first record.
pub(crate) struct Ended {
    pub parcel: Parcel,
    pub end: End,
    pub calls: usize,
}

/// The records of one round, no two of them with the same key.
pub(crate) struct Round<'a> {
    pub runner: &'a Arc<Runner>,
    pub delivery: &'a Delivery<'a>,
    failure: Mutex<Option<Error>>,
}

impl Runner {
    /// Sends records of different keys. When it returns, what became of each is on disk.
    pub(crate) async fn send_all(self: &Arc<Self>, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<()> {
        let round = Round { runner: self, delivery, failure: Mutex::new(None) };
        if delivery.sink.batch > 1 {
            return self.send_in_batches(&round, parcels).await;
        }
        let slots = delivery.sink.concurrency;
        let mut confirmed = stream::iter(parcels)
            .map(|parcel| round.announce(parcel))
            .buffer_unordered(2 * slots)
            .map(|(parcel, announced)| round.dispatch(parcel, announced))
            .buffer_unordered(slots)
            .map(|sent| round.confirm(sent))
            .buffer_unordered(4 * slots)
            .ready_chunks(BOOKED);
        while let Some(ends) = confirmed.next().await {
            round.settle(ends);
        }
        drop(confirmed);
        round.over()
    }

    /// Books what came back.
    fn settle_ends(&self, delivery: &Delivery<'_>, ends: Vec<Ended>) -> Result<()> {
        let account = &self.accounts[delivery.node];
        let mut rejects = Vec::new();
        let mut doubtful = Vec::new();
        let mut fail = None;
        for Ended { parcel, end, calls } in ends {
            match end {
                End::Delivered(fields) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.rows_out, 1);
                    book(&account.calls, calls);
                    delivery.result(&parcel, "delivered", None, fields)?;
                }
                End::Refused(message) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.calls, calls);
                    delivery.result(&parcel, "refused", Some(&message), Record::new())?;
                    if delivery.sink.on_error == OnError::Fail {
                        fail = Some(Error::data(format!("the record was refused: {message}")));
                    }
                    rejects.push(refused(parcel, message)?);
                }
                End::Unknown(error) => {
                    book(&account.unknown, 1);
                    delivery.result(&parcel, "unknown", Some(&error.message), Record::new())?;
                    fail = delivery.unanswered(calls, &error).or(fail);
                    doubtful.push((Json::Object(parcel.key), error));
                }
                End::Failed(_) | End::NotSent => {}
            }
        }
        self.warn_of(delivery, &doubtful);
        self.reject(delivery.node, rejects)?;
        fail.map_or(Ok(()), Err)
    }

    /// Says which records are held; those of a batch in one sentence.
    fn warn_of(&self, delivery: &Delivery<'_>, doubtful: &[(Json, Error)]) {
        let together = if delivery.sink.batch > 1 { doubtful.len().max(1) } else { 1 };
        for records in doubtful.chunks(together) {
            let (key, error) = &records[0];
            let message = match records.len() {
                1 => format!("{key} was sent and its outcome is unknown; it is held: {}", error.message),
                many => format!(
                    "{key} and {} more of its batch were sent and their outcome is unknown; they are held: {}",
                    many - 1,
                    error.message
                ),
            };
            self.warn(delivery.node, message);
        }
    }
}

impl Delivery<'_> {
    /// A call had no clear answer; the error ends the run when there were too many in a row.
    fn unanswered(&self, calls: usize, error: &Error) -> Option<Error> {
        let is_batch = self.sink.batch > 1;
        let counts = match calls {
            0 => return None,
            _ if is_batch => UNANSWERED_BATCH,
            _ => 1,
        };
        if self.unanswered.fetch_add(counts, Ordering::Relaxed) + counts < UNANSWERED {
            return None;
        }
        let many = if is_batch { "several batches".to_owned() } else { format!("{UNANSWERED} records") };
        let message = format!("{many} in a row had no clear answer, the last: {}", error.message);
        Some(Error::passing(message).help("the other system seems to be down; run again when it is up"))
    }
}

impl Round<'_> {
    /// Books what came back.
    pub fn settle(&self, ends: Vec<Ended>) {
        // Only rejects may have to be written; to give the thread away for every few records would cost more.
        let waits = ends.iter().any(|ended| matches!(ended.end, End::Refused(_)));
        let settle = || self.runner.settle_ends(self.delivery, ends);
        let settled = if waits { aside(settle) } else { settle() };
        // Nothing new is sent then, but what is under way is waited for.
        if let Err(error) = settled {
            self.fail(&error);
        }
    }

    /// How the round ended.
    pub fn over(&self) -> Result<()> {
        let failed = lock(&self.failure)?.take();
        failed.map_or_else(|| self.runner.go_on(), Err)
    }

    pub fn is_halted(&self) -> bool {
        self.runner.cancel.is_cancelled() || self.failure.lock().is_ok_and(|failure| failure.is_some())
    }

    fn fail(&self, error: &Error) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert_with(|| error.clone());
        }
    }

    pub fn intend(&self, parcel: &Parcel) -> Written {
        self.delivery.desk.intend(Intent {
            key_hash: parcel.key_hash,
            key: Json::Object(parcel.key.clone()),
            payload_hash: parcel.payload_hash,
            content: parcel.content.clone(),
        })
    }

    /// Hands the intent in at once, not when it is first waited for: it is to be on disk by the time a place is free. Only
    /// where answers are quick; elsewhere the request waits for its own intent, which is no loss, and less is in doubt.
    fn announce(&self, parcel: Parcel) -> impl Future<Output = (Parcel, Announced)> + use<> {
        // Waiting for its turn is not yet sending it.
        let quick = self.delivery.pace.is_unlimited() && self.delivery.answers.is_quick();
        let ahead = quick && !self.is_halted();
        let written = ahead.then(|| self.intend(&parcel));
        async move {
            let announced = match written {
                None => Announced::No,
                Some(written) => match written.wait().await {
                    Ok(()) => Announced::OnDisk,
                    Err(error) => Announced::Failed(error),
                },
            };
            (parcel, announced)
        }
    }

    /// Sends a record whose intent is on disk, and hands its receipt in.
    async fn dispatch(&self, parcel: Parcel, announced: Announced) -> Sent {
        let end = match self.take_turn(&parcel, announced).await {
            Ok(()) if self.is_halted() => End::NotSent,
            Ok(()) => self.send(&parcel).await,
            Err(end) => {
                self.note_failure(&end);
                return Sent { parcel, end, written: None };
            }
        };
        self.receipt(parcel, end)
    }

    /// Hands in how a record ended whose intent is on disk.
    pub fn receipt(&self, parcel: Parcel, end: End) -> Sent {
        self.note_failure(&end);
        let desk = &self.delivery.desk;
        let receipt = |outcome, fields, message| ReceiptIn { key_hash: parcel.key_hash, outcome, fields, message };
        let written = match &end {
            End::Delivered(fields) => desk.receive(receipt(Outcome::Confirmed, kept(fields), None)),
            End::Refused(message) => desk.receive(receipt(Outcome::Refused, Json::Null, Some(message.clone()))),
            End::Unknown(error) => desk.receive(receipt(Outcome::Unknown, Json::Null, Some(error.message.clone()))),
            End::Failed(_) | End::NotSent => desk.withdraw(parcel.key_hash),
        };
        Sent { parcel, end, written: Some(written) }
    }

    /// Waits until a record may be sent, its intent being on disk; the error is how it ended without being announced.
    async fn take_turn(&self, parcel: &Parcel, announced: Announced) -> std::result::Result<(), End> {
        match announced {
            Announced::OnDisk => return Ok(()),
            Announced::Failed(error) => return Err(End::Failed(error)),
            Announced::No => {}
        }
        if !self.is_my_turn().await {
            return Err(End::NotSent);
        }
        self.intend(parcel).wait().await.map_err(End::Failed)
    }

    /// Waits for the next turn; false when nothing more is to be sent.
    pub async fn is_my_turn(&self) -> bool {
        if !self.is_halted() {
            tokio::select! {
                biased;
                () = self.runner.cancel.cancelled() => {}
                () = self.delivery.pace.wait() => {}
            }
        }
        !self.is_halted()
    }

    pub fn note_failure(&self, end: &End) {
        if let End::Failed(error) = end {
            self.fail(error);
        }
    }

    /// Waits until what is known of a record is on disk: only then does it count.
    pub async fn confirm(&self, sent: Sent) -> Ended {
        let Sent { parcel, end, written } = sent;
        let written = match written {
            Some(written) => written.wait().await,
            None => Ok(()),
        };
        let end = written.map_or_else(End::Failed, |()| end);
        self.note_failure(&end);
        Ended { parcel, end, calls: 1 }
    }

    /// One try, in a task of its own: the requests under way share all threads.
    async fn once(&self, payload: &Arc<Record>) -> Result<Answer> {
        let (operation, payload) = (self.delivery.operation.clone(), payload.clone());
        let begun = self.runner.world.clock.now();
        boundary("before-send");
        let sent = tokio::spawn(async move { operation.send(&payload).await }).await;
        boundary("after-answer");
        self.delivery.answers.took(self.runner.world.clock.now().saturating_sub(begun));
        sent.unwrap_or_else(|_| Err(Error::bug("sending a record panicked").effect(Effect::Unknown)))
    }

    async fn send(&self, parcel: &Parcel) -> End {
        let delivery = self.delivery;
        let mut failed = 0;
        // What any of the tries may have done counts, not only the last one's.
        let mut maybe = false;
        loop {
            match self.once(&parcel.payload).await {
                Ok(Answer::Confirmed { fields }) => return End::Delivered(fields),
                Ok(Answer::Refused { message }) => return End::Refused(message),
                Err(error) => {
                    maybe |= error.effect == Effect::Unknown;
                    // Never again in the same breath: at the next run a lookup may know better, and `resend` counts.
                    if maybe && !delivery.operation.info().idempotent {
                        return End::Unknown(error);
                    }
                    failed += 1;
                    if let Err(error) = self.runner.wait_or_fail(delivery.node, error, failed).await {
                        return if maybe { End::Unknown(error) } else { End::Failed(error) };
                    }
                    tokio::select! {
                        biased;
                        () = self.runner.cancel.cancelled() => {
                            let error = crate::runner::interrupted();
                            return if maybe { End::Unknown(error) } else { End::Failed(error) };
                        }
                        () = delivery.pace.wait() => {}
                    }
                }
            }
        }
    }
}

/// Fields as the journal keeps them: nothing for none.
fn kept(fields: &Record) -> Json {
    if fields.is_empty() { Json::Null } else { Json::Object(fields.clone()) }
}
