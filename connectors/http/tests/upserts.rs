//! Operations made of others, records found again, and records verified, against a small system with users.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use axum::Json as Body;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use support::{World, confirmed, defined, refusal};
use towpath_connector::{Effect, Verified};

/// Users, and the calls that were made.
#[derive(Default)]
struct Users {
    users: Vec<Json>,
    calls: Vec<String>,
    /// Searches find nothing.
    blind: bool,
    /// Statuses to answer with, by method and path, in the place of doing something.
    broken: HashMap<&'static str, u16>,
}

type System = Arc<Mutex<Users>>;

async fn search(State(system): State<System>, Query(query): Query<HashMap<String, String>>) -> (StatusCode, String) {
    let mut system = system.lock().unwrap();
    system.calls.push(format!("search {}", query["text"]));
    if let Some(status) = system.broken.get("search") {
        return (StatusCode::from_u16(*status).unwrap(), String::new());
    }
    let wanted = query["text"].to_lowercase();
    let fits = |user: &&Json| user["ref"].as_str().unwrap().to_lowercase().contains(&wanted);
    let found: Vec<&Json> = system.users.iter().filter(fits).filter(|_| !system.blind).collect();
    if found.is_empty() { (StatusCode::NO_CONTENT, String::new()) } else { (StatusCode::OK, json!(found).to_string()) }
}

async fn create(State(system): State<System>, Body(user): Body<Json>) -> (StatusCode, Body<Json>) {
    let mut system = system.lock().unwrap();
    system.calls.push(format!("create {user}"));
    if let Some(status) = system.broken.get("create") {
        return (StatusCode::from_u16(*status).unwrap(), Body(json!({"message": "not today"})));
    }
    if let Some(known) = system.users.iter().find(|known| known["email"] == user["email"] && !user["email"].is_null()) {
        return (StatusCode::ACCEPTED, Body(json!({"response": {"id": known["id"]}})));
    }
    let id = 100 + system.users.len();
    let mut made = user.clone();
    made["id"] = json!(id);
    made["made"] = json!("2026-03-01T10:00:00Z");
    system.users.push(made);
    (StatusCode::CREATED, Body(json!({"response": {"id": id}})))
}

async fn update(
    State(system): State<System>,
    Path(id): Path<i64>,
    Body(change): Body<Json>,
) -> (StatusCode, Body<Json>) {
    let mut system = system.lock().unwrap();
    system.calls.push(format!("update {id} {change}"));
    match system.users.iter_mut().find(|user| user["id"] == id) {
        Some(user) => {
            change.as_object().unwrap().iter().for_each(|(name, value)| user[name] = value.clone());
            (StatusCode::OK, Body(json!({"changed": change.as_object().unwrap().len()})))
        }
        None => (StatusCode::NOT_FOUND, Body(json!({"message": "no such user"}))),
    }
}

const DEFINITION: &str = r#"version: 1
connector: users
config: {base_url: {type: text, required: true}}
defaults: {error_message: $.message}
streams:
  users:
    request: {path: /users, query: {text: "{{ params.text }}"}}
    params: {text: {type: text, required: true}}
    absent: {status: 204}
    schema: {id: int, ref: text, email: text, name: text, made: {type: datetime}}
operations:
  create_user:
    kind: create
    request: {path: /users, body: record}
    fields: {ref: text, name: {type: text, required: true}, email: text}
    results: {id: {type: int, from: $.response.id}}
  create_blindly:
    kind: create
    request: {path: /users, body: record}
    fields: {ref: text, name: text}
    find_again: {stream: users, with: {text: "{{ record.ref }}"}, match: {ref: "{{ record.ref }}"}}
    results: {id: {type: int, from: $.found.id}, made: {from: $.found.made}, told: {type: int, from: $.response.id}}
    verify:
      stream: users
      with: {text: "{{ record.ref }}"}
      match: {ref: "{{ record.ref }}", made: "2026-03-02"}
      tolerance: {made: PT24H}
      results: {id: {type: int, from: $.id}}
  update_user:
    kind: update
    request: {method: PATCH, path: "/users/{{ record.id }}", body: {json: {name: "{{ record.name }}"}}}
    fields: {id: {type: int, required: true}, name: text}
    results: {changed: {type: int, from: $.changed}}
  save_user:
    kind: upsert
    upsert:
      find: {stream: users, with: {text: "{{ record.ref }}"}, match: {ref: "{{ record.ref }}"}}
      create: create_user
      update: {operation: update_user, with: {id: "{{ found.id }}"}}
      find_again: true
    fields: {ref: {type: text, required: true}, name: text, email: text}
    results:
      id: {type: int, from: $.found.id}
      made: {from: $.found.made}
      created: {type: int, from: $.created.id}
      changed: {type: int, from: $.updated.changed}
      action: {from: $.action}
  enrol:
    kind: upsert
    upsert:
      create: create_user
      update: {operation: update_user, with: {id: "{{ found.id }}"}}
      exists: {http_codes: [202]}
    fields: {ref: text, name: text, email: text}
    results: {found: {type: int, from: $.found.id}, made: {type: int, from: $.created.id}, action: {from: $.action}}
