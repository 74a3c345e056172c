//! Every stream and operation of Human Focus, over real HTTP against its stand-in.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value as Json, json};
use support::{World, confirmed, drain, human_focus, object, refusal};
use towpath_connector::{Answer, Fault, Verified};
use towpath_sandbox::{AbsentUser, Options, Seed};

async fn organ(world: &World) -> Json {
    world.lookup("GetOrganID", json!({})).await.unwrap()[0]["OrganID"].clone()
}

/// The identifier of some person who is known.
async fn person(world: &World) -> String {
    let users = world.lookup("ListUsers", json!({})).await.unwrap();
    users[0]["Worksident"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn check_asks_for_the_organisation() {
    let system = human_focus().await;
    World::of(&system, json!({})).reader().check().await.unwrap();
}

#[tokio::test]
async fn reads_with_parameters_in_the_path() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let groups = world.lookup("GetUserGroups", json!({})).await.unwrap();
    assert!(groups.iter().any(|group| group["UserGroup"] == "-"), "a group's name is no null marker: {groups:?}");
    let person = person(&world).await;
    let id = world.lookup("GetUserID", json!({"PersonIdentifier": person})).await.unwrap();
    assert_eq!(id.len(), 1);
    assert!(id[0]["UserID"].is_i64(), "{id:?}");
    let details = world.lookup("GetUserDetails", json!({"PersonIdentifier": person})).await.unwrap();
    assert_eq!(details[0]["UserID"], id[0]["UserID"]);
    let history = world.lookup("GetUserTrainingHistory", json!({"PersonIdentifier": person})).await.unwrap();
    assert!(history.iter().all(|row| row["CompletionDate"] != "1900-01-01T00:00:00"));
    let all = world.lookup("ListUsers", json!({})).await.unwrap();
    let supervisors = world.lookup("ListUsers", json!({"SuperUser": 5})).await.unwrap();
    assert!(supervisors.len() < all.len());
    assert!(all.iter().all(|user| user["UserID"].is_i64()), "written as text, read as a number");
}

#[tokio::test]
async fn a_person_who_is_not_known_is_no_record_however_that_is_said() {
    for absent_user in [AbsentUser::NotFound, AbsentUser::Empty, AbsentUser::Zero, AbsentUser::Null] {
        let system =
            towpath_sandbox::start("human-focus", Options { absent_user, ..Options::default() }).await.unwrap();
        let world = World::of(&system, json!({}));
        let found = world.lookup("GetUserID", json!({"PersonIdentifier": "nobody.at/all"})).await.unwrap();
        assert_eq!(found, []);
    }
}

#[tokio::test]
async fn an_empty_identifier_asks_nothing() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    for person in [json!(null), json!(""), json!(".."), json!(".")] {
        assert_eq!(world.lookup("GetUserID", json!({"PersonIdentifier": person})).await.unwrap(), []);
    }
    assert!(!system.books()["requests"].to_string().contains("GetUserID"));
}

#[tokio::test]
async fn paged_reads_come_whole() {
    for (trainings, size) in [(0, 10), (9, 10), (10, 10), (11, 10), (250, 100)] {
        let seed = Seed { trainings, ..Seed::default() };
        let system = towpath_sandbox::start("human-focus", Options { seed, ..Options::default() }).await.unwrap();
        let world = World::of(&system, json!({"overrides": {"GetAllTrainings": {"page_size": size}}}));
        let organ = organ(&world).await;
        let mut source = world.source("GetAllTrainings", json!({"OrganID": organ}), None);
        let (frame, rejects, _) = drain(source.as_mut()).await.unwrap();
        assert_eq!((frame.height(), rejects.len()), (trainings, 0));
        let ids = support::texts(&frame, "ContentID");
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), trainings);
    }
}

#[tokio::test]
async fn completed_results_have_their_odd_dates_as_times() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let organ = organ(&world).await;
    let results = world.lookup("GetCompletedTrainingResults", json!({"OrganID": organ})).await.unwrap();
    assert!(!results.is_empty());
    assert!(results.iter().all(|row| row["ResultDate"].as_str().unwrap().ends_with("+00:00")), "{:?}", results[0]);
}

