//! Enabley, as its API's documentation describes it.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use towpath_sandbox::{Options, System, start};

use crate::client::{answer, setting};

struct Enabley {
    system: System,
    client: Client,
    token: String,
}

async fn ask_token(system: &System, key: &str, secret: &str) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}/api/v1/token", system.url()));
    answer(request.query(&[("clientKey", key), ("secret", secret)]).send().await.unwrap()).await
}

impl Enabley {
    async fn start(options: Options) -> Self {
        let system = start("enabley", options).await.unwrap();
        let (status, body) = ask_token(&system, &setting(&system, "client_key"), &setting(&system, "secret")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["token_type"], "bearer");
        let token = body["access_token"].as_str().unwrap().to_owned();
        Self { system, client: Client::new(), token }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.system.url())).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// The status of a write that says nothing.
    async fn write(&self, method: Method, path: &str, body: Option<Value>) -> u16 {
        let (status, body) = self.ask(method, path, body).await;
        assert_eq!(body, Value::Null, "{path}");
        status.as_u16()
    }

    /// The status and the word of a refusal.
    async fn refusal(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let (status, body) = self.ask(method, path, body).await;
        assert!(body["error_description"].is_string(), "{path}: {body}");
        (status.as_u16(), body["error"].as_str().unwrap().to_owned())
    }

    /// Every item of a list by pages, and the number of pages.
    async fn paged(&self, path: &str) -> (Vec<Value>, u64) {
        let (mut items, mut pages, mut key) = (Vec::new(), 0, String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}paginationKey={key}")).await;
            pages += 1;
            assert_eq!(page["currentPage"], pages);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["paginationKey"].as_str() {
                Some(next) => key = next.to_owned(),
                None => {
                    assert_eq!(page["totalPages"], pages);
                    return (items, pages);
                }
            }
        }
    }
}

fn refused(word: &str) -> (u16, String) {
    (400, word.to_owned())
}

const USERS: &str = "/api/v2/users";

#[tokio::test]
async fn tokens_live_for_milliseconds_and_are_asked_for_in_the_query() {
    let options = Options { token_lifetime: Duration::from_millis(86_399_250), ..Options::default() };
    let enabley = Enabley::start(options).await;
    let (key, secret) = (setting(&enabley.system, "client_key"), setting(&enabley.system, "secret"));
    let (_, told) = ask_token(&enabley.system, &key, &secret).await;
    assert_eq!(told["expires_in"], 86_399_250);
    let (status, wrong) = ask_token(&enabley.system, &key, "guess").await;
    assert_eq!((status.as_u16(), &wrong["error"]), (400, &json!("invalid_client")));

    assert!(enabley.system.revoke_tokens());
    let (status, body) = enabley.ask(Method::GET, "/api/v1/groups/hierarchy", None).await;
    assert_eq!((status.as_u16(), &body["error_description"]), (401, &json!("Invalid JWT token")));
    assert_eq!(enabley.system.books()["tokens"]["refused_tokens"], 1);
    assert_eq!(enabley.system.books()["tokens"]["refused_logins"], 1);
}

