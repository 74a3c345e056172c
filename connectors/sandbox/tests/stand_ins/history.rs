//! PeopleFluent: authentication, the history with its oddities, windows and filters, users, streaming.

use std::collections::HashSet;

use reqwest::{Client, StatusCode, header};
use towpath_sandbox::{Options, Seed};

use crate::client::{HISTORY, document, people_fluent, read, records, setting};

#[tokio::test]
async fn the_system_key_is_checked_and_the_user_name_is_not() {
    let system = people_fluent(Options::default()).await;
    let address = format!("{}/api/{HISTORY}", system.url());
    let client = Client::new();
    let key = setting(&system, "system_key");
    for user in ["", "anybody"] {
        let response = client.get(&address).basic_auth(user, Some(&key)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{user:?}");
        assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/xml"));
    }
    for request in [client.get(&address), client.get(&address).basic_auth("anybody", Some("wrong"))] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));
        assert!(response.text().await.unwrap().contains("<html"));
    }
    assert_eq!(system.books()["refused_logins"], 2);
}

#[tokio::test]
async fn a_client_that_keeps_cookies_is_noticed() {
    let system = people_fluent(Options::default()).await;
    let first = read(&system, HISTORY, &[]).send().await.unwrap();
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("JSESSIONID="));
    let second = read(&system, HISTORY, &[]).header(header::COOKIE, cookie).send().await.unwrap();
    assert_eq!(second.status(), StatusCode::CONFLICT);
    assert_eq!(system.books()["cookies_returned"], 1);
}

#[tokio::test]
async fn the_history_is_the_one_the_seed_promises() {
    let seed = Seed::default();
    let system = people_fluent(Options { seed: seed.clone(), ..Options::default() }).await;
    let xml = document(&system, HISTORY, &[("includeOlder", "true")]).await;
    let all = records(&xml);
    assert_eq!(all.len(), seed.records);
    assert!(all.iter().any(|record| record.parent.is_some()), "nested records");
    assert!(xml.contains("<![CDATA[") && xml.contains("&amp;") && xml.contains("&#") && xml.contains("xmlns:"));
    let ids: HashSet<_> = all.iter().map(|record| &record.id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.iter().any(|r| r.get("userId").unwrap() != r.get("userId").unwrap().trim()), "space around ids");
    assert!(all.iter().any(|r| r.get("endDate").is_none()) && all.iter().any(|r| r.get("score").is_none()));

    let completions: Vec<_> = seed.completions().collect();
    assert!(completions.len() > 40);
    for completion in &completions {
        let record = all.iter().find(|record| record.id == completion.record_id).unwrap();
        assert_eq!(record.get("userId").unwrap().trim(), completion.user_id);
        assert_eq!(record.get("learningModule/title").unwrap().trim(), completion.title);
        assert_eq!(record.get("overallStatus"), Some("completed"));
        let ended = chrono::DateTime::parse_from_rfc3339(record.get("endDate").unwrap()).unwrap();
        assert_eq!(ended.timestamp_millis(), completion.completed_at_ms);
    }
    let dated = all.iter().filter(|r| r.get("overallStatus") == Some("completed") && r.get("endDate").is_some());
    assert_eq!(dated.count(), completions.len());
}

#[tokio::test]
async fn older_attempts_come_only_when_asked_for() {
    let seed = Seed::default();
    let system = people_fluent(Options { seed: seed.clone(), ..Options::default() }).await;
    let latest = records(&document(&system, HISTORY, &[]).await);
    let older: Vec<_> = seed.completions().filter(|completion| completion.older).collect();
    assert!(!older.is_empty() && latest.len() < seed.records);
    assert!(older.iter().all(|completion| { latest.iter().all(|record| record.id != completion.record_id) }));
    let mut pairs = HashSet::new();
    for record in &latest {
        let pair =
            (record.get("userId").unwrap().trim().to_owned(), record.get("learningModule/id").unwrap().to_owned());
        assert!(pairs.insert(pair), "{record:?}");
    }
}

#[tokio::test]
async fn filters_select_and_prune() {
    let system = people_fluent(Options::default()).await;
    let completed = records(&document(&system, "completedTrainingRecordsXml", &[]).await);
    assert!(completed.len() > 40);
    assert!(completed.iter().all(|record| record.get("overallStatus") == Some("completed")));

    let all = records(&document(&system, HISTORY, &[]).await);
    let user = all[0].get("userId").unwrap().trim();
    let expected = all.iter().filter(|record| record.get("userId").unwrap().trim() == user).count();
    let of_user = records(&document(&system, HISTORY, &[("userId", &user.to_uppercase())]).await);
    assert_eq!(of_user.len(), expected);
    assert!(records(&document(&system, HISTORY, &[("userId", "nobody")]).await).is_empty());

    let module = all[1].get("learningModule/id").unwrap();
    let of_module = records(&document(&system, HISTORY, &[("moduleIds", module)]).await);
    assert!(!of_module.is_empty());
    assert!(of_module.iter().all(|record| record.get("learningModule/id") == Some(module)));

    let north = records(&document(&system, HISTORY, &[("organizationId", "acme-north")]).await).len();
    let acme = records(&document(&system, HISTORY, &[("organizationId", "acme")]).await).len();
    assert!(0 < north && north < acme && acme == all.len());
    let missing = read(&system, HISTORY, &[("organizationId", "nowhere")]).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);

    let pruned = records(&document(&system, HISTORY, &[("fields", "userId,learningModule(title)")]).await);
    let mut names: Vec<_> = pruned.iter().flat_map(|r| r.fields.iter().map(|(name, _)| name.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["learningModule", "learningModule/title", "userId"]);
}

