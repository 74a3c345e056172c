//! What goes wrong on the way, and what is made of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value as Json, json};
use std::time::Duration;
use support::{World, confirmed, drain, human_focus, refusal};
use towpath_connector::{Effect, Error, Fault, Retry};
use towpath_sandbox::{Options, Seed};

const GROUP: &str = "CreateUserGroup";

fn group(organ: &Json) -> Json {
    json!({"OrganID": organ, "GroupName": "Warehouse", "UserID": "1", "UserName": "a"})
}

async fn organ(world: &World) -> Json {
    world.lookup("GetOrganID", json!({})).await.unwrap()[0]["OrganID"].clone()
}

async fn failed(fault: &str) -> Error {
    let system = human_focus().await;
    let world = World::of(&system, json!({"timeout": 5}));
    let organ = organ(&world).await;
    system.faults().set_text(fault).unwrap();
    world.send(GROUP, group(&organ)).await.unwrap_err()
}

#[tokio::test]
async fn busy_and_broken_servers_are_passing_and_leave_the_right_doubt() {
    let error = failed("429:retry_after=7").await;
    assert_eq!((error.retry, error.effect), (Retry::After(Duration::from_secs(7)), Effect::None));
    let error = failed("429").await;
    assert_eq!((error.retry, error.effect), (Retry::Yes, Effect::None));
    let error = failed("503:retry_after=date+30").await;
    let Retry::After(pause) = error.retry else { panic!("{error:?}") };
    assert!(pause > Duration::from_secs(25) && pause <= Duration::from_secs(31), "{pause:?}");
    assert_eq!(error.effect, Effect::Unknown);
    for fault in ["500", "502", "504", "cut:when=after", "cut:when=before", "cut-body"] {
        let error = failed(fault).await;
        assert_eq!(
            (error.retry, error.effect, error.fault),
            (Retry::Yes, Effect::Unknown, Fault::Remote),
            "{fault}: {error}"
        );
        assert!(error.message.contains(GROUP), "{fault}: {error}");
    }
}

#[tokio::test]
async fn other_answers_are_errors_that_name_operation_status_and_first_bytes() {
    let error = failed("403").await;
    assert_eq!((error.fault, error.retry, error.effect), (Fault::User, Retry::No, Effect::None));
    assert!(error.message.contains("CreateUserGroup: 127.0.0.1:") && error.message.contains("403"), "{error}");
    let error = failed("404").await;
    assert!(error.help.as_deref().unwrap().contains("overrides: {CreateUserGroup:"), "{error:?}");
    let error = failed("html").await;
    assert!(error.message.contains("HTML where JSON was expected: <"), "{error}");
    assert_eq!(error.effect, Effect::Unknown);
    let error = failed("truncate").await;
    assert!(error.message.contains("ends in the middle"), "{error}");
    assert_eq!(error.effect, Effect::Unknown);
    let error = failed("empty").await;
    assert!(error.message.contains("empty body"), "{error}");
    assert_eq!(error.effect, Effect::Unknown);
    let error = failed("redirect:to=https%3A//elsewhere.example/x").await;
    assert!(error.message.contains("is not followed"), "{error}");
}

#[tokio::test]
async fn a_refusal_is_an_answer_in_the_vendors_words() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let organ = organ(&world).await;
    system.faults().set_text("refuse:message=Group name is taken").unwrap();
    assert_eq!(refusal(world.send(GROUP, group(&organ)).await), "Group name is taken");
    for status in ["400", "409", "422"] {
        system.faults().set_text(status).unwrap();
        let message = refusal(world.send(GROUP, group(&organ)).await);
        assert!(!message.is_empty(), "{status}");
    }
    system.faults().set_text("content-type:type=text/plain").unwrap();
    confirmed(world.send(GROUP, group(&organ)).await);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_for_all() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    organ(&world).await;
    assert!(system.revoke_tokens());
    let reader = world.reader();
    let lookup = reader.lookup("GetUserGroups").unwrap();
    let none = serde_json::Map::new();
    let answers = futures::future::join_all((0..16).map(|_| lookup.get(&none))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(system.books()["tokens"]["issued"], 2, "{}", system.books()["tokens"]);
}

#[tokio::test]
async fn a_token_that_dies_after_one_use_is_renewed_every_time_and_nothing_is_lost() {
    let system = human_focus().await;
    system.faults().set_text("expire:uses=1").unwrap();
    let world = World::of(&system, json!({}));
    let organ = organ(&world).await;
    for name in ["One", "Two", "Three"] {
        let mut group = group(&organ);
        group["GroupName"] = json!(name);
        confirmed(world.send(GROUP, group).await);
    }
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end() {
    let token_lifetime = Duration::from_secs(1);
    let system = towpath_sandbox::start("human-focus", Options { token_lifetime, ..Options::default() }).await.unwrap();
    let world = World::of(&system, json!({}));
    organ(&world).await;
    let until = tokio::time::Instant::now() + Duration::from_millis(1100);
    while tokio::time::Instant::now() < until {
        organ(&world).await;
    }
    let tokens = system.books()["tokens"].clone();
    assert!(tokens["issued"].as_u64().unwrap() >= 2, "{tokens}");
    assert_eq!(tokens["refused_tokens"], 0, "renewed before it was refused: {tokens}");
}

#[tokio::test]
async fn a_second_401_is_the_users_to_mend() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    organ(&world).await;
    system.faults().set_text("401:op=GetOrganID").unwrap();
    let error = world.lookup("GetOrganID", json!({})).await.unwrap_err();
    assert_eq!((error.fault, error.retry), (Fault::User, Retry::No));
    assert!(error.message.contains("connection `hf`") && error.message.contains("GetOrganID"), "{error}");
    assert_eq!(error.help.as_deref(), Some("check `username` and `password` of connection `hf`"));
}

