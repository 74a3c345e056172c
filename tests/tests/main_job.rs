//! The main job against both stand-ins: everything arrives, once, as it is, and what cannot arrive is said.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use towpath_sandbox::{AbsentUser, Options, Seed};
use towpath_tests::{Delivery, HUMAN_FOCUS, World, deliverable, deliverable_of_books, difference, node};

/// Demands that Human Focus holds just what it should.
#[track_caller]
fn holds(world: &World, expected: &[Delivery]) {
    let (missing, without_reason) = difference(expected, &world.uploads());
    assert!(missing.is_empty() && without_reason.is_empty(), "missing: {missing:#?}\ntoo many: {without_reason:#?}");
}

fn sized(people: usize, records: usize) -> Options {
    Options { seed: Seed { people, records, ..Seed::default() }, ..Options::default() }
}

/// Rows of the latest run's node `upload`: delivered, skipped, rejected, of unknown outcome.
#[track_caller]
fn upload_counts(world: &World) -> [u64; 4] {
    let run = world.last_run();
    let upload = node(&run, "upload");
    ["rows_out", "skipped", "rejected", "unknown"].map(|name| upload[name].as_u64().expect(name))
}

fn list<'a>(books: &'a Value, name: &str) -> &'a Vec<Value> {
    books[name].as_array().expect(name)
}

#[test]
fn everything_arrives_once_and_as_it_is() {
    let world = World::new();
    let expected = deliverable(&world.seed);
    assert!(expected.len() > 50, "a world worth the test");
    world.run().ended(0);
    holds(&world, &expected);

    let books = world.hf.books();
    for upload in list(&books, "uploads") {
        assert_eq!(upload["ProviderName"], "PeopleFluent", "{upload}");
        assert_eq!(upload["ValidityDuration"], 24, "{upload}");
        let title = upload["TrainingTitle"].as_str().expect("a title");
        assert_eq!(title, title.trim(), "white space around the title is not delivered");
    }
    assert_eq!(books["refused_uploads"], 0);
    assert_eq!(world.lms.books()["cookies_returned"], 0, "a session cookie pins the user of an earlier call");
    assert_eq!(World::requests(&world.lms, "trainingHistoryXml"), 1, "the history is read once");
}

#[test]
fn one_sink_at_a_time_is_enough_though_one_reads_the_results_of_another() {
    let world = World::new();
    let copy = world.copy_of_job(&[], "limits: {concurrency: 1}");
    world.towpath("run").args([copy]).run().ended(0);
    holds(&world, &deliverable(&world.seed));
}

#[test]
fn two_thousand_records_arrive() {
    let world = World::of(sized(150, 2_000));
    let expected = deliverable(&world.seed);
    assert!(expected.len() > 1_000, "a world worth the test");
    world.run().ended(0);
    holds(&world, &expected);
    world.run().ended(0);
    holds(&world, &expected);
}

#[test]
fn the_world_holds_what_is_easily_got_wrong() {
    // What the other tests of this file compare with is worth nothing if these are not in it.
    let all = deliverable(&Seed::default());
    let mut people_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut dates_of: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for delivery in &all {
        people_of.entry(&delivery.title).or_default().insert(&delivery.person);
        dates_of.entry((&delivery.person, &delivery.title)).or_default().insert(&delivery.completed);
    }
    assert!(people_of.values().any(|people| people.len() > 1), "two people share a title");
    assert!(dates_of.values().any(|dates| dates.len() > 1), "one person completed one title on two dates");
    let unknown = Seed::default().completions().filter(|completion| !completion.known).count();
    assert!(unknown > 0, "somebody is unknown to Human Focus");
    // At its own offset this one was completed in February.
    assert!(all.iter().any(|delivery| delivery.completed == "2021-03-01T04:30:00.000Z"), "midnight has passed in UTC");
}

#[test]
fn month_and_year_go_with_every_upload_and_agree_with_its_date() {
    let world = World::new();
    // The stand-in refuses what does not agree but takes an upload without month or year. The rule marks in the log the
    // requests whose body names both, and changes nothing else.
    world.hf_faults("slow:ms=1:op=UploadExternalTraining:body=\"CompletionDateMonth\"%3A\"");
    world.run().ended(0);
    let slow = |world: &World| world.hf.books()["requests"]["operations"]["UploadExternalTraining"]["faults"].clone();
    assert_eq!(slow(&world), deliverable(&world.seed).len(), "a month as text in each");
    assert_eq!(world.hf.books()["refused_uploads"], 0, "none disagreed");

    let world = World::new();
    world.hf_faults("slow:ms=1:op=UploadExternalTraining:body=\"CompletionDateYear\"%3A\"20");
    world.run().ended(0);
    assert_eq!(slow(&world), deliverable(&world.seed).len(), "a year as text in each");
}

