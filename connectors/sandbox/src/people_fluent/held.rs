//! What this LMS holds beside the history and the persons, which are computed: shelves of things by their id.
//!
//! A thing is kept in the form it is answered in. Members whose name starts with `_` are never answered; `@` marks what
//! is an attribute in XML. What is changed of the computed records and persons lies on a shelf, too, and wins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{start, training};
use crate::seed::{HISTORY_END_MS, Person, Record, Seed};

/// Persons that were made or changed; null where one was deleted.
pub(super) const USERS: &str = "users";
/// Training records that were made or changed.
pub(super) const RECORDS: &str = "training_records";

/// One kind of things by id.
pub(super) type Shelf = BTreeMap<String, Value>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    /// Counts what was made and changed; ids and times come from it.
    turn: u64,
    shelves: BTreeMap<String, Shelf>,
}

impl Held {
    pub(super) fn of(seed: &Seed) -> Self {
        let mut held = Self { turn: 0, shelves: BTreeMap::new() };
        start::fill(&mut held, seed);
        held
    }

    /// Everything, for the books.
    pub(super) fn books(&self) -> Value {
        json!(self.shelves)
    }

    pub(super) fn shelf(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.shelves.get(name).into_iter().flat_map(BTreeMap::values).filter(|thing| !thing.is_null())
    }

    /// A copy of a shelf, for documents that are written while they are sent.
    pub(super) fn copy(&self, name: &str) -> Shelf {
        self.shelves.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn get(&self, shelf: &str, id: &str) -> Option<&Value> {
        self.shelves.get(shelf)?.get(id)
    }

    pub(super) fn get_mut(&mut self, shelf: &str, id: &str) -> Option<&mut Value> {
        self.shelves.get_mut(shelf)?.get_mut(id)
    }

    pub(super) fn put(&mut self, shelf: &str, id: &str, thing: Value) {
        self.turn += 1;
        self.shelves.entry(shelf.to_owned()).or_default().insert(id.to_owned(), thing);
    }

    pub(super) fn remove(&mut self, shelf: &str, id: &str) -> Option<Value> {
        self.shelves.get_mut(shelf)?.remove(id)
    }

    /// An id nothing has yet.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.turn += 1;
        format!("{prefix}{:06}", self.turn)
    }

    /// The time here, in milliseconds since 1970: a minute later with each change, and after all of the history.
    pub(super) fn moment(&self) -> i64 {
        HISTORY_END_MS + self.turn as i64 * 60_000
    }

    /// A person's account, in any capital letters of the id.
    pub(super) fn user(&self, seed: &Seed, id: &str) -> Option<Value> {
        let id = id.to_lowercase();
        match self.get(USERS, &id) {
            Some(Value::Null) => None,
            Some(user) => Some(user.clone()),
            None => Person::named(seed, &id).map(|person| start::account(seed, &person)),
        }
    }

    /// Every account: those of the seed in their order, then those made since.
    pub(super) fn users<'a>(&'a self, seed: &'a Seed) -> impl Iterator<Item = Value> + 'a {
        let seeded = (0..seed.people as u64).filter_map(|number| {
            let person = Person::of(seed, number);
            match self.get(USERS, &person.user_id) {
                Some(changed) => Some(changed.clone()).filter(|user| !user.is_null()),
                None => Some(start::account(seed, &person)),
            }
        });
        let made = self.shelf(USERS).filter(|user| Person::named(seed, text(user, "id")).is_none());
        seeded.chain(made.cloned())
    }

    /// A training record by its id, whosever it is.
    pub(super) fn record(&self, seed: &Seed, records: u64, id: &str) -> Option<Value> {
        if let Some(record) = self.get(RECORDS, id) {
            return Some(record.clone());
        }
        let index: u64 = id.strip_prefix("TR")?.parse().ok().filter(|index| *index < records)?;
        Some(training::value(seed, &Record::of(seed, index))).filter(|record| text(record, "@id") == id)
    }

    /// The training records of a person, nested ones beside their programmes.
    pub(super) fn records_of(&self, seed: &Seed, records: u64, user: &str) -> Vec<Value> {
        let seeded = Person::named(seed, user).map(|person| training::of_person(seed, records, person.number));
        let seeded = seeded.unwrap_or_default();
        let made = self.shelf(RECORDS).filter(|record| text(record, "userId") == user);
        let unchanged = seeded.into_iter().filter(|record| self.get(RECORDS, text(record, "@id")).is_none());
        unchanged.chain(made.cloned()).collect()
    }
}

/// A member that is a text; empty when it is not there.
pub(super) fn text<'a>(thing: &'a Value, name: &str) -> &'a str {
    thing[name].as_str().unwrap_or_default()
}
