//! Faults, seen from the client.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use towpath_sandbox::{Faults, Options, Seed, start};

use crate::client::{HISTORY, HUMAN_FOCUS, HumanFocus, PEOPLE_FLUENT, answer, people_fluent, read, records};

const PROVIDER: &str = "AddExternalTrainingProvider";

fn provider() -> Value {
    json!({"PrvName": "P", "CreatedBy": 1, "OrganId": 12345})
}

fn providers(hf: &HumanFocus) -> usize {
    hf.system.books()["providers"].as_array().unwrap().len() - 3
}

#[tokio::test]
async fn a_status_before_the_effect_leaves_nothing_and_after_it_all() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text(&format!("503:op={PROVIDER}:first=1,500:op={PROVIDER}:when=after:nth=2")).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let response = hf.posting(PROVIDER, &provider()).send().await.unwrap();
        statuses.push((response.status().as_u16(), providers(&hf)));
    }
    assert_eq!(statuses, [(503, 0), (500, 1), (200, 2)]);
    let requests = hf.system.books()["requests"].clone();
    let operation = &requests["operations"][PROVIDER];
    assert_eq!(operation, &json!({"count": 3, "by_status": {"200": 1, "500": 1, "503": 1}, "faults": 2}));
    assert_eq!(requests["latest"][1]["fault"], "503");
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("429:nth=1:retry_after=3,429:nth=2:retry_after=date+60").unwrap();
    let header = async || {
        let response = hf.posting(PROVIDER, &provider()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        response.headers()["retry-after"].to_str().unwrap().to_owned()
    };
    assert_eq!(header().await, "3");
    let date = chrono::DateTime::parse_from_rfc2822(&header().await).unwrap().to_utc();
    let seconds = (date - chrono::Utc::now()).num_seconds();
    assert!((50..=60).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer_and_the_effect_is_as_told() {
    let hf = HumanFocus::start(Options::default()).await;
    for (rule, done) in [("cut:first=1", 0), ("cut:when=after:first=1", 1)] {
        hf.system.faults().set_text(rule).unwrap();
        let error = hf.posting(PROVIDER, &provider()).send().await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(providers(&hf), done, "{rule}");
    }
    assert_eq!(hf.post(PROVIDER, provider()).await["Status"], true);
    let operations = &hf.system.books()["requests"]["operations"];
    assert_eq!(operations[PROVIDER]["by_status"], json!({"unanswered": 2, "200": 1}));
}

#[tokio::test]
async fn a_body_cut_in_the_middle_is_an_error_of_the_transport() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("cut-body").unwrap();
    let response = hf.posting(PROVIDER, &provider()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.bytes().await.is_err());
    assert_eq!(providers(&hf), 1);

    let system = people_fluent(Options { faults: Faults::parse("cut-body").unwrap(), ..Options::default() }).await;
    let response = read(&system, HISTORY, &[]).send().await.unwrap();
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_truncated_body_ends_as_if_all_were_well() {
    let seed = Seed { records: 4000, ..Seed::default() };
    let system = people_fluent(Options { seed, ..Options::default() }).await;
    system.faults().set_text("truncate:bytes=200000").unwrap();
    let body = read(&system, HISTORY, &[]).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), 200_000);
    assert!(body.starts_with(b"<?xml") && !body.ends_with(b"</trainingHistory>\n"));

    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("truncate").unwrap();
    let response = hf.posting(PROVIDER, &provider()).send().await.unwrap();
    let body = response.bytes().await.unwrap();
    assert!(!body.is_empty() && serde_json::from_slice::<Value>(&body).is_err());
}

