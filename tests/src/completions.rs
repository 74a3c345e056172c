//! What the main job has to deliver, and what was delivered.

use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeMap;
use towpath_sandbox::Seed;

/// One completion at Human Focus: person, title, date. Whole, so that a difference shows what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// The person in small letters.
    pub person: String,
    /// The title of the training.
    pub title: String,
    /// The completion date as Human Focus holds it: UTC, with its milliseconds.
    pub completed: String,
}

/// What the history of a seed gives: completed, dated, of people Human Focus knows, and not an older attempt.
pub fn deliverable(seed: &Seed) -> Vec<Delivery> {
    let mut all: Vec<Delivery> = seed
        .completions()
        .filter(|completion| completion.known && !completion.older)
        .map(|completion| Delivery {
            person: completion.user_id,
            title: completion.title,
            completed: utc(completion.completed_at_ms),
        })
        .collect();
    all.sort();
    all
}

/// The same from the books of PeopleFluent, which also hold the records that were added to the history.
pub fn deliverable_of_books(books: &Value) -> Vec<Delivery> {
    let known: BTreeMap<&str, bool> = list(books, "users")
        .iter()
        .map(|user| (text(user, "id"), user["in_human_focus"].as_bool().expect("in_human_focus")))
        .collect();
    let mut all: Vec<Delivery> = list(books, "history")
        .iter()
        .filter(|record| record["status"] == "completed" && record["older"] == false && record["ended"].is_string())
        .filter(|record| known[text(record, "user_id")])
        .map(|record| {
            let ended = DateTime::parse_from_rfc3339(text(record, "ended")).expect("a timestamp");
            Delivery {
                person: text(record, "user_id").to_lowercase(),
                title: text(record, "title").to_owned(),
                completed: utc(ended.timestamp_millis()),
            }
        })
        .collect();
    all.sort();
    all
}

/// What the books of Human Focus hold.
pub fn uploads(books: &Value) -> Vec<Delivery> {
    let mut all: Vec<Delivery> = list(books, "uploads")
        .iter()
        .map(|upload| Delivery {
            person: text(upload, "PersonIdentifier").to_lowercase(),
            title: text(upload, "TrainingTitle").to_owned(),
            completed: text(upload, "CompletionDate").to_owned(),
        })
        .collect();
    all.sort();
    all
}

/// What is missing, and what is there too often or without a reason. Both are empty when all is well.
pub fn difference(expected: &[Delivery], found: &[Delivery]) -> (Vec<Delivery>, Vec<Delivery>) {
    let mut counts: BTreeMap<&Delivery, i64> = BTreeMap::new();
    for delivery in expected {
        *counts.entry(delivery).or_default() += 1;
    }
    for delivery in found {
        *counts.entry(delivery).or_default() -= 1;
    }
    let of = |wanted: fn(i64) -> bool| -> Vec<Delivery> {
        counts.iter().filter(|(_, count)| wanted(**count)).map(|(delivery, _)| (*delivery).clone()).collect()
    };
    (of(|count| count > 0), of(|count| count < 0))
}

/// Whole seconds, as PeopleFluent writes its dates.
fn utc(millis: i64) -> String {
    let moment = DateTime::from_timestamp(millis.div_euclid(1000), 0).expect("a time of our age");
    moment.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn list<'a>(books: &'a Value, name: &str) -> &'a [Value] {
    books[name].as_array().unwrap_or_else(|| panic!("the books hold no {name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text in {value}"))
}
