//! PeopleFluent LMS, the four bulk reads of its Legacy API.
//!
//! Nothing is kept in memory but a few counters: documents are written while they are sent.

mod history;
mod page;
mod query;
mod selector;
mod users;
mod xml;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::{
    Options, PEOPLE_FLUENT, RestoreProblem, StandIn,
    seed::{Person, Record, Role, Seed},
};

const BASE_PATH: &str = "/ekp";
const SYSTEM_KEY: &str = "sandbox-system-key";
const SESSION_COOKIE: &str = "JSESSIONID";
const OPERATIONS: [&str; 4] = ["trainingHistoryXml", "completedTrainingRecordsXml", "users200510Xml", "user200510Xml"];
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
}

/// The stand-in as the seed invents it, or as [`StandIn::save`] left it.
pub(crate) fn stand_in(
    options: &Options,
    state: Option<Value>,
    port: u16,
) -> Result<(Arc<dyn StandIn>, Router), RestoreProblem> {
    let added = match state {
        None => 0,
        Some(state) => state["records_added"]
            .as_u64()
            .ok_or_else(|| RestoreProblem::Damaged("`records_added` is not a number of records".to_owned()))?,
    };
    let system = Arc::new(PeopleFluent {
        seed: options.seed.clone(),
        base_url: format!("http://127.0.0.1:{port}{BASE_PATH}"),
        added: AtomicU64::new(added),
        cookies_returned: AtomicU64::new(0),
        refused_logins: AtomicU64::new(0),
        bytes_sent: AtomicU64::new(0),
    });
    let path = |name: &str| format!("{BASE_PATH}/api/{name}");
    let [history, completed, all, one] = OPERATIONS;
    let routes = Router::new()
        .route(&path(history), get(history::all))
        .route(&path(completed), get(history::completed))
        .route(&path(all), get(users::all))
        .route(&path(one), get(users::one))
        .method_not_allowed_fallback(page::wrong_method)
        .fallback(page::unknown_path)
        .layer(middleware::from_fn_with_state(Arc::clone(&system), admit))
        .with_state(Arc::clone(&system));
    Ok((system, routes))
}

impl PeopleFluent {
    /// How many records the history holds now.
    fn records(&self) -> u64 {
        self.seed.records as u64 + self.added.load(Ordering::Relaxed)
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
        vec![("system_key", SYSTEM_KEY)]
    }

    fn operation(&self, path: &str) -> &'static str {
        let name = path.rsplit('/').next().unwrap_or_default();
        OPERATIONS.into_iter().find(|operation| *operation == name).unwrap_or("unknown")
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
        })
    }

    fn save(&self) -> Value {
        json!({"records_added": self.added.load(Ordering::Relaxed)})
    }

    fn reset(&self) {
        for counter in [&self.added, &self.cookies_returned, &self.refused_logins, &self.bytes_sent] {
            counter.store(0, Ordering::Relaxed);
        }
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

/// System authentication, and the trap for clients that keep cookies.
async fn admit(State(system): State<Arc<PeopleFluent>>, request: Request, next: Next) -> Response {
    if !knows_the_key(request.headers()) {
        system.refused_logins.fetch_add(1, Ordering::Relaxed);
        let mut response = page::error(StatusCode::UNAUTHORIZED, "This request requires HTTP authentication.");
        let challenge = HeaderValue::from_static("Basic realm=\"EKP\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    if returns_the_cookie(request.headers()) {
        system.cookies_returned.fetch_add(1, Ordering::Relaxed);
        let said = "A JSESSIONID cookie was sent back: it pins the session to the user of an earlier call.";
        return page::error(StatusCode::CONFLICT, said);
    }
    let mut response = next.run(request).await;
    let cookie = HeaderValue::from_static("JSESSIONID=5ANDB0X5E5510N; Path=/; HttpOnly");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// The user name is ignored, an empty one too.
fn knows_the_key(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let Some((scheme, encoded)) = value.split_once(' ') else {
        return false;
    };
    let decoded = BASE64.decode(encoded.trim().as_bytes()).unwrap_or_default();
    let password = decoded.iter().position(|byte| *byte == b':').map(|colon| &decoded[colon + 1..]);
    scheme.eq_ignore_ascii_case("basic") && password == Some(SYSTEM_KEY.as_bytes())
}

fn returns_the_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::COOKIE)
        .iter()
        .any(|cookies| cookies.as_bytes().windows(SESSION_COOKIE.len()).any(|part| part == SESSION_COOKIE.as_bytes()))
}