#[tokio::test]
async fn documents_can_be_malformed_or_no_text() {
    let system = people_fluent(Options::default()).await;
    let body = async |rule: &str| {
        system.faults().set_text(rule).unwrap();
        read(&system, HISTORY, &[]).send().await.unwrap().bytes().await.unwrap()
    };
    let broken = String::from_utf8(body("malformed").await.to_vec()).unwrap();
    assert!(std::panic::catch_unwind(|| records(&broken)).is_err());
    assert!(std::str::from_utf8(&body("utf8:bytes=10000").await).is_err());
    let whole = String::from_utf8(body("").await.to_vec()).unwrap();
    assert!(records(&whole).len() > 100);
    let bomb = String::from_utf8(body("bomb").await.to_vec()).unwrap();
    assert!(bomb.contains("<!ENTITY a10") && bomb.len() < 4000);

    let hf = HumanFocus::start(Options::default()).await;
    for rule in ["malformed", "utf8", "html", "empty"] {
        hf.system.faults().set_text(rule).unwrap();
        let response = hf.client.get(hf.address("GetOrganID/acme")).bearer_auth(&hf.token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{rule}");
        let body = response.bytes().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "{rule}");
        assert_eq!(body.starts_with(b"<!DOCTYPE html>"), rule == "html");
        assert_eq!(std::str::from_utf8(&body).is_err(), rule == "utf8");
    }
}

#[tokio::test]
async fn the_content_type_can_lie_and_the_answer_be_late() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("content-type:type=text/plain,slow:ms=60").unwrap();
    let begun = Instant::now();
    let response = hf.posting(PROVIDER, &provider()).send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(answer(response).await.1["Status"], true);
}

#[tokio::test]
async fn what_is_held_is_done_and_answered_when_the_rules_change() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text(&format!("hold:op={PROVIDER}:skip=1")).unwrap();
    assert_eq!(hf.post(PROVIDER, provider()).await["Status"], true, "the first one is passed over");
    let held = tokio::spawn(hf.posting(PROVIDER, &provider()).send());
    let arrived = async || {
        while hf.system.faults().met() != [2] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived()).await.unwrap();
    assert!(!held.is_finished());
    assert_eq!(providers(&hf), 1, "nothing was done yet");
    hf.system.faults().clear();
    assert_eq!(answer(held.await.unwrap().unwrap()).await.1["Status"], true);
}

#[tokio::test]
async fn uploads_that_match_are_refused() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("refuse:body=Blue:message=No%2C not that").unwrap();
    let blue = json!({"PrvName": "Blue Ltd", "CreatedBy": 1, "OrganId": 12345});
    assert_eq!(hf.post(PROVIDER, blue).await, json!({"Status": false, "ErrorMessage": "No, not that"}));
    assert_eq!(hf.post(PROVIDER, provider()).await["Status"], true);
    assert_eq!(providers(&hf), 1);
}

#[tokio::test]
async fn a_system_refuses_faults_it_cannot_have() {
    for (system, rule) in [(HUMAN_FOCUS, "bomb"), (PEOPLE_FLUENT, "refuse"), (PEOPLE_FLUENT, "expire:uses=1")] {
        let options = Options { faults: Faults::parse(rule).unwrap(), ..Options::default() };
        let error = start(system, options).await.err().unwrap().to_string();
        assert!(error.contains("cannot do that"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_leads_elsewhere() {
    let (hf, other) = (HumanFocus::start(Options::default()).await, HumanFocus::start(Options::default()).await);
    let to = other.address("GetOrganID/acme");
    let rule = format!("redirect:to={}", to.replace(':', "%3A"));
    hf.system.faults().set_text(&rule).unwrap();
    let (status, _) = hf.get("GetOrganID/acme").await;
    // Another port is another host: the credentials stay behind.
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.system.books()["tokens"]["refused_tokens"], 1);
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_in_the_book() {
    let hf = HumanFocus::start(Options::default()).await;
    hf.system.faults().set_text("slow:ms=600000").unwrap();
    let request = hf.posting(PROVIDER, &provider());
    let error = request.timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    let noticed = async || loop {
        let book = hf.system.books()["requests"]["operations"][PROVIDER].clone();
        if book.is_object() {
            return book;
        }
        tokio::task::yield_now().await;
    };
    let book = tokio::time::timeout(Duration::from_secs(20), noticed()).await.unwrap();
    assert_eq!(book, json!({"count": 1, "by_status": {"unanswered": 1}, "faults": 1}));
    assert_eq!(providers(&hf), 0);
}