"#;

struct Stand {
    system: System,
    world: World,
}

impl Stand {
    async fn new() -> Self {
        let system = System::default();
        let app = Router::new()
            .route("/users", get(search))
            .route("/users", post(create))
            .route("/users/{id}", patch(update))
            .with_state(Arc::clone(&system));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { system, world: World::new(defined(DEFINITION), json!({"base_url": url})) }
    }

    fn with(self, users: &[Json]) -> Self {
        self.system.lock().unwrap().users = users.to_vec();
        self
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.system.lock().unwrap().calls)
    }

    fn broken(&self, call: &'static str, status: u16) {
        self.system.lock().unwrap().broken.insert(call, status);
    }
}

fn ada() -> Json {
    json!({"id": 7, "ref": "ada-l", "name": "Ada", "email": "ada@example.com"})
}

#[tokio::test]
async fn what_is_found_is_changed_and_the_exact_match_counts() {
    let near = json!({"id": 8, "ref": "ada-l2", "name": "Other", "email": null});
    let stand = Stand::new().await.with(&[near, ada()]);
    let fields = confirmed(stand.world.send("save_user", json!({"ref": "ada-l", "name": "Ada L"})).await);
    assert_eq!(fields, json!({"id": 7, "made": null, "created": null, "changed": 1, "action": "updated"}));
    assert_eq!(stand.calls(), ["search ada-l", r#"update 7 {"name":"Ada L"}"#]);
}

#[tokio::test]
async fn what_is_not_found_is_made_and_found_again() {
    let stand = Stand::new().await;
    let fields = confirmed(stand.world.send("save_user", json!({"ref": "bob-m", "name": "Bob"})).await);
    assert_eq!(
        fields,
        json!({"id": 100, "made": "2026-03-01T10:00:00+00:00", "created": 100, "changed": null, "action": "created"})
    );
    assert_eq!(stand.calls(), ["search bob-m", r#"create {"ref":"bob-m","name":"Bob"}"#, "search bob-m"]);
    // Sending it again does no harm, and that is what the definition is taken for.
    assert!(stand.world.operation("save_user").info().idempotent);
    assert!(!stand.world.operation("enrol").info().idempotent);
    let again = confirmed(stand.world.send("save_user", json!({"ref": "bob-m", "name": "Bob"})).await);
    assert_eq!((&again["id"], &again["action"]), (&json!(100), &json!("updated")));
}

#[tokio::test]
async fn several_that_fit_are_a_refusal_with_a_reason() {
    let twin = json!({"id": 9, "ref": "ada-l", "name": "Twin", "email": null});
    let stand = Stand::new().await.with(&[ada(), twin]);
    let message = refusal(stand.world.send("save_user", json!({"ref": "ada-l", "name": "Ada"})).await);
    assert!(message.contains("users finds 2") && message.contains("which one"), "{message}");
    assert_eq!(stand.calls(), ["search ada-l"], "nothing was written");
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_not_made() {
    let stand = Stand::new().await;
    let message = refusal(stand.world.send("save_user", json!({"ref": null, "name": "Nobody"})).await);
    assert!(message.contains("`ref`"), "{message}");
    assert_eq!(stand.calls(), Vec::<String>::new());
    let message = refusal(stand.world.send("save_user", json!({"ref": "x"})).await);
    assert!(message.contains("`name` is required"), "the step's own rules hold: {message}");
}

#[tokio::test]
async fn a_search_that_fails_leaves_no_doubt_and_makes_nothing() {
    let stand = Stand::new().await;
    stand.broken("search", 503);
    let error = stand.world.send("save_user", json!({"ref": "ada-l", "name": "Ada"})).await.unwrap_err();
    assert!(error.is_passing() && error.effect == Effect::None, "{error:?}");
    assert_eq!(stand.calls(), ["search ada-l"]);
}

#[tokio::test]
async fn a_step_that_is_turned_down_or_lost_is_how_the_whole_ends() {
    let stand = Stand::new().await;
    stand.broken("create", 422);
    assert_eq!(refusal(stand.world.send("save_user", json!({"ref": "a", "name": "A"})).await), "not today");
    stand.broken("create", 500);
    let error = stand.world.send("save_user", json!({"ref": "a", "name": "A"})).await.unwrap_err();
    assert_eq!(error.effect, Effect::Unknown, "{error}");
}

#[tokio::test]
async fn what_was_made_and_is_not_found_yet_is_tried_again_where_that_does_no_harm() {
    let stand = Stand::new().await;
    stand.system.lock().unwrap().blind = true;
    let error = stand.world.send("save_user", json!({"ref": "ada-l", "name": "Ada"})).await.unwrap_err();
    assert!(error.is_passing() && error.effect == Effect::Unknown, "{error:?}");
    // Elsewhere it stands that it was made.
    let fields = confirmed(stand.world.send("create_blindly", json!({"ref": "bob-m", "name": "Bob"})).await);
    assert_eq!(fields, json!({"id": null, "made": null, "told": 101}));
}

#[tokio::test]
async fn the_status_of_a_create_says_that_there_is_one_and_it_is_changed() {
    let stand = Stand::new().await.with(&[ada()]);
    let record = json!({"name": "Countess", "email": "ada@example.com"});
    let fields = confirmed(stand.world.send("enrol", record).await);
    assert_eq!(fields, json!({"found": 7, "made": null, "action": "updated"}));
    assert_eq!(stand.calls().last().unwrap(), r#"update 7 {"name":"Countess"}"#);
    assert_eq!(stand.system.lock().unwrap().users[0]["name"], "Countess");
    let fields = confirmed(stand.world.send("enrol", json!({"name": "Bob", "email": "bob@example.com"})).await);
    assert_eq!(fields, json!({"found": null, "made": 101, "action": "created"}));
}

#[tokio::test]
async fn any_status_can_say_that_there_is_one() {
    let stand = Stand::new().await.with(&[ada()]);
    let text = DEFINITION.replace("http_codes: [202]", "http_codes: [409, 403]");
    let world = World::new(
        defined(&text.replace("{{ found.id }}", "{{ record.ref }}")),
        Json::Object(stand.world.connect.settings.values().clone()),
    );
    for status in [409, 403] {
        stand.broken("create", status);
        let fields = confirmed(world.send("enrol", json!({"ref": "7", "name": "Countess"})).await);
        assert_eq!(fields["action"], "updated", "{status}");
    }
    stand.broken("create", 404);
    assert!(world.send("enrol", json!({"ref": "7", "name": "Countess"})).await.is_err());
}

#[tokio::test]
async fn a_write_that_returns_no_id_is_found_again() {
    let stand = Stand::new().await;
    let fields = confirmed(stand.world.send("create_blindly", json!({"ref": "ada-l", "name": "Ada"})).await);
    assert_eq!(fields, json!({"id": 100, "made": "2026-03-01T10:00:00+00:00", "told": 100}));
    assert_eq!(stand.calls().len(), 2);
}

#[tokio::test]
async fn times_match_however_they_are_written() {
    let stand = Stand::new().await.with(&[json!({"id": 3, "ref": "ada-l", "made": "2026-03-01T11:00:00+01:00"})]);
    let text =
        DEFINITION.replace("made: \"2026-03-02\"}\n      tolerance: {made: PT24H}", "made: \"2026-03-01T10:00:00Z\"}");
    assert_ne!(text, DEFINITION);
    let world = World::new(defined(&text), Json::Object(stand.world.connect.settings.values().clone()));
    let record = support::object(json!({"ref": "ada-l", "name": "Ada"}));
    let verified = world.operation("create_blindly").verify(&record).await.unwrap();
    assert_eq!(verified, Verified::Found { fields: support::object(json!({"id": 3})) });
}

#[tokio::test]
async fn a_record_is_verified_without_being_written() {
    let made = |id: i64, made: &str| json!({"id": id, "ref": "ada-l", "name": "Ada", "made": made});
    let record = support::object(json!({"ref": "ada-l", "name": "Ada"}));
    for (users, expected) in [
        (vec![], Verified::NotFound),
        (vec![made(1, "2026-02-27T00:00:00Z")], Verified::NotFound),
        (
            vec![made(1, "2026-02-27T00:00:00Z"), made(2, "2026-03-02T23:00:00Z")],
            Verified::Found { fields: support::object(json!({"id": 2})) },
        ),
        (vec![made(1, "2026-03-01T10:00:00Z"), made(2, "2026-03-02")], Verified::Ambiguous { candidates: 2 }),
    ] {
        let stand = Stand::new().await.with(&users);
        let operation = stand.world.operation("create_blindly");
        assert!(operation.info().verifies);
        assert_eq!(operation.verify(&record).await.unwrap(), expected, "{users:?}");
        assert_eq!(stand.calls(), ["search ada-l"]);
    }
    let stand = Stand::new().await;
    let error = stand.world.operation("create_user").verify(&record).await.unwrap_err();
    assert!(error.message.contains("how to verify"), "{error}");
}

#[tokio::test]
async fn overrides_of_the_steps_hold_and_those_of_the_whole_are_refused() {
    let stand = Stand::new().await.with(&[ada()]);
    let mut settings = stand.world.connect.settings.values().clone();
    settings.insert("overrides".to_owned(), json!({"update_user": {"path": "/elsewhere/{id}"}}));
    let world = World::new(defined(DEFINITION), Json::Object(settings.clone()));
    let error = world.send("save_user", json!({"ref": "ada-l", "name": "A"})).await.unwrap_err();
    assert!(error.message.contains("404"), "{error}");
    settings.insert("overrides".to_owned(), json!({"save_user": {"path": "/elsewhere"}}));
    let world = World::new(defined(DEFINITION), Json::Object(settings));
    let Err(error) = world.connector.reader(&world.connect) else { panic!("it makes no call of its own") };
    assert!(error.message.contains("made of other operations"), "{error}");
}
