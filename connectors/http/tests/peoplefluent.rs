//! Every stream of PeopleFluent, over real HTTP against its stand-in.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::json;
use std::collections::HashSet;
use support::{World, drain, peoplefluent, texts};
use towpath_connector::Fault;
use towpath_sandbox::Options;

#[tokio::test]
async fn check_reads_nothing_and_needs_the_key() {
    let system = peoplefluent().await;
    World::of(&system, json!({})).reader().check().await.unwrap();
    let error = World::of(&system, json!({"system_key": "wrong-key-marker"})).reader().check().await.unwrap_err();
    assert_eq!(error.fault, Fault::User);
    assert!(!error.is_passing());
    assert!(error.help.as_deref().unwrap().contains("`system_key` of connection `hf`"), "{error:?}");
    assert!(!format!("{error:?}").contains("wrong-key-marker"));
}

#[tokio::test]
async fn the_history_has_every_record_nested_ones_too() {
    let system = peoplefluent().await;
    let seed = Options::default().seed;
    let world = World::of(&system, json!({}));
    let mut source = world.source("trainingHistoryXml", json!({"includeOlder": true}), None);
    let (frame, rejects, _) = drain(source.as_mut()).await.unwrap();
    assert_eq!((frame.height(), rejects.len()), (seed.records, 0));
    let ids: HashSet<_> = texts(&frame, "record_id").into_iter().flatten().collect();
    assert_eq!(ids.len(), seed.records);
    let parents: HashSet<_> = texts(&frame, "parent_id").into_iter().flatten().collect();
    assert!(!parents.is_empty() && parents.is_subset(&ids), "{parents:?}");
    let completed: HashSet<String> = seed.completions().map(|completion| completion.record_id).collect();
    let statuses = texts(&frame, "overall_status");
    let ended = frame.column("end_date").unwrap().is_not_null();
    let read: HashSet<String> = texts(&frame, "record_id")
        .into_iter()
        .zip(statuses)
        .zip(ended.iter())
        .filter(|((_, status), ended)| status.as_deref() == Some("completed") && *ended == Some(true))
        .filter_map(|((id, _), _)| id)
        .collect();
    assert_eq!(read, completed);
    let millis = seed.completions().next().unwrap();
    let at = texts(&frame, "record_id").iter().position(|id| id.as_ref() == Some(&millis.record_id)).unwrap();
    let end = frame.column("end_date").unwrap().as_materialized_series().to_physical_repr().into_owned();
    assert_eq!(end.i64().unwrap().get(at), Some(millis.completed_at_ms * 1000));
}

#[tokio::test]
async fn completed_records_alone() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let mut source = world.source("completedTrainingRecordsXml", json!({"organizationId": "acme"}), None);
    let (frame, _, _) = drain(source.as_mut()).await.unwrap();
    assert!(frame.height() > 0);
    assert!(texts(&frame, "overall_status").iter().all(|status| status.as_deref() == Some("completed")));
}

#[tokio::test]
async fn only_what_is_new_with_a_cursor() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let mut source = world.source("trainingHistoryXml", json!({}), None);
    assert_eq!(source.cursor(), None, "no request, no time of one");
    drain(source.as_mut()).await.unwrap();
    let cursor = source.cursor().unwrap();
    let text = cursor.as_str().unwrap();
    assert!(text.ends_with(":00Z") && text.len() == 20, "{text}");
    let cursor = json!("2026-03-01T12:00:00Z");
    let mut source = world.source("trainingHistoryXml", json!({"lookback": "PT1H"}), Some(&cursor));
    drain(source.as_mut()).await.unwrap();
    let requests = system.books()["requests"].to_string();
    assert!(requests.contains("lastUpdatedStart=2026-03-01T11"), "{requests}");
}

#[tokio::test]
async fn users_all_and_one() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let mut source = world.source("users200510Xml", json!({"status": "active"}), None);
    let (frame, rejects, _) = drain(source.as_mut()).await.unwrap();
    assert!(frame.height() > 3 && rejects.is_empty());
    let id = texts(&frame, "id")[0].clone().unwrap();
    let found = world.lookup("user200510Xml", json!({"userId": id})).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["id"], json!(id));
    assert!(found[0]["employee_number"].as_str().unwrap().starts_with('0'), "leading zeros stay");
    assert_eq!(world.lookup("user200510Xml", json!({"userId": "no.such.user"})).await.unwrap(), []);
}

#[tokio::test]
async fn fields_that_are_left_out_are_null() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let mut source = world.source("trainingHistoryXml", json!({"fields": "userId"}), None);
    let (frame, rejects, _) = drain(source.as_mut()).await.unwrap();
    assert!(rejects.is_empty());
    assert_eq!(frame.column("module_title").unwrap().null_count(), frame.height());
    assert_eq!(frame.column("user_id").unwrap().null_count(), 0);
}

#[tokio::test]
async fn a_document_that_is_cut_is_read_again_and_gives_the_same_rows() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let whole = drain(world.source("trainingHistoryXml", json!({}), None).as_mut()).await.unwrap().0;
    for fault in [
        "cut-body:first=2:bytes=20000",
        "truncate:first=1:bytes=20000",
        "503:first=3",
        "cut:when=after:first=1",
        "empty:first=1",
    ] {
        system.faults().set_text(fault).unwrap();
        let (frame, _, retries) = drain(world.source("trainingHistoryXml", json!({}), None).as_mut()).await.unwrap();
        assert!(retries > 0, "{fault}");
        assert!(frame.equals_missing(&whole), "{fault}");
    }
}

#[tokio::test]
async fn a_document_that_is_broken_is_an_error_that_says_so() {
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    for (fault, words) in [
        ("malformed", "not well-formed"),
        ("html", "HTML where XML was expected"),
        ("bomb", "entity"),
        ("utf8", "encoding"),
        (
            "redirect:to=https%3A//elsewhere.example/x",
            "a redirect to https://elsewhere.example:443/x, which is not followed",
        ),
    ] {
        system.faults().set_text(fault).unwrap();
        let error = drain(world.source("trainingHistoryXml", json!({}), None).as_mut()).await.unwrap_err();
        assert!(!error.is_passing(), "{fault}: {error}");
        assert!(error.message.contains(words) && error.message.contains("trainingHistoryXml"), "{fault}: {error}");
    }
}

#[tokio::test]
async fn no_cookie_is_kept() {
    // The stand-in refuses every request that sends its session cookie back.
    let system = peoplefluent().await;
    let world = World::of(&system, json!({}));
    let reader = world.reader();
    for _ in 0..3 {
        reader.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_large_history_comes_in_batches_and_only_the_end_is_a_position() {
    let records = 60_000;
    let seed = towpath_sandbox::Seed { records, people: 500, ..towpath_sandbox::Seed::default() };
    let system = towpath_sandbox::start("peoplefluent", Options { seed, ..Options::default() }).await.unwrap();
    let world = World::of(&system, json!({}));
    let mut source = world.source("trainingHistoryXml", json!({"includeOlder": true}), None);
    let (mut rows, mut chunks, mut positions) = (0, 0, 0);
    while let Some(chunk) = source.next().await.unwrap() {
        assert_eq!(positions, 0, "nothing comes behind the end");
        assert!(chunk.frame.height() <= 50_000);
        rows += chunk.frame.height();
        chunks += 1;
        positions += usize::from(chunk.position.is_some());
    }
    assert_eq!((rows, positions), (records, 1));
    assert!(chunks >= 3, "{chunks}");
}
