//! The other system of a simulation: its books, and the calls that are under way to it.
//!
//! A call takes effect at one moment and is answered at a later one, unless its fate is another: it may be turned away, its
//! effect or its answer may be lost. When the caller dies, a call that has not yet taken effect does so or not.

use crate::schedule::Schedule;
use fastrand::Rng;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use towpath_connector::{Answer, Effect, Error, Fault, Record, Result, Verified};
use towpath_run::Clock;

/// What was done for good: how often for each record, by its id.
pub type Books = BTreeMap<i64, usize>;

/// How a system behaves, for a whole trial.
#[derive(Debug, Clone, Copy)]
pub struct Temper {
    /// One of so many calls goes wrong.
    pub trouble: Option<u8>,
    /// How long half a call takes, at the most.
    pub slowness: Duration,
    /// It says that it has done what was lost.
    pub lies: bool,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    TurnedAway,
    Forbidden,
    EffectLost,
    AnswerLost,
}

/// The other system.
pub struct System {
    schedule: Arc<Schedule>,
    temper: Temper,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    books: Books,
    under_way: BTreeMap<usize, Vec<i64>>,
    calls: usize,
    /// Calls that may still go wrong: trouble comes to an end.
    troubles: usize,
}

impl System {
    /// A system with these books, that goes wrong so often at the most.
    pub fn new(schedule: Arc<Schedule>, temper: Temper, books: Books, troubles: usize) -> Self {
        Self { schedule, temper, inner: Mutex::new(Inner { books, troubles, ..Inner::default() }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in the books.
    pub fn books(&self) -> Books {
        self.inner().books.clone()
    }

    /// What is in the books after all, if whoever called dies now.
    pub fn books_after_death(&self) -> Books {
        let inner = self.inner();
        let mut books = inner.books.clone();
        for ids in inner.under_way.values() {
            if self.schedule.choose(Rng::bool) {
                enter(&mut books, ids);
            }
        }
        books
    }

    /// How often it may still go wrong.
    pub fn troubles(&self) -> usize {
        self.inner().troubles
    }

    /// Waits for as long as half a call takes.
    pub async fn take_time(&self) {
        let most = u64::try_from(self.temper.slowness.as_micros()).unwrap_or(u64::MAX).max(1);
        let time = Duration::from_micros(self.schedule.choose(|choices| choices.u64(1..=most)));
        self.schedule.sleep(time).await;
    }

    /// Whether something goes wrong now.
    pub fn is_in_trouble(&self) -> bool {
        let Some(trouble) = self.temper.trouble else { return false };
        let mut inner = self.inner();
        let wrong = inner.troubles > 0 && self.schedule.choose(|choices| choices.u8(..trouble)) == 0;
        inner.troubles -= usize::from(wrong);
        wrong
    }

    fn fate(&self) -> Fate {
        if !self.is_in_trouble() {
            return Fate::Done;
        }
        const WRONG: [Fate; 7] = [
            Fate::TurnedAway,
            Fate::TurnedAway,
            Fate::EffectLost,
            Fate::EffectLost,
            Fate::AnswerLost,
            Fate::AnswerLost,
            Fate::Forbidden,
        ];
        WRONG[self.schedule.choose(|choices| choices.usize(..WRONG.len()))]
    }

    /// A call that writes records, which all come to the same end but for those that are refused.
    pub async fn write(&self, records: &[Record]) -> Vec<Result<Answer>> {
        let ids: Vec<i64> = records.iter().map(id).collect();
        let fate = self.fate();
        let call = {
            let mut inner = self.inner();
            inner.calls += 1;
            let call = inner.calls;
            if matches!(fate, Fate::Done | Fate::AnswerLost) {
                inner.under_way.insert(call, ids.iter().copied().filter(|id| !is_refused(*id)).collect());
            }
            call
        };
        self.schedule.event(&format!("call {call} {ids:?} {fate:?}"));
        self.take_time().await;
        self.take_effect(call);
        self.take_time().await;
        self.schedule.event(&format!("answer {call}"));
        let told = if self.temper.lies && fate == Fate::EffectLost { Fate::Done } else { fate };
        ids.iter().map(|id| answer(*id, told)).collect()
    }

    fn take_effect(&self, call: usize) {
        let mut inner = self.inner();
        let ids = inner.under_way.remove(&call).unwrap_or_default();
        enter(&mut inner.books, &ids);
        drop(inner);
        self.schedule.event(&format!("effect {call}"));
    }

    /// Looks a record up.
    pub async fn verify(&self, record: &Record) -> Result<Verified> {
        let id = id(record);
        self.take_time().await;
        if self.is_in_trouble() {
            self.schedule.event(&format!("verify {id}: busy"));
            return Err(Error::passing("busy"));
        }
        let there = self.inner().books.contains_key(&id);
        self.schedule.event(&format!("verify {id}: {there}"));
        Ok(if there { Verified::Found { fields: Record::new() } } else { Verified::NotFound })
    }
}

fn enter(books: &mut Books, ids: &[i64]) {
    for id in ids {
        *books.entry(*id).or_default() += 1;
    }
}

fn answer(id: i64, fate: Fate) -> Result<Answer> {
    match fate {
        Fate::Done if is_refused(id) => Ok(Answer::Refused { message: "not today".to_owned() }),
        Fate::Done => Ok(Answer::Confirmed { fields: [("number".to_owned(), json!(id))].into_iter().collect() }),
        Fate::TurnedAway => Err(Error::passing("busy")),
        Fate::Forbidden => Err(Error::new(Fault::User, "forbidden")),
        Fate::EffectLost | Fate::AnswerLost => Err(Error::passing("the connection was cut").effect(Effect::Unknown)),
    }
}

/// The id of a record.
pub fn id(record: &Record) -> i64 {
    record.get("id").and_then(serde_json::Value::as_i64).unwrap_or(-1)
}

/// Whether the system takes no record of this id.
pub fn is_refused(id: i64) -> bool {
    id % 7 == 0
}
