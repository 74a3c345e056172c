//! Training records: those of the history as things, and how they are read one by one and by user.

use serde_json::{Value, json};

use super::{
    admission::ADMINISTRATOR,
    functions::Call,
    held::{Held, RECORDS, text},
    history::module_type,
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
    xml::timestamp,
};
use crate::seed::{Person, Record, Role, Seed, records_per_block};

/// A record of the history.
pub(super) fn value(seed: &Seed, record: &Record) -> Value {
    let date = |ms: Option<i64>| ms.map(|ms| timestamp(ms, record.offset_minutes));
    let scored = !record.roll.is_multiple_of(3) && record.is_completed();
    let score = 500 + record.roll / 3 % 501;
    json!({
        "@id": record.id(),
        "userId": Person::of(seed, record.person).user_id,
        "learningModule": {"id": record.module_id(), "title": record.title(seed), "type": module_type(record)},
        "enrollmentDate": date(record.enrolled),
        "startDate": date(record.started),
        "endDate": date(record.ended),
        "overallStatus": record.status,
        "score": scored.then(|| format!("{}.{}", score / 10, score % 10)),
        "lastAttemptDate": date(record.started.filter(|_| !record.roll.is_multiple_of(4))),
        "attemptCount": if record.roll.is_multiple_of(2) { 1 } else { 3 },
        "isSelfEnrolled": record.roll.is_multiple_of(7),
        "revision": record.roll.is_multiple_of(6).then_some(2),
        "downloadable": false,
        "requiredElectiveCredits": (record.role == Role::Programme).then_some("1.50"),
        "_parent": (record.role == Role::Nested).then(|| Record::of(seed, record.index / records_per_block() * records_per_block()).id()),
        "_updated": record.updated,
        "_older": record.role == Role::Older,
    })
}

/// The records of a person of the seed, the latest of each module.
pub(super) fn of_person(seed: &Seed, records: u64, person: u64) -> Vec<Value> {
    let people = seed.people.max(1);
    let blocks = (person..records.div_ceil(records_per_block())).step_by(people);
    let indices = blocks.flat_map(|block| {
        let first = block * records_per_block();
        first..(first + records_per_block()).min(records)
    });
    indices
        .map(|index| Record::of(seed, index))
        .filter(|record| record.role != Role::Older)
        .map(|record| value(seed, &record))
        .collect()
}

impl Call<'_> {
    pub(super) fn records_of(&self, user: &str) -> Vec<Value> {
        self.held.records_of(&self.system.seed, self.system.records(), user)
    }

    /// A record the caller may see: one of the user's, or any for the administrator.
    pub(super) fn record(&self, id: &str) -> Result<Value, Refused> {
        let found = self.held.record(&self.system.seed, self.system.records(), id);
        let seen = |record: &Value| self.caller == ADMINISTRATOR || text(record, "userId") == self.user;
        found.filter(seen).ok_or_else(|| refused(&format!("No such training record: {id}")))
    }

    /// A record of the user's own.
    pub(super) fn own_record(&self, id: &str) -> Result<Value, Refused> {
        let owns = |record: &Value| text(record, "userId") == self.user;
        self.record(id).ok().filter(owns).ok_or_else(|| refused(&format!("No such enrollment of {}: {id}", self.user)))
    }
}

/// Keeps a record that was made or changed, dated now.
pub(super) fn keep(held: &mut Held, mut record: Value) -> Value {
    record["_updated"] = held.moment().into();
    let id = text(&record, "@id").to_owned();
    held.put(RECORDS, &id, record.clone());
    record
}

pub(super) fn records(call: &mut Call<'_>) -> Answer {
    let all = call.records_of(call.user);
    let nested =
        |id: &str| -> Vec<Value> { all.iter().filter(|record| text(record, "_parent") == id).cloned().collect() };
    let top = all.iter().filter(|record| record["_parent"].is_null()).cloned();
    let top: Vec<Value> = top
        .map(|mut record| {
            record["trainingRecord"] = nested(text(&record, "@id")).into();
            record
        })
        .collect();
    let created = timestamp(call.held.moment(), 0);
    Ok(Reply::One("trainingHistory", json!({"dateCreated": created, "trainingRecord": top})))
}

pub(super) fn record(call: &mut Call<'_>) -> Answer {
    Ok(Reply::One("trainingRecord", call.record(call.given.text("id"))?))
}

/// Whether work on it is not over.
pub(super) fn is_active(record: &Value) -> bool {
    matches!(text(record, "overallStatus"), "enrolled" | "incomplete")
}

pub(super) fn active(call: &mut Call<'_>) -> Answer {
    let active = call.records_of(call.user).into_iter().filter(is_active).collect();
    Ok(Reply::Many("enrollments", "enrollment", active))
}
