//! What is written to the log says what was asked, and no secret, not even at the most talkative level.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::{Log, World, human_focus, peoplefluent};

#[tokio::test]
async fn the_log_tells_the_calls_and_keeps_the_secrets() {
    let log = Log::keep();

    let (hf, lms) = (human_focus().await, peoplefluent().await);
    let secrets: Vec<String> = hf
        .settings()
        .into_iter()
        .chain(lms.settings())
        .filter(|(name, _)| name == "password" || name == "system_key")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(secrets.len(), 2);
    let world = World::of(&hf, json!({}));
    world.lookup("GetUserGroups", json!({})).await.unwrap();
    World::of(&lms, json!({})).reader().check().await.unwrap();
    hf.faults().set_text("500:first=1").unwrap();
    world.lookup("GetUserGroups", json!({})).await.unwrap_err();
    let log = log.text();
    let ours: Vec<&str> = log.lines().filter(|line| line.contains("towpath_http")).collect();
    let ours = ours.join("\n");
    assert!(ours.contains("/api/cbt/GetUserGroups") && ours.contains("status=200"), "{ours}");
    for secret in secrets {
        assert!(!ours.contains(&secret), "{ours}");
    }
    assert!(!ours.contains("Bearer") && !ours.contains("Basic") && !ours.contains("eyJ"), "{ours}");
}
