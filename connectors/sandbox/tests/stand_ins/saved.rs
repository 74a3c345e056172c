//! What a stopped stand-in leaves, met again: nothing lost, and going on as if it had never stopped.

use fastrand::Rng;
use reqwest::{
    StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use towpath_sandbox::{Error, Options, RestoreProblem, Seed, start};

use crate::client::{HISTORY, HUMAN_FOCUS, HumanFocus, PEOPLE_FLUENT, answer, document, people_fluent, records};

/// Names that are equal but for capitals, need escaping, or are not ASCII.
const NAMES: [&str; 8] = ["ann", "ANN", "Zoë", "zoë", "o'brien", "a,\"b\"", "𠮷田", "x y"];

/// What is asked of a Human Focus: one operation that changes it, or one that reads it.
enum Step {
    Post(&'static str, Value),
    Get(String),
    File(String, usize),
}

/// Seeded users, users created on the way, the administrator, and some nobody has.
fn user(rng: &mut Rng) -> u64 {
    match rng.u8(..20) {
        0 => 100_001,
        1 => 999_999,
        _ => rng.u64(110_022..110_056),
    }
}

fn users(rng: &mut Rng) -> String {
    let ids: Vec<_> = (0..rng.usize(1..4)).map(|_| user(rng).to_string()).collect();
    ids.join(",")
}

fn one_of<T: Copy, const N: usize>(rng: &mut Rng, among: [T; N]) -> T {
    among[rng.usize(..N)]
}

fn name(rng: &mut Rng) -> String {
    format!("{}{}", one_of(rng, NAMES), rng.u8(..6))
}

/// Seeded groups of a kind, groups created on the way, and some that are none.
fn group(rng: &mut Rng, kind: usize) -> u64 {
    match kind {
        0 => one_of(rng, [30, 31, 32, 5432, 5433]),
        1 => rng.u64(27..32),
        _ => rng.u64(40_656..40_661),
    }
}

fn step(rng: &mut Rng) -> Step {
    let kind = rng.usize(..3);
    match rng.u8(..20) {
        0..=2 => Step::Post(
            "AddUser",
            json!({"OrganID": 12345, "PersonIdentifier": name(rng), "TraineeName": name(rng), "SuperUser": rng.u64(1..8),
                "PhoneNumber": name(rng), "JobRole": name(rng), "UserGroup": [{"id": rng.u64(30..33)}]}),
        ),
        3..=5 => Step::Post(
            "EditUser",
            json!({"OrganID": 12345, "UserID": user(rng), "PersonIdentifier": name(rng), "Email": name(rng), "CountryCode": "44"}),
        ),
        6 => Step::Post("ArchiveUser", json!({"UserIds": users(rng), "IsArchive": rng.bool()})),
        7 => Step::Post(
            ["AddUserGroup", "AddSiteLocation", "AddDepartment"][kind],
            json!({"OrganID": 12345, "GroupName": name(rng), "UserID": "1"}),
        ),
        8 => Step::Post(
            ["UpdateUserGroup", "UpdateSiteLocation", "UpdateDepartment"][kind],
            json!({"OrganID": 12345, "GroupName": name(rng), "GroupID": group(rng, kind), "UserID": "1"}),
        ),
        9 => Step::Post(
            "AssignUserGroups",
            json!({"UserId": user(rng), "CompetencyGroupIds": group(rng, 0).to_string(), "IsAssign": rng.bool()}),
        ),
        10 => Step::Post("AssignUsersToUserGroup", json!({"UserIds": users(rng), "CompetencyGroupIds": group(rng, 0)})),
        11 => Step::Post(
            ["AssignUsersToSiteLocation", "AssignUsersToDepartment"][kind % 2],
            json!({"OrganID": 12345, "UserIds": users(rng), "GroupId": ([28, 40_657][kind % 2]),
                "GroupName": (["London HQ", "Operations"][kind % 2])}),
        ),
        12 => {
            Step::Post("AddExternalTrainingProvider", json!({"PrvName": name(rng), "CreatedBy": 1, "OrganId": 12345}))
        }
        13 => Step::Post(
            "AddExternalTrainingDetails",
            json!({"trainingDetailsList": [{"ExtTrainTitle": name(rng), "ExtTrainDuration": rng.i64(-1..9),
                "ExtTrainPrvID": one_of(rng, [22, 451, 1673, 1674]), "CreatedBy": 1}]}),
        ),
        14..=16 => upload(rng),
        17 => Step::File(name(rng), rng.usize(1..5000)),
        18 => Step::Get("GetUserGroups/acme".to_owned()),
        _ => Step::Post(
            "GetUploadedTrainings",
            json!({"OrganID": 12345, "PageSize": 7, "PageIndex": rng.u64(1..9), "SearchText": ""}),
        ),
    }
}

/// Now and then one that is refused, which is counted.
fn upload(rng: &mut Rng) -> Step {
    let place = rng.u64(..3);
    let title = format!("Toolbox talk {}", place + 1);
    let (provider, provider_name) =
        [(22, "Test"), (249, "St John Ambulance"), (451, "Warm ")][usize::from(place as u8)];
    Step::Post(
        "UploadExternalTraining",
        json!({"OrganID": 12345, "UserID": user(rng), "ProviderID": provider, "ProviderName": provider_name,
            "TrainingID": 123_459 + place, "TrainingTitle": title,
            "CompletionDate": format!("20{:02}-02-28T23:59:59.{:09}Z", rng.u8(10..30), rng.u32(..1_000_000_000)),
            // The last is beyond the year 9999.
            "ValidityDuration": one_of(rng, [-1, 0, 24, 120_000]),
            "CertImageURL": one_of(rng, ["", "https://example.org/a?b=c&d"])}),
    )
}

async fn ask(hf: &HumanFocus, step: &Step) -> (StatusCode, Value) {
    match step {
        Step::Get(rest) => hf.get(rest).await,
        Step::Post(operation, body) => answer(hf.posting(operation, body).send().await.unwrap()).await,
        Step::File(name, bytes) => {
            let address = hf.address("UploadFile?bucket=ftp-hfcbtbyb-cert&directory=CBTbyB_Cert/CertImage12345");
            let part = Part::bytes(vec![7; *bytes]).file_name(name.clone());
            let form = Form::new().part("file", part);
            let request = hf.client.post(address).bearer_auth(&hf.token);
            answer(request.multipart(form).send().await.unwrap()).await
        }
    }
}

/// The books but for traffic, which is not kept.
fn lasting(mut books: Value) -> Value {
    let traffic = ["requests", "tokens", "bytes_sent", "cookies_returned", "refused_logins"];
    for name in traffic {
        books.as_object_mut().unwrap().remove(name);
    }
    books
}

/// Everything that can be read, which is more than the books show.
async fn everything(hf: &HumanFocus) -> Vec<(StatusCode, Value)> {
    let results = |status| Step::Post("GetTrainingResults", json!({"OrganID": "12345", "UserStatus": status}));
    let mut steps = vec![Step::Get("GetAllUsers/acme".to_owned()), results("Act"), results("Arc")];
    let users = hf.system.books()["users"].take();
    for user in users.as_array().unwrap() {
        let mut path = reqwest::Url::parse("http://h/").unwrap();
        let identifier = user["PersonIdentifier"].as_str().unwrap();
        path.path_segments_mut().unwrap().push(identifier);
        let person = path.path();
        steps.push(Step::Get(format!("GetUserID/acme{person}")));
        steps.push(Step::Get(format!("GetUserDetails/acme{person}")));
        steps.push(Step::Get(format!("GetUserTrainingResultDetail/acme{person}")));
    }
    let mut answers = Vec::with_capacity(steps.len());
    for step in &steps {
        answers.push(ask(hf, step).await);
    }
    answers
}

/// As a file would carry it.
fn through_text(saved: &Value) -> Value {
    serde_json::from_str(&saved.to_string()).unwrap()
}

fn restoring(saved: Value) -> Options {
    Options { restore: Some(saved), ..Options::default() }
}

#[tokio::test]
async fn a_restored_human_focus_goes_on_like_one_that_never_stopped() {
    let mut changes = 0;
    for number in 0..6 {
        let mut rng = Rng::with_seed(number);
        let first = HumanFocus::start(Options::default()).await;
        for _ in 0..200 {
            let (_, said) = ask(&first, &step(&mut rng)).await;
            changes += usize::from(said["Status"] == true);
        }
        let saved = first.system.save();
        let second = HumanFocus::start(restoring(through_text(&saved))).await;
        assert_eq!(second.system.save(), saved, "world {number}");
        assert_eq!(lasting(second.system.books()), lasting(first.system.books()), "world {number}");
        assert_eq!(everything(&second).await, everything(&first).await);

        // New ids among the answers have to be the same, and so does what the changes meet.
        for turn in 0..100 {
            let step = step(&mut rng);
            let (left, right) = (ask(&first, &step).await, ask(&second, &step).await);
            assert_eq!(left, right, "world {number}, step {turn}");
        }
        assert_eq!(everything(&second).await, everything(&first).await);
        assert_eq!(second.system.save(), first.system.save(), "world {number}");
    }
    assert!(changes > 600, "most steps did something: {changes}");
}

#[tokio::test]
async fn what_was_created_is_found_after_a_stop_and_new_ids_are_fresh() {
    let hf = HumanFocus::start(Options::default()).await;
    let new_user = json!({"OrganID": 12345, "PersonIdentifier": "new.one", "TraineeName": "New One", "SuperUser": 1});
    hf.post("AddUser", new_user).await;
    let user = hf.user_id("new.one").await.unwrap();
    let (provider, training) = hf.training("PeopleFluent", "Ladders").await;
    let group = async |hf: &HumanFocus, name: &str| {
        let body = json!({"OrganID": 12345, "GroupName": name, "UserID": "1"});
        hf.post("AddUserGroup", body).await["UserGroupData"]["GroupID"].as_u64().unwrap()
    };
    let first_group = group(&hf, "Night shift").await;
    let upload = json!({"OrganID": 12345, "UserID": user, "ProviderID": provider, "ProviderName": "PeopleFluent",
        "TrainingID": training, "TrainingTitle": "Ladders", "CompletionDate": "2026-04-16T09:30:00.000Z"});
    hf.post("UploadExternalTraining", upload.clone()).await;

    let saved = hf.system.save();
    let text = saved.to_string();
    assert!(!text.contains(&hf.token) && !text.contains("p@ss"));
    let HumanFocus { system, token, .. } = hf;
    system.stop().await;

    let hf = HumanFocus::start(restoring(through_text(&saved))).await;
    assert_eq!(hf.user_id("NEW.one").await, Some(user));
    assert_eq!(hf.system.books()["uploads"].as_array().unwrap().len(), 1);
    assert_eq!(hf.system.books()["requests"]["total"], 2, "the log starts anew");
    hf.post("UploadExternalTraining", upload).await;
    assert_eq!(hf.system.books()["uploads"].as_array().unwrap().len(), 2);
    assert_eq!(group(&hf, "Day shift").await, first_group + 1);
    let taken = json!({"OrganID": 12345, "GroupName": "Night shift", "UserID": "1"});
    assert!(hf.refusal("AddUserGroup", taken).await.contains("already exists"));
    let (next_provider, next_training) = hf.training("Another", "Ladders, again").await;
    assert_eq!((next_provider, next_training), (provider + 1, training + 1));
    let before = HumanFocus { token, ..hf };
    assert_eq!(before.get("GetOrganID/acme").await.0, StatusCode::UNAUTHORIZED, "tokens are not kept");
}

#[tokio::test]
async fn identifiers_that_changed_hands_stay_with_their_holders() {
    let hf = HumanFocus::start(Options::default()).await;
    let books = hf.system.books();
    let (lower, higher) = (&books["users"][1], &books["users"][2]);
    let freed = higher["PersonIdentifier"].as_str().unwrap();
    for (user, identifier) in [(higher, "somebody.else"), (lower, freed)] {
        let change = json!({"OrganID": 12345, "UserID": user["UserID"], "PersonIdentifier": identifier});
        assert_eq!(hf.post("EditUser", change).await["Status"], true);
    }
    let again = HumanFocus::start(restoring(hf.system.save())).await;
    for hf in [&hf, &again] {
        assert_eq!(hf.user_id(freed).await, lower["UserID"].as_u64());
        assert_eq!(hf.user_id("somebody.else").await, higher["UserID"].as_u64());
    }
}

#[tokio::test]
async fn added_records_of_people_fluent_are_there_again() {
    let system = people_fluent(Options::default()).await;
    assert_eq!(system.save()["state"], json!({"records_added": 0}));
    system.add_records(7);
    let (saved, books) = (system.save(), lasting(system.books()));
    let before = records(&document(&system, HISTORY, &[]).await);
    system.stop().await;

    let system = people_fluent(restoring(through_text(&saved))).await;
    assert_eq!(lasting(system.books()), books);
    let ids =
        |records: &[crate::client::Record]| -> Vec<String> { records.iter().map(|record| record.id.clone()).collect() };
    let after = records(&document(&system, HISTORY, &[]).await);
    assert_eq!(ids(&after), ids(&before));
    system.add_records(1);
    assert_eq!(system.books()["records"], 128);
}

/// Why the start was refused, and what the user reads.
async fn refused(system: &str, options: Options) -> (RestoreProblem, String) {
    match start(system, options).await {
        Err(error @ Error::Restore { .. }) => {
            let text = error.to_string();
            let Error::Restore { problem, .. } = error else {
                unreachable!("matched above");
            };
            (problem, text)
        }
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn a_state_that_does_not_belong_here_is_refused_with_advice() {
    let hf = start(HUMAN_FOCUS, Options::default()).await.unwrap();
    let saved = hf.save();

    let seed = Seed { people: 60, completed: 0.1 + 0.2, ..Seed::default() };
    let other_world = Options { seed: seed.clone(), ..restoring(saved.clone()) };
    let (problem, text) = refused(HUMAN_FOCUS, other_world).await;
    let differences = vec![
        "people: 24 saved, 60 asked for".to_owned(),
        "completed: 0.6 saved, 0.30000000000000004 asked for".to_owned(),
    ];
    assert_eq!(problem, RestoreProblem::Seed { differences });
    assert!(text.contains("delete the file") && text.ends_with("ask for the same world again"), "{text}");

    let (problem, text) = refused(PEOPLE_FLUENT, restoring(saved.clone())).await;
    let found = HUMAN_FOCUS.to_owned();
    assert_eq!(problem, RestoreProblem::System { found });
    assert!(text.contains("delete the file") && text.contains("`peoplefluent`"), "{text}");

    let mut later = saved.clone();
    later["format"] = json!(2);
    let (problem, text) = refused(HUMAN_FOCUS, restoring(later)).await;
    assert_eq!(problem, RestoreProblem::Format { found: 2 });
    assert!(text.contains("version 2") && text.contains("delete the file"), "{text}");

    for strange in [Value::Null, json!([]), json!({}), json!({"format": 1}), json!("x")] {
        let (problem, _) = refused(HUMAN_FOCUS, restoring(strange.clone())).await;
        assert_eq!(problem, RestoreProblem::Unlabelled, "{strange}");
    }

    let mut damaged = saved.clone();
    damaged["state"]["users"].as_object_mut().unwrap().remove("next");
    let (problem, text) = refused(HUMAN_FOCUS, restoring(damaged)).await;
    assert!(matches!(problem, RestoreProblem::Damaged(_)));
    assert!(text.contains("`next`") && text.contains("delete the file"), "{text}");
    let mut damaged = start(PEOPLE_FLUENT, Options::default()).await.unwrap().save();
    damaged["state"] = json!({"records_added": "seven"});
    let (problem, _) = refused(PEOPLE_FLUENT, restoring(damaged)).await;
    assert!(matches!(problem, RestoreProblem::Damaged(_)));

    // An odd share survives the way through a file.
    let odd = Options { seed, ..Options::default() };
    let kept = start(HUMAN_FOCUS, odd.clone()).await.unwrap().save();
    let again = Options { restore: Some(through_text(&kept)), ..odd };
    assert_eq!(start(HUMAN_FOCUS, again).await.unwrap().save(), kept);
}

#[tokio::test]
async fn a_reset_goes_back_to_the_seed_not_to_what_was_restored() {
    let hf = HumanFocus::start(Options::default()).await;
    let fresh = hf.system.save();
    hf.training("PeopleFluent", "Ladders").await;
    let again = HumanFocus::start(restoring(hf.system.save())).await;
    assert_ne!(again.system.save(), fresh);
    let reset = format!("{}/sandbox/reset", again.system.origin());
    again.client.post(reset).send().await.unwrap();
    assert_eq!(again.system.save(), fresh);
}
