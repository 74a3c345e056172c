//! Delivery of records to a system: keys, journal, limits, pace. One small pipeline that makes users of CSV rows.

use towpath_tests::{HUMAN_FOCUS, Ran, World, node};

/// Makes a user for each row of `people.csv`; `more` are further keys of the sink.
fn make_users(world: &World, people: &str, more: &str) -> Ran {
    world.scratch.write("people.csv", format!("person,name\n{people}"));
    let pipeline = PIPELINE.replace("HUMAN_FOCUS\n", HUMAN_FOCUS).replace("MORE", more);
    let file = world.scratch.write("users.yaml", pipeline);
    world.towpath("run").args([file]).run()
}

const PIPELINE: &str = r#"
version: 1
pipeline: users
HUMAN_FOCUS
sources:
  people: {connector: csv, path: people.csv, columns: {person: text, name: text}}
transforms:
  ready:
    input: people
    steps:
      - lookup: {connection: hf, stream: GetOrganID, take: {organ_id: OrganID}, missing: fail}
sinks:
  users:
    input: ready
    connection: hf
    operation: AddUser
    key: [person]
    record: {OrganID: "{{ organ_id }}", PersonIdentifier: "{{ person }}", TraineeName: "{{ name }}", SuperUser: 1}
    MORE
"#;

fn sent(world: &World) -> u64 {
    World::requests(&world.hf, "AddUser")
}

/// Delivered, skipped, rejected, of unknown outcome.
#[track_caller]
fn counts(world: &World) -> [u64; 4] {
    let run = world.last_run();
    ["rows_out", "skipped", "rejected", "unknown"].map(|name| node(&run, "users")[name].as_u64().expect(name))
}

fn people(count: usize) -> String {
    (0..count).map(|number| format!("new-{number},Person {number}\n")).collect()
}

#[test]
fn a_record_that_comes_twice_is_sent_once() {
    let world = World::new();
    make_users(&world, "ada-l,Ada\nbob-m,Bob\nada-l,Ada\n", "").ended(0);
    assert_eq!(sent(&world), 2);
    assert_eq!(counts(&world), [2, 1, 0, 0]);
}

#[test]
fn a_key_that_comes_with_other_content_is_a_reject_where_one_can_only_create() {
    let world = World::new();
    make_users(&world, "ada-l,Ada\nada-l,Ada Lovelace\n", "").ended(0);
    assert_eq!(sent(&world), 1);
    assert_eq!(counts(&world), [1, 0, 1, 0]);
    let reason = world.rejects()[0]["reason"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("other content") && reason.contains("AddUser"), "{reason}");
    assert!(reason.contains("what differs: `TraineeName`"), "{reason}");

    // In a later run as well.
    make_users(&world, "ada-l,Countess\n", "").ended(0);
    assert_eq!((sent(&world), counts(&world)), (1, [0, 0, 1, 0]));
}

#[test]
fn a_null_in_a_key_is_no_key() {
    let world = World::new();
    let ran = make_users(&world, "ada-l,Ada\n,Nobody\n", "");
    assert!(matches!(ran.code, Some(0 | 3)), "{:?} {}", ran.code, ran.stderr);
    assert_eq!(sent(&world), 1, "a record without a key is not sent: {}", ran.stderr);
    assert_eq!(counts(&world), [1, 0, 1, 0]);
}

#[test]
fn a_limit_on_rejects_is_exit_code_3_and_the_rest_is_delivered() {
    let world = World::new();
    world.hf_faults("refuse:op=AddUser:first=2:message=no seat");
    make_users(&world, &people(10), "max_rejects: 10%").ended(3).says("10%");
    assert_eq!(counts(&world), [8, 0, 2, 0]);
    world.hf_faults("");
    make_users(&world, &people(10), "max_rejects: 10%").ended(0);
    assert_eq!(counts(&world), [2, 8, 0, 0]);
}

#[test]
fn a_refusal_ends_the_run_where_it_is_asked_for() {
    let world = World::new();
    world.hf_faults("refuse:op=AddUser:nth=3:message=no seat");
    make_users(&world, &people(200), "on_error: fail\n    concurrency: 1").ended(1).says("no seat").says("`users`");
    assert!(sent(&world) < 200, "it ended early: {}", sent(&world));
    world.hf_faults("");
    make_users(&world, &people(200), "on_error: fail\n    concurrency: 4").ended(0);
    let users = world.hf.books()["users"].as_array().expect("users").clone();
    let new = users.iter().filter(|user| user["PersonIdentifier"].as_str().is_some_and(|id| id.starts_with("new-")));
    assert_eq!(new.count(), 200, "each once");
}

#[test]
fn a_record_of_unknown_outcome_is_sent_again_where_that_is_asked_for() {
    let world = World::new();
    world.hf_faults("cut:op=AddUser:nth=2:when=after");
    make_users(&world, "ada-l,Ada\nbob-m,Bob\n", "concurrency: 1").ended(3);
    assert_eq!((sent(&world), counts(&world)), (2, [1, 0, 0, 1]));
    make_users(&world, "ada-l,Ada\nbob-m,Bob\n", "").ended(3).says("is held");
    assert_eq!(sent(&world), 2, "held");
    // It had arrived: sent again it is turned down, which this system can tell.
    make_users(&world, "ada-l,Ada\nbob-m,Bob\n", "on_unknown: resend").ended(0);
    assert_eq!((sent(&world), counts(&world)), (3, [0, 1, 1, 0]));
}

#[test]
fn no_more_requests_are_under_way_than_allowed() {
    let world = World::new();
    world.hf_faults("slow:ms=20:op=AddUser");
    make_users(&world, &people(40), "concurrency: 3").ended(0);
    let most = world.hf.books()["requests"]["most_in_flight"].as_u64().expect("a count");
    assert!((2..=3).contains(&most), "{most} under way at once");
}

#[test]
fn a_rate_is_kept() {
    let world = World::new();
    make_users(&world, &people(12), "rate: 20/s\n    concurrency: 8").ended(0);
    let books = world.hf.books();
    let times: Vec<u64> = books["requests"]["latest"]
        .as_array()
        .expect("a log")
        .iter()
        .filter(|entry| entry["operation"] == "AddUser")
        .map(|entry| entry["at_ms"].as_u64().expect("a time"))
        .collect();
    let (first, last) = (times.iter().min().expect("some"), times.iter().max().expect("some"));
    assert!(last - first >= 11 * 50 - 60, "12 requests at 20 a second take 550 ms: {times:?}");
}

#[test]
fn a_later_run_sends_what_was_turned_down_and_nothing_else() {
    let world = World::new();
    world.hf_faults("refuse:op=AddUser:every=2:message=busy");
    make_users(&world, &people(6), "concurrency: 1").ended(0);
    assert_eq!(counts(&world), [3, 0, 3, 0]);
    world.hf_faults("");
    make_users(&world, &people(6), "").ended(0);
    assert_eq!((sent(&world), counts(&world)), (9, [3, 3, 0, 0]));
    make_users(&world, &people(6), "").ended(0);
    assert_eq!((sent(&world), counts(&world)), (9, [0, 6, 0, 0]));
}

#[test]
fn another_system_behind_the_same_connection_is_another_journal() {
    let (world, other) = (World::new(), World::new());
    make_users(&world, &people(3), "").ended(0);
    // The same state, the same pipeline, another address: what was delivered there is not delivered here.
    let file = world.scratch.at("users.yaml");
    world.towpath("run").args([file]).env("HUMAN_FOCUS_URL", other.hf.url()).run().ended(0);
    assert_eq!((sent(&world), sent(&other)), (3, 3));
}