#[tokio::test]
async fn the_main_job_provider_training_upload() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let organ = organ(&world).await;
    let person = person(&world).await;
    let user = world.lookup("GetUserID", json!({"PersonIdentifier": person})).await.unwrap()[0]["UserID"].clone();
    let provider = confirmed(
        world
            .send("CreateExternalTrainingProvider", json!({"PrvName": "LMS", "CreatedBy": user, "OrganId": organ}))
            .await,
    );
    let provider = provider["ProviderId"].clone();
    assert!(provider.is_i64());
    confirmed(
        world
            .send(
                "AddExternalTrainingDetails",
                json!({"ExtTrainTitle": "Ropes & \"knots\"", "ExtTrainDuration": 2, "ExtTrainPrvID": provider, "CreatedBy": user}),
            )
            .await,
    );
    let found = world
        .lookup("ListUploadedTrainings", json!({"OrganID": organ, "SearchText": "Ropes & \"knots\""}))
        .await
        .unwrap();
    let training =
        found.iter().find(|row| row["TrainingCourse"] == "Ropes & \"knots\"" && row["ProviderId"] == provider);
    let training = training.unwrap()["TrainingId"].clone();
    let answer = confirmed(
        world
            .send(
                "UploadExternalTraining",
                json!({
                    // Numbers written as text are sent as numbers, as the definition declares them.
                    "UserID": user.to_string(), "OrganID": organ, "ProviderID": provider, "TrainingID": training,
                    "ProviderName": "LMS", "TrainingTitle": "Ropes & \"knots\"", "CompletionDateMonth": "04",
                    "CompletionDateYear": "2026", "ValidityDuration": 24, "CompletionDate": "2026-04-16T00:00:00.000Z",
                }),
            )
            .await,
    );
    assert_eq!(answer["Message"], "Training Uploaded Successfully");
}

#[tokio::test]
async fn users_and_groups() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let organ = organ(&world).await;
    let added = confirmed(
        world
            .send(
                "AddUser",
                json!({
                    "OrganID": organ, "PersonIdentifier": "new.person", "TraineeName": "New Person", "FirstName": "New",
                    "LastName": "Person", "Email": "new@example.com", "PhoneNumber": "+443231234567", "CountryCode": "+44",
                    "SuperUser": 1, "UserGroup": [{"id": 31, "itemName": "Manual Work"}], "DefaultPassword": true,
                    "Password": "", "Username": "new.person",
                }),
            )
            .await,
    );
    assert_eq!(added["PersonIdentifier"], "new.person");
    let id = world.lookup("GetUserID", json!({"PersonIdentifier": "new.person"})).await.unwrap()[0]["UserID"].clone();
    let edited = json!({
        "OrganID": organ, "UserID": id, "PersonIdentifier": "new.person", "TraineeName": "Newer Person",
        "Email": "new@example.com", "PhoneNumber": "+443231234567", "CountryCode": "+44", "SuperUser": 7,
        "SiteLocation": "-", "Department": "-", "TrainingSet": "", "UserGroup": [{"id": 31, "itemName": "Manual Work"}],
        "Username": "new.person",
    });
    confirmed(world.send("EditUser", edited).await);
    let details = world.lookup("GetUserDetails", json!({"PersonIdentifier": "new.person"})).await.unwrap();
    assert_eq!(details[0]["TraineeAKA"], "Newer Person");
    confirmed(world.send("ArchiveOrRestoreUser", json!({"UserIds": id, "IsArchive": true})).await);
    confirmed(world.send("ArchiveOrRestoreUser", json!({"UserIds": id, "IsArchive": false})).await);
    let groups = confirmed(
        world
            .send(
                "AssignUserGroupsToUser",
                json!({"UserId": id, "CompetencyGroupIds": "31", "IsAssign": true, "Username": "a"}),
            )
            .await,
    );
    assert!(groups["AssignedCompetencyGroupList"].is_array());
    for (create, update, assign, group_key) in [
        ("CreateUserGroup", "UpdateUserGroup", "AssignUsersToUserGroup", "CompetencyGroupIds"),
        ("CreateSiteLocation", "UpdateSiteLocation", "AssignUsersToSiteLocation", "GroupId"),
        ("CreateDepartment", "UpdateDepartment", "AssignUsersToDepartment", "GroupId"),
    ] {
        let by = json!({"OrganID": organ, "GroupName": format!("{create} one"), "UserID": id, "UserName": "a"});
        let group = confirmed(world.send(create, by).await)["GroupID"].clone();
        assert!(group.is_i64(), "{create}");
        let renamed = format!("{create} two");
        let by = json!({"OrganID": organ, "GroupName": renamed, "GroupID": group, "UserID": id, "UserName": "a"});
        confirmed(world.send(update, by).await);
        let placed = json!({"UserIds": id, "OrganID": organ, group_key: group, "GroupName": renamed});
        assert!(confirmed(world.send(assign, placed).await)["Message"].as_str().unwrap().contains("assigned"));
    }
}

