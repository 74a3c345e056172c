//! Human Focus: token, lookups, users, groups, catalogue.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::json;
use towpath_sandbox::{AbsentUser, Options, Seed, start};

use crate::client::{HUMAN_FOCUS, HumanFocus, PEOPLE_FLUENT, answer, log_in};

#[tokio::test]
async fn tokens_are_issued_checked_and_die() {
    let hf = HumanFocus::start(Options::default()).await;
    assert_eq!(hf.token.split('.').count(), 3);
    let wrong = [("grant_type", "password"), ("username", "api.admin"), ("password", "wrong")];
    let response = hf.client.post(format!("{}/Token", hf.system.url())).form(&wrong).send().await.unwrap();
    let (status, value) = answer(response).await;
    assert_eq!((status, &value["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert!(value["error_description"].is_string());

    let denied = json!({"Message": "Authorization has been denied for this request."});
    for token in ["", "nonsense"] {
        let request = hf.client.get(hf.address("GetOrganID/acme")).bearer_auth(token);
        assert_eq!(answer(request.send().await.unwrap()).await, (StatusCode::UNAUTHORIZED, denied.clone()));
    }
    assert_eq!(hf.get("GetOrganID/acme").await, (StatusCode::OK, json!({"OrganID": 12345})));
    assert!(hf.system.revoke_tokens());
    assert_eq!(hf.get("GetOrganID/acme").await.0, StatusCode::UNAUTHORIZED);
    let again = HumanFocus { token: log_in(&hf.system, &hf.client).await, ..hf };
    again.system.faults().set_text("expire:uses=2").unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(again.get("GetOrganID/acme").await.0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 401]);
    assert_eq!(again.system.books()["tokens"]["issued"], 2);
}

#[tokio::test]
async fn a_token_whose_life_is_over_is_refused() {
    let options = Options { token_lifetime: Duration::ZERO, ..Options::default() };
    let hf = HumanFocus::start(options).await;
    assert_eq!(hf.get("GetOrganID/acme").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn both_stand_ins_know_the_same_people() {
    let seed = Seed { people: 60, ..Seed::default() };
    let options = Options { seed: seed.clone(), ..Options::default() };
    let hf = HumanFocus::start(options.clone()).await;
    let people = start(PEOPLE_FLUENT, options).await.unwrap().books();
    let (mut unknown, mut otherwise_spelled) = (0, 0);
    for person in people["users"].as_array().unwrap() {
        let id = person["id"].as_str().unwrap();
        assert_eq!(id, id.to_lowercase());
        let found = hf.user_id(id).await;
        assert_eq!(found.is_some(), person["in_human_focus"].as_bool().unwrap(), "{id}");
        assert_eq!(hf.user_id(&id.to_uppercase()).await, found, "{id}");
        match found {
            None => unknown += 1,
            Some(user) => {
                let books = hf.system.books();
                let users = books["users"].as_array().unwrap();
                let row = users.iter().find(|row| row["UserID"] == user).unwrap();
                otherwise_spelled += usize::from(row["PersonIdentifier"] != id);
            }
        }
    }
    assert_eq!(unknown, 6);
    assert!(otherwise_spelled > 5);
}

#[tokio::test]
async fn a_stranger_is_answered_as_the_option_says() {
    for (absent_user, status, body) in [
        (AbsentUser::NotFound, 404, json!({"Message": "Person 'nobody' was not found."})),
        (AbsentUser::Zero, 200, json!({"UserID": 0})),
        (AbsentUser::Null, 200, json!({"UserID": null})),
        (AbsentUser::Empty, 200, json!(null)),
    ] {
        let hf = HumanFocus::start(Options { absent_user, ..Options::default() }).await;
        let (found, value) = hf.get("GetUserID/acme/nobody").await;
        assert_eq!((found.as_u16(), value), (status, body));
    }
}

#[tokio::test]
async fn users_are_created_changed_archived_and_restored() {
    let hf = HumanFocus::start(Options::default()).await;
    let body = json!({
        "OrganID": 12345, "PersonIdentifier": "John/123 Ü", "TraineeName": "John Legend", "FirstName": "John",
        "LastName": "Legend", "Email": "john@example.com", "PhoneNumber": "+443231234567", "CountryCode": "+44",
        "SuperUser": 1, "SiteLocation": "-", "Department": "-", "TrainingSet": "",
        "UserGroup": [{"id": 31, "itemName": "Manual Work"}], "DefaultPassword": false, "Password": "x",
        "ModifiedByUserID": 0, "PageModifiedOn": "", "Username": "john123", "JobTitle": "", "JobRole": "",
    });
    assert_eq!(hf.post("AddUser", body.clone()).await, json!({"Status": true, "Result": "John/123 Ü"}));
    assert!(hf.refusal("AddUser", body.clone()).await.contains("already exists"));
    let id = hf.user_id("john/123 ü").await.unwrap();

    let (_, details) = hf.get("GetUserDetails/acme/john%2F123%20%C3%BC").await;
    let row = &details["Result"][0];
    assert_eq!((&row["UserID"], &row["UserGroups"]), (&json!(id), &json!("Manual Work")));
    let edit = json!({"OrganID": 12345, "UserID": id, "PersonIdentifier": "john", "TraineeName": "", "SuperUser": 7,
        "Email": "new@example.com", "Password": "", "Date_Created": null});
    assert_eq!(hf.post("EditUser", edit).await, json!({"Status": true, "PersonIdentifier": "john"}));
    assert_eq!(hf.user_id("john/123 ü").await, None);
    let (_, details) = hf.get("GetUserDetails/acme/john").await;
    assert_eq!(details["Result"][0]["TraineeAKA"], "John Legend");
    assert_eq!(details["Result"][0]["TraineeType"], "Manager");

    let (_, managers) = hf.get("GetAllUsers/acme/7").await;
    let ids: Vec<_> = managers["Result"].as_array().unwrap().iter().map(|row| row["UserID"].clone()).collect();
    assert_eq!(ids, [json!("100001"), json!(id.to_string())]);

    let archive = |on: bool| json!({"UserIds": id.to_string(), "IsArchive": on, "ModifiedByUserID": null});
    let done = hf.post("ArchiveUser", archive(true)).await;
    assert_eq!(done, json!({"Status": true, "ErrorMessage": "Person archived successfully"}));
    assert_eq!(hf.user_id("john").await, None);
    let (_, all) = hf.get("GetAllUsers/acme/0").await;
    assert!(all["Result"].as_array().unwrap().iter().all(|row| row["UserID"] != json!(id.to_string())));
    hf.post("ArchiveUser", archive(false)).await;
    assert_eq!(hf.user_id("john").await, Some(id));
}

#[tokio::test]
async fn what_is_missing_or_of_the_wrong_type_is_named() {
    let hf = HumanFocus::start(Options::default()).await;
    for (operation, body, named) in [
        ("AddUser", json!({"OrganID": 12345, "PersonIdentifier": "x"}), "TraineeName is required"),
        ("AddUser", json!({"OrganID": "12345"}), "OrganID must be a whole number"),
        ("EditUser", json!({"OrganID": 12345}), "UserID is required"),
        ("EditUser", json!({"OrganID": 999, "UserID": 1}), "OrganID 999"),
        ("ArchiveUser", json!({"IsArchive": true, "UserIds": 5}), "UserIds must be a string"),
        ("ArchiveUser", json!({"IsArchive": true, "UserIds": "5"}), "UserID 5 was not found"),
        ("AssignUserGroups", json!({"UserId": 110022, "IsAssign": true}), "CompetencyGroupIds is required"),
        ("AddUserGroup", json!({"OrganID": 12345, "GroupName": "x", "UserID": 1}), "UserID must be a string"),
        ("UpdateDepartment", json!({"OrganID": 12345, "GroupName": "x", "GroupID": 7, "UserID": "1"}), "GroupID 7"),
        ("AddExternalTrainingProvider", json!({"PrvName": "x"}), "OrganId is required"),
        ("AddExternalTrainingDetails", json!({"trainingDetailsList": [{"ExtTrainPrvID": 9}]}), "ExtTrainPrvID 9"),
        ("GetTrainingResults", json!({"OrganID": 12345, "UserStatus": "Act"}), "OrganID must be a string"),
        ("GetTrainingResults", json!({"OrganID": "12345"}), "UserStatus is required"),
        ("GetUploadedTrainings", json!({"OrganID": 12345, "PageSize": 10, "PageIndex": 0}), "PageIndex"),
    ] {
        let said = hf.refusal(operation, body).await;
        assert!(said.contains(named), "{operation}: {said}");
    }
    for (body, content_type, status) in [
        ("{\"a\":1,}", "application/json", 400),
        ("[]", "application/json", 400),
        ("{} // comment", "application/json", 400),
        ("a=1", "application/x-www-form-urlencoded", 415),
        ("{}", "application/json; charset=utf-8", 200),
    ] {
        let request = hf.client.post(hf.address("AddUser")).bearer_auth(&hf.token);
        let response = request.header("content-type", content_type).body(body).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{body}");
    }
    let statuses = [hf.get("AddUser/acme").await.0, hf.get("Nothing/acme").await.0, hf.get("GetOrganID/other").await.0];
    assert_eq!(statuses, [StatusCode::NOT_FOUND; 3]);
}

#[tokio::test]
async fn groups_of_three_kinds_are_created_renamed_and_filled() {
    let hf = HumanFocus::start(Options::default()).await;
    let (_, groups) = hf.get("GetUserGroups/acme").await;
    assert_eq!(groups["UserGroups"][0], json!({"UserGroupID": 30, "UserGroup": "-"}));
    for (kind, label, told_otherwise) in [
        ("UserGroup", "User Group", true),
        ("SiteLocation", "Site Location", false),
        ("Department", "Department", false),
    ] {
        let body = |id: u64, name: &str| {
            json!({"OrganID": 12345, "GroupName": name, "GroupID": id, "UserID": "110022",
            "UserName": "a", "OriginalGroupID": 0})
        };
        let made = hf.post(&format!("Add{kind}"), body(0, "Night shift")).await;
        let id = made["UserGroupData"]["GroupID"].as_u64().unwrap();
        assert_eq!(made["UserGroupData"]["ResponseMessage"], format!("{label} Created Successfully."));
        let renamed = hf.post(&format!("Update{kind}"), body(id, "Day shift")).await;
        assert_eq!(renamed["UserGroupData"]["GroupID"] != id, told_otherwise, "{renamed}");

        let assign = match kind {
            "UserGroup" => json!({"UserIds": "110022,110023", "CompetencyGroupIds": id}),
            _ => {
                json!({"UserIds": "110022,110023", "OrganID": 12345, "GroupId": id, "GroupName": "Day shift"})
            }
        };
        let said = hf.post(&format!("AssignUsersTo{kind}"), assign).await;
        assert!(said["UserGroupData"].as_str().unwrap().starts_with("User(s) assigned to"), "{said}");
    }
    let books = hf.system.books();
    let user = books["users"].as_array().unwrap().iter().find(|user| user["UserID"] == 110_023).unwrap();
    assert_eq!(user["SiteLocation"], "Day shift");
    assert_eq!(user["Department"], "Day shift");
    assert_eq!(user["UserGroups"], json!(["Manual Work", "Day shift"]));

    let removed = hf
        .post("AssignUserGroups", json!({"UserId": 110_023, "CompetencyGroupIds": "31,5432", "IsAssign": false}))
        .await;
    assert_eq!(removed["AssignedCompetencyGroupList"], json!([]));
    let assigned =
        hf.post("AssignUserGroups", json!({"UserId": 110_023, "CompetencyGroupIds": "30", "IsAssign": true})).await;
    assert_eq!(assigned["AssignedCompetencyGroupList"], json!([{"CompetencyGroupID": 30, "CompetencyGroup": "-"}]));
}

#[tokio::test]
async fn the_catalogue_pages_from_zero_and_caps_the_page() {
    let hf = HumanFocus::start(Options::default()).await;
    let mut titles = std::collections::HashSet::new();
    for (index, expected) in [(0, 100), (1, 100), (2, 50), (3, 0)] {
        let body = json!({"OrganID": 12345, "UserStatus": "Act", "SortBy": "", "PageSize": 500, "PageIndex": index});
        let page = hf.post("GetAllTrainingsByOrganID", body).await;
        assert_eq!((&page["Status"], &page["TotalRecords"]), (&json!(""), &json!([{"Total": 250}])));
        let rows = page["GetAllTrainingsByOrganID"].as_array().unwrap();
        assert_eq!(rows.len(), expected);
        assert!(rows.iter().all(|row| row["ContentID"].is_string() && titles.insert(row["ContentTitle"].to_string())));
    }
    assert_eq!(titles.len(), 250);
}

#[tokio::test]
async fn an_unknown_name_and_a_taken_port_are_errors() {
    let error = start("nobody", Options::default()).await.err().unwrap().to_string();
    assert!(error.contains("`nobody`") && error.contains("peoplefluent and human-focus"), "{error}");
    let hf = start(HUMAN_FOCUS, Options::default()).await.unwrap();
    let port = reqwest::Url::parse(&hf.url()).unwrap().port();
    let error = start(HUMAN_FOCUS, Options { port, ..Options::default() }).await.err().unwrap().to_string();
    assert!(error.contains("cannot listen on 127.0.0.1"), "{error}");
    let url = hf.url();
    hf.stop().await;
    assert!(Client::new().get(url).send().await.unwrap_err().is_connect());
}