#[tokio::test]
async fn the_window_is_by_update_and_added_records_come_after_all_others() {
    let system = people_fluent(Options::default()).await;
    let whole = records(&document(&system, HISTORY, &[]).await).len();
    let middle = "2023-07-01T00:00Z";
    let before = records(&document(&system, HISTORY, &[("lastUpdatedEnd", middle)]).await).len();
    let after = records(&document(&system, HISTORY, &[("lastUpdatedStart", middle)]).await).len();
    assert!(before > 0 && after > 0);
    assert_eq!(before + after, whole);
    let since = [("lastUpdatedStart", "2026-01-01T00:01Z"), ("includeOlder", "true")];
    assert!(records(&document(&system, HISTORY, &since).await).is_empty());
    assert!(system.add_records(10));
    assert_eq!(records(&document(&system, HISTORY, &since).await).len(), 10);
}

#[tokio::test]
async fn wrong_parameters_get_an_error_page() {
    let system = people_fluent(Options::default()).await;
    for (name, value) in [
        ("lastUpdatedStart", "2009-11-13"),
        ("lastUpdatedStart", "2009-11-13T20:00:00Z"),
        ("lastUpdatedEnd", "2009-11-13T20:00+01:00"),
        ("lastUpdatedEnd", "2009-1-13T20:00Z"),
        ("includeOlder", "yes"),
        ("fields", "a(b"),
    ] {
        let response = read(&system, HISTORY, &[(name, value)]).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{name}={value}");
        let page = response.text().await.unwrap();
        assert!(page.contains("<html") && page.contains(name), "{page}");
    }
    let unknown = read(&system, "noSuchFunction", &[]).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let posted = Client::new()
        .post(format!("{}/api/{HISTORY}", system.url()))
        .basic_auth("x", Some(setting(&system, "system_key")))
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn users_are_read_by_status_and_one_by_one() {
    let system = people_fluent(Options::default()).await;
    let count = |xml: &str| xml.matches("<u:user>").count();
    let all = document(&system, "users200510Xml", &[("status", "all")]).await;
    assert_eq!(count(&all), 24);
    let suspended = document(&system, "users200510Xml", &[("status", "suspend"), ("fields", "id")]).await;
    assert_eq!(count(&suspended), 1);
    assert!(suspended.contains("<u:id>") && !suspended.contains("<u:email>"));
    let required = read(&system, "users200510Xml", &[]).send().await.unwrap();
    assert_eq!(required.status(), StatusCode::BAD_REQUEST);

    let id = system.books()["users"][3]["id"].as_str().unwrap().to_owned();
    let one = document(&system, "user200510Xml", &[("userId", &id)]).await;
    assert_eq!(count(&one), 1);
    for (query, status) in [(vec![("userId", "nobody")], StatusCode::NOT_FOUND), (vec![], StatusCode::BAD_REQUEST)] {
        let response = read(&system, "user200510Xml", &query).send().await.unwrap();
        assert_eq!(response.status(), status);
    }
}

/// The most memory this process ever held, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_large_history_streams_in_bounded_memory() {
    const MARK: &[u8] = b"trainingRecord id=";
    let seed = Seed { people: 5000, records: 200_000, ..Seed::default() };
    let system = people_fluent(Options { seed, ..Options::default() }).await;
    let mut response = read(&system, HISTORY, &[("includeOlder", "true")]).send().await.unwrap();
    let before = peak_memory();
    let (mut bytes, mut count, mut carried) = (0, 0, Vec::new());
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len() as u64;
        carried.extend_from_slice(&chunk);
        count += carried.windows(MARK.len()).filter(|part| *part == MARK).count();
        // A mark torn by the end of the chunk is completed by the next one.
        let keep = carried.len().min(MARK.len() - 1);
        carried.drain(..carried.len() - keep);
    }
    assert_eq!(count, 200_000);
    assert!(bytes > 150_000_000, "{bytes} bytes");
    assert!(peak_memory() - before < 64 << 20, "{} bytes more", peak_memory() - before);
    assert_eq!(system.books()["bytes_sent"], bytes);
}

#[tokio::test]
async fn five_million_records_start_in_a_moment() {
    let seed = Seed { people: 100_000, records: 5_000_000, ..Seed::default() };
    let system = people_fluent(Options { seed, ..Options::default() }).await;
    let mut response = read(&system, HISTORY, &[]).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"<?xml"));
    drop(response);
    system.stop().await;
}
