//! PeopleFluent LMS: the functions and content handlers of its Legacy API.
//!
//! The history and its persons are computed and their bulk documents written while they are sent, so a history of any
//! size needs no memory. All else, and what is changed, is held (see [`held`]): what is enrolled, added, updated or
//! deleted is found so by later calls.

mod admission;
mod career;
mod catalogue;
mod community;
mod enrolment;
mod exams;
mod external;
mod files;
mod functions;
mod given;
mod groups;
mod held;
mod history;
mod loaders;
mod news;
mod organisations;
mod packages;
mod page;
mod people;
mod query;
mod reply;
mod reports;
mod requests;
mod resources;
mod selector;
mod start;
mod training;
mod users;
mod xml;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
};
use serde_json::{Value, json};

use self::held::Held;
use crate::{
    Options, PEOPLE_FLUENT, RestoreProblem, StandIn,
    gate::MOST_BODY_BYTES,
    seed::{Person, Record, Role, Seed},
};

const BASE_PATH: &str = "/ekp";
const BULK_READS: [&str; 4] = ["trainingHistoryXml", "completedTrainingRecordsXml", "users200510Xml", "user200510Xml"];
/// The books list persons and records one by one up to this many; beyond, only their number.
const MOST_LISTED: u64 = 2000;

/// The stand-in's whole state.
pub(crate) struct PeopleFluent {
    seed: Seed,
    base_url: String,
    added: AtomicU64,
    cookies_returned: AtomicU64,
    refused_logins: AtomicU64,
    bytes_sent: AtomicU64,
    held: Mutex<Held>,
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    port: u16,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let (added, held) = restored(&options.seed, state)?;
    let system = Arc::new(PeopleFluent {
        seed: options.seed.clone(),
        base_url: format!("http://127.0.0.1:{port}{BASE_PATH}"),
        added: AtomicU64::new(added),
        cookies_returned: AtomicU64::new(0),
        refused_logins: AtomicU64::new(0),
        bytes_sent: AtomicU64::new(0),
        held: Mutex::new(held),
    });
    let path = |name: &str| format!("{BASE_PATH}/api/{name}");
    let [history, completed, all, one] = BULK_READS;
    let routes = Router::new()
        .route(&path(history), get(history::all))
        .route(&path(completed), get(history::completed))
        .route(&path(all), get(users::all))
        .route(&path(one), get(users::one))
        .route(&path("{function}"), any(functions::call))
        .route(&format!("{BASE_PATH}/contentHandler/{{handler}}"), post(functions::handle))
        .method_not_allowed_fallback(page::wrong_method)
        .fallback(page::unknown_path)
        .layer(middleware::from_fn_with_state(Arc::clone(&system), admission::admit))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(Arc::clone(&system));
    Ok((system, routes))
}

/// How many records were added, and what is held.
fn restored(seed: &Seed, state: Option<Value>) -> Result<(u64, Held), RestoreProblem> {
    let Some(mut state) = state else {
        return Ok((0, Held::of(seed)));
    };
    let damaged = |what: String| RestoreProblem::Damaged(what);
    let added = state["records_added"].as_u64();
    let added = added.ok_or_else(|| damaged("`records_added` is not a number of records".to_owned()))?;
    let held = match state["held"].take() {
        Value::Null => Held::of(seed),
        held => serde_json::from_value(held).map_err(|error| damaged(error.to_string()))?,
    };
    Ok((added, held))
}

impl PeopleFluent {
    /// How many records the history holds now.
    fn records(&self) -> u64 {
        self.seed.records as u64 + self.added.load(Ordering::Relaxed)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StandIn for PeopleFluent {
    fn name(&self) -> &'static str {
        PEOPLE_FLUENT
    }

    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("system_key", admission::SYSTEM_KEY),
            ("lms_user", admission::ADMINISTRATOR),
            ("lms_password", admission::ADMINISTRATOR_PASSWORD),
        ]
    }

    fn operation(&self, path: &str) -> &'static str {
        let name = path.rsplit('/').next().unwrap_or_default();
        let bulk = BULK_READS.into_iter().find(|read| *read == name);
        bulk.or_else(|| functions::named(path)).unwrap_or("unknown")
    }

    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn books(&self) -> Value {
        let people = self.seed.people as u64;
        let users: Vec<Value> =
            (0..people.min(MOST_LISTED)).map(|number| person(&Person::of(&self.seed, number))).collect();
        let records: Vec<Value> = match self.records() {
            count if count <= MOST_LISTED => (0..count).map(|index| record(&self.seed, index)).collect(),
            _ => Vec::new(),
        };
        json!({
            "system": PEOPLE_FLUENT,
            "people": people,
            "records": self.records(),
            "cookies_returned": self.cookies_returned.load(Ordering::Relaxed),
            "refused_logins": self.refused_logins.load(Ordering::Relaxed),
            "bytes_sent": self.bytes_sent.load(Ordering::Relaxed),
            "users": users,
            "history": records,
            "held": self.held().books(),
        })
    }

    fn save(&self) -> Value {
        let mut saved = json!({"records_added": self.added.load(Ordering::Relaxed)});
        let held = self.held();
        if *held != Held::of(&self.seed) {
            // Fails for maps whose keys are not texts and for types that refuse; there are none.
            saved["held"] = serde_json::to_value(&*held).unwrap_or_default();
        }
        saved
    }

    fn reset(&self) {
        for counter in [&self.added, &self.cookies_returned, &self.refused_logins, &self.bytes_sent] {
            counter.store(0, Ordering::Relaxed);
        }
        *self.held() = Held::of(&self.seed);
    }

    fn add_records(&self, count: u64) -> bool {
        self.added.fetch_add(count, Ordering::Relaxed);
        true
    }
}

fn person(person: &Person) -> Value {
    json!({
        "id": person.user_id,
        "organization": person.organisation,
        "status": person.status,
        "in_human_focus": person.in_human_focus,
    })
}

fn record(seed: &Seed, index: u64) -> Value {
    let record = Record::of(seed, index);
    json!({
        "id": record.id(),
        "user_id": Person::of(seed, record.person).user_id,
        "title": record.title(seed),
        "module_id": record.module_id(),
        "status": record.status,
        "ended": record.ended.map(|ms| xml::timestamp(ms, 0)),
        "older": record.role == Role::Older,
    })
}