#[tokio::test]
async fn a_wrong_password_is_named_and_tried_once() {
    let system = human_focus().await;
    let world = World::of(&system, json!({"password": "wrong-password-marker"}));
    let reader = world.reader();
    for _ in 0..3 {
        let error = reader.check().await.unwrap_err();
        assert_eq!((error.fault, error.retry, error.effect), (Fault::User, Retry::No, Effect::None));
        assert!(error.message.contains("connection `hf`") && error.message.contains("refused the login"), "{error}");
        assert_eq!(error.help.as_deref(), Some("check `username` and `password` of connection `hf`"));
        assert!(!format!("{error:?}").contains("wrong-password-marker"));
    }
    assert_eq!(system.books()["tokens"]["refused_logins"], 1);
}

#[tokio::test]
async fn a_login_that_fails_for_a_passing_reason_is_tried_again() {
    let system = human_focus().await;
    system.faults().set_text("503:op=Token:first=1").unwrap();
    let world = World::of(&system, json!({}));
    let reader = world.reader();
    let error = reader.check().await.unwrap_err();
    assert!(error.is_passing() && error.effect == Effect::None, "{error:?}");
    reader.check().await.unwrap();
}

#[tokio::test]
async fn nobody_at_home_says_host_and_port() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let connector = support::builtin("human-focus");
    let settings = |base: &str| json!({"base_url": base, "organisation": "o", "username": "u", "password": "p"});
    let world = World::new(connector.clone(), settings(&format!("http://127.0.0.1:{port}")));
    let error = world.reader().check().await.unwrap_err();
    assert!(error.message.contains(&format!("127.0.0.1:{port} refused the connection")), "{error}");
    assert!(error.is_passing() && error.effect == Effect::None && error.help.is_some());
    let world = World::new(connector.clone(), settings("https://no-such-host.invalid"));
    let error = world.reader().check().await.unwrap_err();
    assert!(error.message.contains("no address is known for no-such-host.invalid:443"), "{error}");
    for wrong in ["", "ftp://x", "www.example.com", "https://u:p@example.com", "https://example.com/?a=b"] {
        let error = World::new(connector.clone(), settings(wrong))
            .connector
            .reader(&World::new(connector.clone(), settings(wrong)).connect);
        assert!(error.err().unwrap().message.contains("`base_url`"), "{wrong}");
    }
}

#[tokio::test]
async fn http_spoken_where_tls_is_expected_is_said_so() {
    let system = human_focus().await;
    let base = system.url().replace("http://", "https://");
    let error = World::of(&system, json!({"base_url": base})).reader().check().await.unwrap_err();
    assert!(error.message.contains("TLS") && error.message.contains("127.0.0.1:"), "{error}");
    assert!(!error.is_passing());
}

#[tokio::test]
async fn a_slow_answer_is_given_up_after_the_timeout() {
    let system = human_focus().await;
    let world = World::of(&system, json!({"timeout": 0.2}));
    system.faults().set_text("slow:ms=3000:op=GetOrganID").unwrap();
    let error = world.lookup("GetOrganID", json!({})).await.unwrap_err();
    assert!(error.message.contains("no answer from 127.0.0.1:") && error.message.contains("within 0.2 s"), "{error}");
    assert!(error.is_passing() && error.help.as_deref().unwrap().contains("`timeout`"));
}

#[tokio::test]
async fn pages_that_fail_are_asked_for_again_from_where_the_read_stood() {
    let seed = Seed { trainings: 95, ..Seed::default() };
    let system = towpath_sandbox::start("human-focus", Options { seed, ..Options::default() }).await.unwrap();
    let world = World::of(&system, json!({"overrides": {"GetAllTrainings": {"page_size": 10}}}));
    let organ = organ(&world).await;
    let with = json!({"OrganID": organ});
    let whole = drain(world.source("GetAllTrainings", with.clone(), None).as_mut()).await.unwrap().0;
    for nth in 1..=10 {
        system.faults().set_text(&format!("cut-body:op=GetAllTrainingsByOrganID:nth={nth}")).unwrap();
        let (frame, _, retries) = drain(world.source("GetAllTrainings", with.clone(), None).as_mut()).await.unwrap();
        assert_eq!(retries, 1, "page {nth}");
        assert!(frame.equals_missing(&whole), "page {nth}");
    }
}

#[tokio::test]
async fn a_host_that_asks_to_be_left_alone_is() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let reader = world.reader();
    reader.check().await.unwrap();
    system.faults().set_text("429:first=1:retry_after=1").unwrap();
    reader.check().await.unwrap_err();
    let start = std::time::Instant::now();
    reader.check().await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(800), "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_place_among_concurrent_requests_is_enough_for_a_login_in_between() {
    let system = human_focus().await;
    let world = World::of(&system, json!({"concurrency": 1}));
    organ(&world).await;
    system.revoke_tokens();
    organ(&world).await;
}
