//! Records on their way: each announced in the journal, sent, and confirmed there.
//!
//! Three stages: records whose intents are written ahead, records under way, records whose answers came and whose receipts
//! are not yet on disk. There is room for as many under way as the sink's `concurrency`, for twice that before and four
//! times that behind: while no room is left behind no request gets on, so it has to hold those that are being written
//! and those that come meanwhile. What a crash leaves in doubt is bounded by that (see [`crate::desk`]).

use crate::accounts::book;
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
use std::time::Instant;
use towpath_connector::{Answer, Effect, Error, Record, Result};
use towpath_spec::document::OnError;
use towpath_state::{Intent, Outcome, ReceiptIn};

/// So many records in a row of unknown outcome, and the run stops: an outage would put all the rest in doubt.
const UNANSWERED: usize = 20;

/// Ends that are booked together, at most: room for so many is made each time.
const BOOKED: usize = 16;

/// How one record ended.
enum End {
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
struct Sent {
    parcel: Parcel,
    end: End,
    written: Option<Written>,
}

/// The records of one round, no two of them with the same key.
struct Round<'a> {
    runner: &'a Arc<Runner>,
    delivery: &'a Delivery<'a>,
    failure: Mutex<Option<Error>>,
}

impl Runner {
    /// Sends records of different keys. When it returns, what became of each is on disk.
    pub(crate) async fn send_all(self: &Arc<Self>, delivery: &Delivery<'_>, parcels: Vec<Parcel>) -> Result<()> {
        let round = Round { runner: self, delivery, failure: Mutex::new(None) };
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
            // Only rejects may have to be written; to give the thread away for every few records would cost more.
            let waits = ends.iter().any(|(_, end)| matches!(end, End::Refused(_)));
            let settle = || self.settle_ends(delivery, ends);
            let settled = if waits { tokio::task::block_in_place(settle) } else { settle() };
            // Nothing new is sent then, but what is under way is waited for.
            if let Err(error) = settled {
                round.fail(&error);
            }
        }
        drop(confirmed);
        let failed = lock(&round.failure)?.take();
        failed.map_or_else(|| self.go_on(), Err)
    }

    /// Books what came back.
    fn settle_ends(&self, delivery: &Delivery<'_>, ends: Vec<(Parcel, End)>) -> Result<()> {
        let account = &self.accounts[delivery.node];
        let mut rejects = Vec::new();
        let mut fail = None;
        for (parcel, end) in ends {
            match end {
                End::Delivered(fields) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.rows_out, 1);
                    book(&account.calls, 1);
                    delivery.result(&parcel, "delivered", None, fields)?;
                }
                End::Refused(message) => {
                    delivery.unanswered.store(0, Ordering::Relaxed);
                    book(&account.calls, 1);
                    delivery.result(&parcel, "refused", Some(&message), Record::new())?;
                    if delivery.sink.on_error == OnError::Fail {
                        fail = Some(Error::data(format!("the record was refused: {message}")));
                    }
                    rejects.push(refused(parcel, message)?);
                }
                End::Unknown(error) => {
                    book(&account.unknown, 1);
                    delivery.result(&parcel, "unknown", Some(&error.message), Record::new())?;
                    let key = Json::Object(parcel.key.clone());
                    let message = format!("{key} was sent and its outcome is unknown; it is held: {}", error.message);
                    self.warn(delivery.node, message);
                    if delivery.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= UNANSWERED {
                        let message =
                            format!("{UNANSWERED} records in a row had no clear answer, the last: {}", error.message);
                        fail = Some(
                            Error::passing(message).help("the other system seems to be down; run again when it is up"),
                        );
                    }
                }
                End::Failed(_) | End::NotSent => {}
            }
        }
        self.reject(delivery.node, rejects)?;
        fail.map_or(Ok(()), Err)
    }
}

impl Round<'_> {
    fn is_halted(&self) -> bool {
        self.runner.cancel.is_cancelled() || self.failure.lock().is_ok_and(|failure| failure.is_some())
    }

    fn fail(&self, error: &Error) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert_with(|| error.clone());
        }
    }

    fn intend(&self, parcel: &Parcel) -> Written {
        self.delivery.desk.intend(Intent {
            key_hash: parcel.key_hash,
            key: Json::Object(parcel.key.clone()),
            payload_hash: parcel.payload_hash,
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
        let desk = &self.delivery.desk;
        let end = match self.take_turn(&parcel, announced).await {
            Ok(()) if self.is_halted() => End::NotSent,
            Ok(()) => self.send(&parcel).await,
            Err(end) => {
                self.note_failure(&end);
                return Sent { parcel, end, written: None };
            }
        };
        self.note_failure(&end);
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
        if !self.is_halted() {
            tokio::select! {
                () = self.delivery.pace.wait() => {}
                () = self.runner.cancel.cancelled() => {}
            }
        }
        if self.is_halted() {
            return Err(End::NotSent);
        }
        self.intend(parcel).wait().await.map_err(End::Failed)
    }

    fn note_failure(&self, end: &End) {
        if let End::Failed(error) = end {
            self.fail(error);
        }
    }

    /// Waits until what is known of a record is on disk: only then does it count.
    async fn confirm(&self, sent: Sent) -> (Parcel, End) {
        let Sent { parcel, end, written } = sent;
        let written = match written {
            Some(written) => written.wait().await,
            None => Ok(()),
        };
        let end = written.map_or_else(End::Failed, |()| end);
        self.note_failure(&end);
        (parcel, end)
    }

    /// One try, in a task of its own: the requests under way share all threads.
    async fn once(&self, payload: &Arc<Record>) -> Result<Answer> {
        let (operation, payload) = (self.delivery.operation.clone(), payload.clone());
        let begun = Instant::now();
        let sent = tokio::spawn(async move { operation.send(&payload).await }).await;
        self.delivery.answers.took(begun.elapsed());
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
                        () = delivery.pace.wait() => {}
                        () = self.runner.cancel.cancelled() => {
                            let error = crate::runner::interrupted();
                            return if maybe { End::Unknown(error) } else { End::Failed(error) };
                        }
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