#[test]
fn a_second_run_uploads_nothing_and_a_third_just_what_is_new() {
    let world = World::new();
    world.run().ended(0);
    let before = World::requests(&world.hf, "UploadExternalTraining");
    assert_eq!(before as usize, deliverable(&world.seed).len());

    world.run().ended(0);
    assert_eq!(World::requests(&world.hf, "UploadExternalTraining"), before, "nothing is sent again");
    assert_eq!(upload_counts(&world), [0, before, 0, 0]);
    holds(&world, &deliverable(&world.seed));

    assert!(world.lms.add_records(20));
    let expected = deliverable_of_books(&world.lms.books());
    let new = expected.len() as u64 - before;
    assert!(new > 0, "some of the added records are completions");
    world.run().ended(0);
    holds(&world, &expected);
    assert_eq!(World::requests(&world.hf, "UploadExternalTraining"), before + new, "just the new ones are sent");
}

#[test]
fn provider_and_trainings_are_made_once() {
    let world = World::new();
    world.run().ended(0);
    world.run().ended(0);
    assert!(world.lms.add_records(20));
    world.run().ended(0);

    let books = world.hf.books();
    let ours = list(&books, "providers").iter().filter(|provider| provider["ProviderName"] == "PeopleFluent");
    assert_eq!(ours.count(), 1);
    let mut titles: BTreeMap<&str, u32> = BTreeMap::new();
    for training in list(&books, "trainings").iter().filter(|training| training["ProviderName"] == "PeopleFluent") {
        *titles.entry(training["TrainingCourse"].as_str().expect("a title")).or_default() += 1;
    }
    let wanted: BTreeSet<String> =
        deliverable_of_books(&world.lms.books()).into_iter().map(|delivery| delivery.title).collect();
    assert_eq!(titles.keys().map(|title| (*title).to_owned()).collect::<BTreeSet<_>>(), wanted);
    assert!(titles.values().all(|count| *count == 1), "{titles:?}");
}

#[test]
fn people_human_focus_does_not_know_are_rejects_with_the_reason() {
    let world = World::new();
    world.run().ended(0);
    let strangers: Vec<String> = {
        let unknown = world.seed.completions().filter(|completion| !completion.known && !completion.older);
        let mut all: Vec<String> = unknown.map(|completion| completion.record_id).collect();
        all.sort();
        all
    };
    let rejects = world.rejects();
    let of_matched: Vec<&Value> = rejects.iter().filter(|reject| reject["node"] == "matched").collect();
    let mut found: Vec<String> = of_matched
        .iter()
        .map(|reject| reject["row"]["record_id"].as_str().expect("the row is kept").to_owned())
        .collect();
    found.sort();
    assert_eq!(found, strangers);
    for reject in of_matched {
        let reason = reject["reason"].as_str().expect("a reason");
        assert!(reason.contains("GetUserID"), "the reason names what was asked: {reason}");
        assert!(reject["value"].is_string() || reason.contains(reject["row"]["person"].as_str().expect("a person")));
    }
}

/// Whatever Human Focus answers for somebody it does not know, the others arrive.
#[track_caller]
fn strangers_are_strangers(absent_user: AbsentUser) {
    let seed = Seed { people: 12, records: 48, archived_people: 0.2, ..Seed::default() };
    let options = Options { seed, absent_user, ..Options::default() };
    let world = World::of(options);
    let strangers = world.seed.completions().filter(|completion| !completion.known && !completion.older).count();
    assert!(strangers > 0, "a world with strangers");
    world.run().ended(0);
    holds(&world, &deliverable(&world.seed));
    assert_eq!(node(&world.last_run(), "matched")["rejected"], strangers);
}

#[test]
fn an_absent_user_is_404() {
    strangers_are_strangers(AbsentUser::NotFound);
}

#[test]
fn an_absent_user_is_zero() {
    strangers_are_strangers(AbsentUser::Zero);
}

#[test]
fn an_absent_user_is_null() {
    strangers_are_strangers(AbsentUser::Null);
}

#[test]
fn an_absent_user_is_an_empty_answer() {
    strangers_are_strangers(AbsentUser::Empty);
}

