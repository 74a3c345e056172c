//! The admin surface, as another process uses it.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use towpath_sandbox::Options;

use crate::client::{HISTORY, HumanFocus, answer, people_fluent, read};

#[tokio::test]
async fn books_are_read_and_reset_over_http() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.post("AddExternalTrainingProvider", json!({"PrvName": "P", "CreatedBy": 1, "OrganId": 12345})).await;
    let origin = hf.system.origin();
    let books =
        async || -> Value { answer(hf.client.get(format!("{origin}/sandbox/books")).send().await.unwrap()).await.1 };
    let before = books().await;
    assert_eq!(before, hf.system.books());
    assert_eq!(before["providers"].as_array().unwrap().len(), 4);
    let (_, requests) = answer(hf.client.get(format!("{origin}/sandbox/requests")).send().await.unwrap()).await;
    assert_eq!(requests["total"], 2, "the token and the provider, nothing of the admin surface");
    let text = before.to_string();
    assert!(!text.contains(&hf.token) && !text.contains("p@ss"), "no secret is in the books");

    let reset = hf.client.post(format!("{origin}/sandbox/reset")).send().await.unwrap();
    assert_eq!(reset.status(), StatusCode::OK);
    let after = books().await;
    assert_eq!(after["providers"].as_array().unwrap().len(), 3);
    assert_eq!(after["requests"]["total"], 0);
    assert_eq!(hf.get("GetOrganID/acme").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn faults_are_switched_over_http_and_do_not_strike_the_switch() {
    let system = people_fluent(Options::default()).await;
    let client = Client::new();
    let address = format!("{}/sandbox/faults", system.origin());
    let put = async |text: &'static str| answer(client.put(&address).body(text).send().await.unwrap()).await;
    assert_eq!(put("500").await.0, StatusCode::OK);
    assert_eq!(read(&system, HISTORY, &[]).send().await.unwrap().status().as_u16(), 500);
    let (status, said) = put("melt").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(said["error"].as_str().unwrap().contains("`melt` is no fault"));
    let (_, rules) = answer(client.get(&address).send().await.unwrap()).await;
    assert_eq!((&rules["rules"][0]["fault"], &rules["rules"][0]["met"]), (&json!("500"), &json!(1)));
    assert_eq!(put("").await.0, StatusCode::OK);
    assert_eq!(read(&system, HISTORY, &[]).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn tokens_are_revoked_and_records_added_over_http() {
    let hf = HumanFocus::start(Options::default()).await;
    let post = async |origin: String, what: &str, body: &'static str| {
        hf.client.post(format!("{origin}/sandbox/{what}")).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(hf.system.origin(), "revoke-tokens", "").await, 200);
    assert_eq!(hf.get("GetOrganID/acme").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(post(hf.system.origin(), "records", "5").await, 400);
    let system = people_fluent(Options::default()).await;
    assert_eq!(post(system.origin(), "records", "5").await, 200);
    assert_eq!(post(system.origin(), "records", "many").await, 400);
    assert_eq!(post(system.origin(), "revoke-tokens", "").await, 400);
    assert_eq!(system.books()["records"], 125);
}