#[tokio::test]
async fn a_certificate_is_uploaded_from_the_folder_and_from_nowhere_else() {
    let system = human_focus().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cert.png"), vec![7; 100_000]).unwrap();
    let world = World::of(&system, json!({"files": folder.path()}));
    let organ = organ(&world).await;
    let answer = confirmed(world.send("UploadCertificateFile", json!({"OrganID": organ, "file": "cert.png"})).await);
    assert!(answer["imgPath"].as_str().unwrap().starts_with("https://"), "{answer}");
    assert!(system.books().to_string().contains("\"bytes\":100000"));
    for outside in ["../etc/passwd", "/etc/passwd", "nothing.png", "."] {
        let message = refusal(world.send("UploadCertificateFile", json!({"OrganID": organ, "file": outside})).await);
        assert!(message.contains("no file") || message.contains("not a file inside"), "{message}");
    }
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_refused_before_it_is_sent() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let send = |record| world.send("UploadExternalTraining", record);
    assert_eq!(refusal(send(json!({"OrganID": 1})).await), "`UserID` is required");
    let message = refusal(send(json!({"OrganID": 1, "UserID": "abc", "CompletionDate": "x"})).await);
    assert!(message.starts_with("`UserID`: "), "{message}");
    let message = refusal(world.send("AddUser", json!({"OrganID": 1, "PersonIdentifier": "a", "SuperUser": 2})).await);
    assert_eq!(message, "`SuperUser` is `2`, expected one of 1, 3, 4, 5, 6, 7");
    assert!(!system.books()["requests"].to_string().contains("UploadExternalTraining"));
}

#[tokio::test]
async fn an_override_moves_an_operation() {
    let system = human_focus().await;
    let world = World::of(
        &system,
        json!({"overrides": {"GetUserID": {"path": "/api/cbt/GetUserDetails/{OrganisationIdentifier}/{PersonIdentifier}"}}}),
    );
    let error = world.lookup("GetUserID", json!({"PersonIdentifier": "x y"})).await;
    assert!(system.books()["requests"].to_string().contains("GetUserDetails"), "{error:?}");
    let world = World::of(&system, json!({"overrides": {"GetUserId": {"path": "/x"}}}));
    let error = world.connector.reader(&world.connect).err().unwrap();
    assert_eq!(error.fault, Fault::User);
    assert!(error.message.contains("there is no stream or operation `GetUserId`"), "{error}");
    assert_eq!(error.help.as_deref(), Some("did you mean `GetUserID`?"));
}

#[tokio::test]
async fn a_list_of_trainings_with_a_bad_one_makes_the_good_ones() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let training = |title: &str, provider: i64| object(json!({"ExtTrainTitle": title, "ExtTrainPrvID": provider}));
    let list = [training("A 1", 22), training("A 2", 9), training("A 3", 22), training("A 4", 451)];
    let answers = world.operation("AddExternalTrainingDetails").send_batch(&list).await;
    let refused: Vec<bool> =
        answers.into_iter().map(|answer| matches!(answer.unwrap(), Answer::Refused { .. })).collect();
    assert_eq!(refused, [false, true, false, false]);
    let organ = organ(&world).await;
    let found = world.lookup("ListUploadedTrainings", json!({"OrganID": organ, "SearchText": "A "})).await.unwrap();
    let mut titles: Vec<&str> = found.iter().filter_map(|row| row["TrainingCourse"].as_str()).collect();
    titles.retain(|title| title.starts_with("A "));
    assert_eq!(titles, ["A 1", "A 3", "A 4"], "each is made once");
}

#[tokio::test]
async fn an_upload_of_unknown_outcome_is_looked_for_among_the_results() {
    let system = human_focus().await;
    let world = World::of(&system, json!({}));
    let person = person(&world).await;
    let user = world.lookup("GetUserID", json!({"PersonIdentifier": person})).await.unwrap()[0]["UserID"].clone();
    let organ = organ(&world).await;
    let search = json!({"OrganID": organ, "SearchText": "Toolbox talk 1"});
    let training = &world.lookup("ListUploadedTrainings", search).await.unwrap()[0];
    let upload = |completed: &str| {
        object(json!({
            "UserID": user, "OrganID": organ, "ProviderID": training["ProviderId"], "TrainingID": training["TrainingId"],
            "ProviderName": training["ProviderName"], "TrainingTitle": training["TrainingCourse"],
            "CompletionDate": completed,
        }))
    };
    let operation = world.operation("UploadExternalTraining");
    assert!(operation.info().verifies);
    let sent = upload("2025-04-16T09:30:15.000Z");
    assert_eq!(operation.verify(&sent).await.unwrap(), Verified::NotFound);
    confirmed(operation.send(&sent).await);
    assert!(matches!(operation.verify(&sent).await.unwrap(), Verified::Found { .. }));
    assert_eq!(operation.verify(&upload("2025-04-17T09:30:15.000Z")).await.unwrap(), Verified::NotFound);
    confirmed(operation.send(&sent).await);
    assert_eq!(operation.verify(&sent).await.unwrap(), Verified::Ambiguous { candidates: 2 });
}