#[test]
fn a_stranger_who_gets_an_account_is_delivered_in_the_next_run() {
    let world = World::new();
    world.run().ended(0);
    let stranger = world.seed.completions().find(|completion| !completion.known && !completion.older).expect("one");
    let refused = world.rejects().iter().filter(|reject| reject["row"]["person"] == stranger.user_id.as_str()).count();
    assert!(refused > 0);

    // Human Focus comes to know everybody: another stand-in of the same people and the same address cannot be had, so the
    // account is made the way an administrator would.
    let made = make_user(&world, &stranger.user_id);
    assert!(made.contains("true"), "{made}");
    world.run().ended(0);
    let arrived = world.uploads().iter().filter(|delivery| delivery.person == stranger.user_id).count();
    assert_eq!(arrived, refused, "all of the stranger's completions");
    assert_eq!(world.uploads().len(), deliverable(&world.seed).len() + refused);
}

#[test]
fn a_stranger_who_gets_an_account_is_delivered_by_a_replay_that_reads_no_history() {
    let world = World::new();
    world.run().ended(0);
    let run = world.last_run()["run"].as_str().expect("a run").to_owned();
    let (open, before) = (world.rejects(), world.uploads().len());
    let stranger = world.seed.completions().find(|completion| !completion.known && !completion.older).expect("one");
    let theirs = open.iter().filter(|reject| reject["row"]["person"] == stranger.user_id.as_str()).count();
    assert!(theirs > 0 && theirs < open.len(), "others stay strangers");
    assert!(make_user(&world, &stranger.user_id).contains("true"));

    world.towpath(&format!("rejects replay {run}")).run().ended(0);
    assert_eq!(world.uploads().len(), before + theirs);
    assert_eq!(world.rejects().len(), open.len() - theirs, "the others are rejects of the replay");
    let still = world.towpath("rejects list --format json --limit 1000000").run().ended(0).json_lines();
    assert_eq!(still.len(), open.len() - theirs, "and open once");
    assert_eq!(World::requests(&world.lms, "trainingHistoryXml"), 1, "the history is read once");

    // Any later run has nothing to add.
    world.run().ended(0);
    assert_eq!(world.uploads().len(), before + theirs);
    assert_eq!(world.towpath("rejects list --format json").run().json_lines().len(), open.len() - theirs);
}

/// Makes a user through the pipeline language itself: one row, one operation.
fn make_user(world: &World, person: &str) -> String {
    let scratch = &world.scratch;
    scratch.write("people.csv", format!("person\n{person}\n"));
    let pipeline = r#"
version: 1
pipeline: make-user
HUMAN_FOCUS
sources:
  people: {connector: csv, path: people.csv}
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
    record: {OrganID: "{{ organ_id }}", PersonIdentifier: "{{ person }}", TraineeName: "{{ person }}", SuperUser: 1}
"#;
    scratch.write("make-user.yaml", pipeline.replace("HUMAN_FOCUS\n", HUMAN_FOCUS));
    let ran = world.towpath("run").args([scratch.at("make-user.yaml")]).run().ended(0);
    format!("true {}", ran.stderr)
}

#[test]
fn refused_uploads_are_rejects_in_the_vendors_words_and_arrive_later() {
    let world = World::new();
    world.hf_faults("refuse:op=UploadExternalTraining:every=5:message=The licence is used up.");
    world.run().ended(0);
    let expected = deliverable(&world.seed);
    let refused = expected.len() / 5;
    assert_eq!(upload_counts(&world), [(expected.len() - refused) as u64, 0, refused as u64, 0]);
    let rejects = world.rejects();
    let of_upload: Vec<&Value> = rejects.iter().filter(|reject| reject["node"] == "upload").collect();
    assert_eq!(of_upload.len(), refused);
    for reject in of_upload {
        assert_eq!(reject["reason"], "The licence is used up.");
        assert!(reject["row"]["title"].is_string(), "the row is kept: {reject}");
    }

    world.hf.faults().clear();
    world.run().ended(0);
    holds(&world, &expected);
    assert_eq!(upload_counts(&world), [refused as u64, (expected.len() - refused) as u64, 0, 0]);
}

#[test]
fn an_archived_person_is_a_stranger() {
    let seed = Seed { archived_people: 0.25, unknown_people: 0.0, ..Seed::default() };
    let world = World::of(Options { seed, ..Options::default() });
    let expected = deliverable(&world.seed);
    assert!(expected.len() < world.seed.completions().filter(|completion| !completion.older).count());
    world.run().ended(0);
    holds(&world, &expected);
}

#[test]
fn a_small_page_is_not_the_whole_list() {
    // A training is found again on the second page as well as on the first.
    let world = World::of(Options { page_cap: 3, ..Options::default() });
    world.run().ended(0);
    world.run().ended(0);
    holds(&world, &deliverable(&world.seed));
}