#[tokio::test]
async fn pages_hold_all_and_a_key_of_anything_else_is_unknown() {
    let enabley = Enabley::start(Options::default()).await;
    let (users, pages) = enabley.paged("/api/v3/users").await;
    // The people of the seed, and two without an identifier.
    assert_eq!((users.len(), pages), (26, 3));
    assert_eq!(users.iter().filter(|user| user["identifier"].is_null()).count(), 2);
    assert_eq!(enabley.get(&format!("{USERS}?start=0&limit=200")).await, json!(users));
    assert_eq!(enabley.get(&format!("{USERS}?start=24&limit=5")).await.as_array().unwrap().len(), 2);
    assert_eq!(enabley.refusal(Method::GET, &format!("{USERS}?limit=201"), None).await, refused("invalid_request"));

    let key = enabley.get("/api/v3/users").await["paginationKey"].as_str().unwrap().to_owned();
    let again = enabley.get(&format!("/api/v3/users?paginationKey={key}")).await;
    assert_eq!(again, enabley.get(&format!("/api/v3/users?paginationKey={key}")).await, "a key can be used again");
    for path in [
        "/api/v3/users?paginationKey=nonsense",
        "/api/v3/channels?paginationKey=KEY",
        "/api/v3/users?identifier=x&paginationKey=KEY",
    ] {
        let refusal = enabley.refusal(Method::GET, &path.replace("KEY", &key), None).await;
        assert_eq!(refusal, (404, "not_found".to_owned()), "{path}");
    }
    let north = enabley.paged("/api/v3/users?subAccountName=Acme%20North&emailSubstring=PERSON").await.0;
    assert!(!north.is_empty() && north.iter().all(|user| user["userSubAccountNames"] == json!(["Acme North"])));
    assert_eq!(enabley.paged("/api/v3/channels").await.1, 2);
    assert_eq!(enabley.paged("/api/v3/channels/masters?onlyPublished=true").await.0.len(), 8);
    assert_eq!(enabley.get("/api/v2/channels/channels/masters").await.as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_user_is_made_changed_renamed_and_removed() {
    let enabley = Enabley::start(Options::default()).await;
    let user = json!({"identifier": "ü/1", "firstName": "Ada", "subAccountName": "Acme South", "password": "p", "possibleRoles": ["INSTRUCTOR"]});
    assert_eq!(enabley.write(Method::PUT, USERS, Some(user)).await, 201);
    assert_eq!(enabley.write(Method::PUT, USERS, Some(json!({"identifier": "ü/1", "lastName": "L"}))).await, 200);
    let path = "/api/v2/users/%C3%BC%2F1";
    let shown = enabley.get(path).await;
    assert_eq!(
        (&shown["firstName"], &shown["lastName"], &shown["isActive"]),
        (&json!("Ada"), &json!("L"), &json!(true))
    );
    assert_eq!(shown["username"], "ü/1");
    assert!(shown.get("password").is_none());
    for (wrong, word) in [
        (json!({"identifier": "ü/1", "isActive": "yes"}), "invalid_request"),
        (json!({"identifier": "ü/1", "possibleRoles": ["BOSS"]}), "invalid_request"),
        (json!({"identifier": "ü/1", "lastName": "X", "subAccountName": "Nowhere"}), "item_not_exists"),
        (json!({"identifier": "new", "username": "site.admin"}), "item_exists"),
        (json!({"firstName": "nobody"}), "invalid_request"),
    ] {
        assert_eq!(enabley.refusal(Method::PUT, USERS, Some(wrong.clone())).await, refused(word), "{wrong}");
    }
    assert_eq!(enabley.get(path).await["lastName"], "L", "a refused change changes nothing");

    let permissions = |list: Value| Some(json!({"permissions": list}));
    let set = format!("{path}/permissions");
    assert_eq!(enabley.write(Method::PUT, &set, permissions(json!(["INSTRUCTOR_CREATE_COURSE"]))).await, 200);
    assert_eq!(enabley.refusal(Method::PUT, &set, permissions(json!(["ALL"]))).await, refused("invalid_request"));
    let role =
        json!({"userIdentifier": "ü/1", "userRole": "EDITOR", "entityType": "GROUP", "entityIdentifier": "north"});
    let entitlements = "/api/v2/users/entitlements";
    assert_eq!(enabley.write(Method::POST, entitlements, Some(role.clone())).await, 200);
    assert_eq!(enabley.write(Method::DELETE, entitlements, Some(role.clone())).await, 200);
    assert_eq!(enabley.refusal(Method::DELETE, entitlements, Some(role)).await, refused("item_not_exists"));

    assert_eq!(enabley.write(Method::PUT, &format!("{path}?isActive=false"), None).await, 200);
    let rename = json!({"currentUserIdentifier": "ü/1", "newUserIdentifier": "u2"});
    let identity = "/api/v2/users/identityManagement";
    assert_eq!(enabley.write(Method::PUT, identity, Some(rename.clone())).await, 200);
    assert_eq!(enabley.refusal(Method::PUT, identity, Some(rename)).await, refused("item_not_exists"));
    assert_eq!(enabley.get("/api/v2/users/u2").await["isActive"], false);
    assert_eq!(enabley.write(Method::DELETE, "/api/v2/users/u2/subAccountName/Acme%20South", None).await, 200);
    assert_eq!(enabley.write(Method::DELETE, "/api/v2/users/u2", None).await, 200);
    assert_eq!(enabley.refusal(Method::GET, "/api/v2/users/u2", None).await, refused("item_not_exists"));
}

#[tokio::test]
async fn groups_stand_below_others_and_replace_clears_them() {
    let enabley = Enabley::start(Options::default()).await;
    assert_eq!(enabley.get("/api/v1/groups/hierarchy").await, json!(["Company", "Region", "Site"]));
    let groups = "/api/v1/groups";
    let orphan = json!({"identifier": "plant-9", "name": "Plant 9", "parentIdentifier": "west", "type": "Site"});
    assert_eq!(enabley.refusal(Method::PUT, groups, Some(orphan)).await, refused("item_not_exists"));
    let group = json!({"identifier": "plant-9", "name": "Plant 9", "parentIdentifier": "north", "type": "Site"});
    assert_eq!(enabley.write(Method::PUT, groups, Some(group.clone())).await, 201);
    assert_eq!(enabley.write(Method::PUT, groups, Some(group)).await, 200);
    let circle = json!({"identifier": "north", "parentIdentifier": "plant-9"});
    assert_eq!(enabley.refusal(Method::PUT, groups, Some(circle)).await, refused("invalid_request"));

    let user = enabley.paged("/api/v3/users").await.0[2]["identifier"].as_str().unwrap().to_owned();
    let of_user = format!("/api/v1/users/{user}/groups");
    let names = |groups: Value| -> Vec<String> {
        groups.as_array().unwrap().iter().map(|group| group["identifier"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(enabley.get(&of_user).await), ["acme"]);
    assert_eq!(enabley.write(Method::POST, &format!("/api/v1/groups/plant-9/users/{user}"), None).await, 200);
    assert_eq!(names(enabley.get(&of_user).await), ["acme", "plant-9"]);
    assert_eq!(
        enabley.write(Method::POST, &format!("/api/v1/groups/south/users/{user}?replace=true"), None).await,
        200
    );
    assert_eq!(names(enabley.get(&of_user).await), ["south"]);
    assert_eq!(enabley.write(Method::DELETE, &format!("/api/v1/groups/south/users/{user}"), None).await, 200);
    assert_eq!(enabley.refusal(Method::DELETE, "/api/v1/groups/north", None).await, refused("invalid_request"));
    assert_eq!(enabley.write(Method::DELETE, "/api/v1/groups/plant-9", None).await, 200);

    let profiles = format!("/api/v2/userProfiles/users/{user}");
    assert_eq!(
        enabley.write(Method::PUT, &format!("/api/v2/userProfiles/drivers/users/{user}?replace=true"), None).await,
        200
    );
    let (_, of_user) = enabley.ask(Method::POST, &profiles, None).await;
    assert_eq!(names(of_user), ["drivers"]);
    let (_, named) =
        enabley.ask(Method::POST, "/api/v2/getUserProfiles", Some(json!(["office", "none", "drivers"]))).await;
    assert_eq!(names(named), ["office", "drivers"]);
    let object = Some(json!({"identifiers": ["office"]}));
    assert_eq!(enabley.refusal(Method::POST, "/api/v2/getUserProfiles", object).await, refused("invalid_request"));
}

#[tokio::test]
async fn members_of_channels_and_what_they_have_done() {
    let enabley = Enabley::start(Options::default()).await;
    let channel = json!({"identifier": "c 1", "name": "Ladders", "type": "COURSE", "status": "INACTIVE"});
    assert_eq!(enabley.write(Method::PUT, "/api/v1/channels", Some(channel)).await, 201);
    assert_eq!(enabley.get("/api/v1/channels/c%201").await["availability"]["status"], "NONACTIVE");
    let count = "/api/v2/channels/channels/c%201/members/count";
    let user = enabley.paged("/api/v3/users").await.0[3]["identifier"].as_str().unwrap().to_owned();
    let roles = format!("/api/v2/channels/c%201/users/{user}?roles=INSTRUCTOR");
    assert_eq!(enabley.write(Method::POST, &roles, None).await, 200);
    assert_eq!(enabley.get(count).await, json!({"learners": 0}), "an instructor is no learner");
    let force = format!("/api/v4/channels/forceComplete/channel/c%201/user/{user}");
    assert_eq!(enabley.refusal(Method::POST, &force, None).await, refused("item_not_exists"));
    assert_eq!(enabley.write(Method::POST, &format!("{roles}&roles=LEARNER"), None).await, 200);
    assert_eq!(enabley.write(Method::POST, &force, None).await, 200);
    let rows = enabley.paged(&format!("/api/v2/performance?channelIdentifier=c%201&userIdentifier={user}")).await.0;
    assert_eq!((rows.len(), &rows[0]["progress"]), (1, &json!(100)));
    assert!(rows[0]["completionDate"].as_str().unwrap().ends_with('Z'));

    let group = "/api/v1/channels/c%201/groups/north?userRole=LEARNER";
    assert_eq!(enabley.write(Method::POST, group, None).await, 200);
    let direct = enabley.get(count).await["learners"].as_u64().unwrap();
    assert_eq!(enabley.write(Method::POST, &format!("{group}&recursive=true"), None).await, 200);
    let all = enabley.get(count).await["learners"].as_u64().unwrap();
    assert!(1 < direct && direct < all, "{direct} {all}");
    assert_eq!(enabley.write(Method::DELETE, group.split('?').next().unwrap(), None).await, 200);
    assert_eq!(enabley.get(count).await["learners"], 1);

    assert_eq!(enabley.refusal(Method::GET, "/api/v2/performance", None).await, refused("invalid_request"));
    let all = enabley.get("/api/v1/performance").await;
    assert!(all.as_array().unwrap().iter().all(|row| row["externalUserId"].is_string()));
    let since = "/api/v1/channels?createdSince=";
    assert_eq!(enabley.get(&format!("{since}2024-10-07T00:00:00.000Z")).await.as_array().unwrap().len(), 4);
    assert_eq!(enabley.refusal(Method::GET, &format!("{since}2024-10-07"), None).await, refused("invalid_request"));
    let instance = json!({"identifier": "i1", "masterCourseIdentifier": "master-02", "name": "Mine"});
    assert_eq!(enabley.write(Method::PUT, "/api/v2/channels/master/instance", Some(instance)).await, 200);
    assert_eq!(enabley.get("/api/v1/channels/i1").await["masterChannelId"], "master-02");
    let events = enabley.get("/api/v1/channels/course%2F3%20%C3%BC/courses/events").await;
    assert_eq!(events.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn certificates_of_users_and_what_is_required() {
    let enabley = Enabley::start(Options::default()).await;
    let (users, _) = enabley.paged("/api/v3/users").await;
    let mut states = std::collections::BTreeSet::new();
    let mut seen = None;
    for user in users.iter().filter_map(|user| user["identifier"].as_str()) {
        let mut address = reqwest::Url::parse(&enabley.system.url()).unwrap();
        address.path_segments_mut().unwrap().extend(["api", "v1", "certificates", "users", user]);
        for row in enabley.get(address.path()).await.as_array().unwrap() {
            states.insert(row["state"].as_str().unwrap().to_owned());
            if row["pdfUrl"].is_string() {
                seen = Some((user.to_owned(), row.clone()));
            }
        }
    }
    assert_eq!(states.len(), 7, "{states:?}");
    let (user, row) = seen.unwrap();
    let pdf = reqwest::get(row["pdfUrl"].as_str().unwrap()).await.unwrap();
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    let requirement = |certificate: &Value, user: &str| {
        Some(json!({"certificateIdentifier": certificate, "userIdentifier": user, "isRequired": false}))
    };
    let compliance = "/api/v1/certificates/compliance";
    let held = &row["externalCertificateId"];
    assert_eq!(enabley.write(Method::PUT, compliance, requirement(held, &user)).await, 200);
    let other = json!("CERT-014");
    assert_eq!(enabley.refusal(Method::PUT, compliance, requirement(&other, &user)).await.0, 409);
    assert_eq!(enabley.refusal(Method::PUT, compliance, requirement(held, "nobody")).await.0, 404);
    assert_eq!(enabley.get("/api/v1/certificates").await.as_array().unwrap().len(), 14);
    assert_eq!(
        enabley.get("/api/v2/certificates/CERT-002").await["expiration"],
        json!({"duration": 3, "period": "YEAR"})
    );
}

#[tokio::test]
async fn what_was_saved_is_there_again() {
    let before = Enabley::start(Options::default()).await;
    let user = json!({"identifier": "kept", "username": "kept.user"});
    assert_eq!(before.write(Method::PUT, USERS, Some(user)).await, 201);
    assert_eq!(before.write(Method::POST, "/api/v1/groups/north/users/kept", None).await, 200);
    let saved = before.system.save();
    let after = Enabley::start(Options { restore: Some(saved.clone()), ..Options::default() }).await;
    assert_eq!(after.get("/api/v2/users/kept").await["username"], "kept.user");
    assert_eq!(after.get("/api/v1/users/kept/groups").await[0]["identifier"], "north");
    assert_eq!(after.system.save(), saved);
    let books = after.system.books();
    assert_eq!(books["requests"]["operations"]["getUser"]["count"], 1, "{}", books["requests"]);
    assert_eq!(books["requests"]["operations"]["token"]["count"], 1);
}
