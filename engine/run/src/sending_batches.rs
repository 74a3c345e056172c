//! Batches on their way: the intents of all records of a call are on disk before it is made, and each record gets a receipt
//! of its own after it.
//!
//! Nothing is written ahead: after a crash the records of the batches under way are in doubt, and no others. A batch of
//! unclear outcome puts each of its records in doubt.

use crate::records::Parcel;
use crate::runner::{Runner, interrupted};
use crate::sending::{End, Ended, Round, Sent};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use towpath_connector::{Answer, Effect, Error, Record, Result, Retry, boundary};

/// A batch while it is sent.
struct Tries {
    ends: Vec<Option<End>>,
    /// What any of the tries may have done counts, not only the last one's.
    maybe: Vec<bool>,
    calls: usize,
}

impl Runner {
    /// Sends records in batches. When it returns, what became of each is on disk.
    pub(crate) async fn send_in_batches(&self, round: &Round<'_>, parcels: Vec<Parcel>) -> Result<()> {
        let sink = round.delivery.sink;
        let mut batches = Vec::with_capacity(parcels.len().div_ceil(sink.batch));
        let mut parcels = parcels.into_iter().peekable();
        while parcels.peek().is_some() {
            batches.push(parcels.by_ref().take(sink.batch).collect::<Vec<_>>());
        }
        let mut confirmed = stream::iter(batches)
            .map(|batch| async move {
                let (sent, calls) = round.dispatch_batch(batch).await;
                // A place is free only when the receipts are on disk: next to a whole batch that costs nothing.
                round.confirm_batch(sent, calls).await
            })
            .buffer_unordered(sink.concurrency);
        while let Some(ends) = confirmed.next().await {
            round.settle(ends);
        }
        drop(confirmed);
        round.over()
    }
}

impl Round<'_> {
    /// Sends a batch once the intents of all its records are on disk, and hands their receipts in; with it goes how many
    /// calls that took.
    async fn dispatch_batch(&self, parcels: Vec<Parcel>) -> (Vec<Sent>, usize) {
        let unannounced = |parcel, end| Sent { parcel, end, written: None };
        if !self.is_my_turn().await {
            return (parcels.into_iter().map(|parcel| unannounced(parcel, End::NotSent)).collect(), 0);
        }
        let written: Vec<_> = parcels.iter().map(|parcel| self.intend(parcel)).collect();
        let written = join_all(written.into_iter().map(|written| written.wait())).await;
        if let Some(error) = written.iter().find_map(|written| written.as_ref().err()).cloned() {
            let sent = parcels.into_iter().zip(written).map(|(parcel, written)| match written {
                Ok(()) => self.receipt(parcel, End::Failed(error.clone())),
                Err(error) => {
                    let end = End::Failed(error);
                    self.note_failure(&end);
                    unannounced(parcel, end)
                }
            });
            return (sent.collect(), 0);
        }
        if self.is_halted() {
            return (parcels.into_iter().map(|parcel| self.receipt(parcel, End::NotSent)).collect(), 0);
        }
        let (ends, calls) = self.try_batch(&parcels).await;
        (parcels.into_iter().zip(ends).map(|(parcel, end)| self.receipt(parcel, end)).collect(), calls)
    }

    async fn confirm_batch(&self, sent: Vec<Sent>, calls: usize) -> Vec<Ended> {
        let mut ends = join_all(sent.into_iter().map(|sent| self.confirm(sent))).await;
        for (at, ended) in ends.iter_mut().enumerate() {
            ended.calls = if at == 0 { calls } else { 0 };
        }
        ends
    }

    /// Sends a batch, and what failed of it for a passing reason again.
    async fn try_batch(&self, parcels: &[Parcel]) -> (Vec<End>, usize) {
        let mut tries =
            Tries { ends: parcels.iter().map(|_| None).collect(), maybe: vec![false; parcels.len()], calls: 0 };
        let mut failed = 0;
        while let Some(error) = self.try_open(parcels, &mut tries).await {
            failed += 1;
            let mut stopped = self.runner.wait_or_fail(self.delivery.node, error, failed).await.err();
            if stopped.is_none() {
                tokio::select! {
                    biased;
                    () = self.runner.cancel.cancelled() => stopped = Some(interrupted()),
                    () = self.delivery.pace.wait() => {}
                }
            }
            if let Some(error) = stopped {
                tries.give_up(&error);
                break;
            }
        }
        let calls = tries.calls;
        (tries.ends.into_iter().map(|end| end.unwrap_or(End::NotSent)).collect(), calls)
    }

    /// One try of the records that have no end yet; the first passing error, if some have none after it.
    async fn try_open(&self, parcels: &[Parcel], tries: &mut Tries) -> Option<Error> {
        let open: Vec<usize> = (0..parcels.len()).filter(|at| tries.ends[*at].is_none()).collect();
        tries.calls += 1;
        let records: Vec<Record> = open.iter().map(|at| (*parcels[*at].payload).clone()).collect();
        let operation = self.delivery.operation.clone();
        boundary("before-send");
        let answers = tokio::spawn(async move { operation.send_batch(&records).await }).await;
        boundary("after-answer");
        let mut answers = answers.unwrap_or_default();
        if answers.len() != open.len() {
            let lost = || Err(Error::bug("not every record of a batch has an outcome").effect(Effect::Unknown));
            answers = open.iter().map(|_| lost()).collect();
        }
        let mut passing = None;
        for (at, answer) in open.into_iter().zip(answers) {
            match answer {
                Ok(Answer::Confirmed { fields }) => tries.ends[at] = Some(End::Delivered(fields)),
                Ok(Answer::Refused { message }) => tries.ends[at] = Some(End::Refused(message)),
                Err(error) => {
                    tries.maybe[at] |= error.effect == Effect::Unknown;
                    let held = tries.maybe[at] && !self.delivery.operation.info().idempotent;
                    if held || error.retry == Retry::No {
                        tries.end(at, error);
                    } else {
                        passing.get_or_insert(error);
                    }
                }
            }
        }
        passing
    }
}

impl Tries {
    fn end(&mut self, at: usize, error: Error) {
        self.ends[at] = Some(if self.maybe[at] { End::Unknown(error) } else { End::Failed(error) });
    }

    /// Ends what is open.
    fn give_up(&mut self, error: &Error) {
        for at in 0..self.ends.len() {
            if self.ends[at].is_none() {
                self.end(at, error.clone());
            }
        }
    }
}
