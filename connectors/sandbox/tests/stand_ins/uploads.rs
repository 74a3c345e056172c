//! Human Focus: external training from provider to result, files, and what an upload costs.

use std::sync::Arc;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use towpath_sandbox::{Options, Seed};

use crate::client::{HumanFocus, answer};

const USER: u64 = 110_023;
const TITLE: &str = "Fire & Rescue Awareness";

async fn with_training() -> (HumanFocus, Value) {
    let hf = HumanFocus::start(Options::default()).await;
    let (provider, training) = hf.training("PeopleFluent", TITLE).await;
    let upload = json!({
        "UserID": USER, "OrganID": 12345, "ProviderID": provider, "TrainingID": training,
        "ProviderName": "PeopleFluent", "TrainingTitle": TITLE, "CertImageURL": "",
        "CompletionDateMonth": "04", "CompletionDateYear": "2026", "ValidityDuration": 24, "ByUserID": null,
        "CompletionDate": "2026-04-16T09:30:00.000Z", "ExpiryDate": null,
    });
    (hf, upload)
}

#[tokio::test]
async fn an_upload_shows_in_the_results_and_twice_is_two() {
    let (hf, upload) = with_training().await;
    let done = json!({"Status": true, "Result": "Training Uploaded Successfully"});
    assert_eq!(hf.post("UploadExternalTraining", upload.clone()).await, done);
    assert_eq!(hf.post("UploadExternalTraining", upload.clone()).await, done);
    let books = hf.system.books();
    assert_eq!(books["uploads"].as_array().unwrap().len(), 2);
    assert_eq!(books["uploads"][0], books["uploads"][1]);
    assert_eq!(books["uploads"][0]["CompletionDate"], "2026-04-16T09:30:00.000Z");
    assert_eq!(books["requests"]["operations"]["UploadExternalTraining"]["by_status"], json!({"200": 2}));

    let identifier = books["uploads"][0]["PersonIdentifier"].as_str().unwrap();
    let (_, history) = hf.get(&format!("GetUserTrainingResultDetail/acme/{identifier}")).await;
    let sets = &history["GetUserTrainingResultDetail"];
    let rows = sets["ResultSet1"].as_array().unwrap();
    let external: Vec<_> = rows.iter().filter(|row| row["ExtTrainID"] != 0).collect();
    assert_eq!(external.len(), 2);
    assert_eq!(external[0]["ExtTrainID"], upload["TrainingID"]);
    assert_eq!(external[0]["CompletionDate"], "2026-04-16T09:30:00");
    assert_eq!(external[0]["ExpiryDate"], "2028-04-16T09:30:00");
    let todo = rows.iter().find(|row| row["ReportStatus"] == "Todo").unwrap();
    assert_eq!((&todo["CompletionDate"], &todo["ExpiryDate"]), (&json!("1900-01-01T00:00:00"), &json!("-")));
    assert_eq!(todo.as_object().unwrap().len(), 47);
    assert_eq!(sets["ResultSet2"], sets["ResultSet1"]);
    assert_eq!(sets["ResultSet4"][0]["WorksIdent"], identifier);
}

#[tokio::test]
async fn results_are_filtered_by_date_and_text() {
    let (hf, upload) = with_training().await;
    hf.post("UploadExternalTraining", upload.clone()).await;
    let rows = async |more: Value| {
        let mut body = json!({"OrganID": "12345", "UserStatus": "Act", "UserID": "", "FromDate": "", "ToDate": ""});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = hf.post("GetTrainingResults", body).await;
        assert_eq!(found["Status"], true);
        found["Result"].as_array().unwrap().clone()
    };
    let all = rows(json!({})).await;
    assert!(all.iter().any(|row| row["Status"] == "Failed") && all.iter().any(|row| row["Status"] == "Passed"));
    let mine = all.iter().find(|row| row["Training_Provider"] == "PeopleFluent").unwrap();
    assert_eq!((&mine["ResultDate"], &mine["Status"]), (&json!("16-04-2026 09:30"), &json!("Passed")));
    assert_eq!(mine["ContentID"], upload["TrainingID"].to_string());

    let late = rows(json!({"FromDate": "2026-04-16 09:30:00"})).await;
    assert_eq!(late, std::slice::from_ref(mine));
    assert_eq!(rows(json!({"ToDate": "2026-04-16 09:29:59"})).await.len(), all.len() - 1);
    let of_user = rows(json!({"UserID": USER.to_string()})).await;
    assert!(of_user.len() < all.len() && of_user.contains(mine));
    assert!(rows(json!({"Status": "Failed"})).await.iter().all(|row| row["Status"] == "Failed"));
    assert_eq!(rows(json!({"TrainingID": upload["TrainingID"].to_string()})).await, std::slice::from_ref(mine));
}

#[tokio::test]
async fn an_upload_that_contradicts_itself_is_refused() {
    let (hf, upload) = with_training().await;
    hf.post("ArchiveUser", json!({"UserIds": "110024", "IsArchive": true})).await;
    let cases = [
        ("UserID", json!(999_999), "UserID 999999 was not found"),
        ("UserID", json!(110_024), "UserID 110024 is archived"),
        ("UserID", json!("110023"), "UserID must be a whole number"),
        ("UserID", Value::Null, "UserID is required"),
        ("ProviderID", json!(5), "ProviderID 5 was not found"),
        ("ProviderID", json!(249), "ProviderName"),
        ("ProviderName", json!("peoplefluent"), "ProviderName"),
        ("TrainingID", json!(1), "TrainingID 1 was not found"),
        ("TrainingID", json!(123_456), "does not belong to ProviderID"),
        ("TrainingTitle", json!("Fire"), "TrainingTitle"),
        ("CompletionDate", json!("2026-04-16"), "CompletionDate"),
        ("CompletionDate", json!("2026-04-16T00:00:00+01:00"), "CompletionDate"),
        ("CompletionDate", json!("2026-02-30T00:00:00.000Z"), "CompletionDate"),
        ("CompletionDateMonth", json!("4"), "CompletionDateMonth"),
        ("CompletionDateMonth", json!("05"), "CompletionDateMonth"),
        ("CompletionDateYear", json!("2025"), "CompletionDateYear"),
    ];
    for (field, value, said) in &cases {
        let mut body = upload.clone();
        body[*field] = value.clone();
        let reason = hf.refusal("UploadExternalTraining", body).await;
        assert!(reason.contains(said), "{field}: {reason}");
    }
    let books = hf.system.books();
    assert_eq!(books["refused_uploads"], cases.len());
    assert_eq!(books["uploads"], json!([]));
    let mut short = upload;
    for optional in ["CompletionDateMonth", "CompletionDateYear", "CertImageURL", "ExpiryDate", "ByUserID"] {
        short.as_object_mut().unwrap().remove(optional);
    }
    assert_eq!(hf.post("UploadExternalTraining", short).await["Status"], true);
}

#[tokio::test]
async fn providers_and_trainings_double_and_the_search_finds_parts() {
    let (hf, _) = with_training().await;
    let (first, _) = hf.training("Twice", "Ladder safety").await;
    let (second, _) = hf.training("Twice", "LADDER SAFETY, advanced").await;
    assert_ne!(first, second);
    let search = async |text: &str, index: u64, size: u64| {
        let body = json!({"OrganID": 12345, "PageSize": size, "PageIndex": index, "SearchText": text});
        hf.post("GetUploadedTrainings", body).await["UploadedTrainings"].take()
    };
    assert_eq!(search("ladder", 1, 10).await["TotalRecords"], 2);
    let same_title = search(TITLE, 1, 10).await;
    let providers: Vec<_> =
        same_title["UploadedTraining"].as_array().unwrap().iter().map(|row| row["ProviderName"].clone()).collect();
    assert_eq!(providers, [json!("St John Ambulance"), json!("PeopleFluent")]);

    let mut ids = std::collections::HashSet::new();
    for index in 1..=5 {
        let page = search("", index, 10).await;
        assert_eq!(page["TotalRecords"], 46);
        for row in page["UploadedTraining"].as_array().unwrap() {
            assert!(ids.insert(row["TrainingId"].as_u64().unwrap()));
        }
    }
    assert_eq!(ids.len(), 46);
    assert_eq!(search("", 6, 10).await["UploadedTraining"], json!([]));
}

#[tokio::test]
async fn a_certificate_is_uploaded_as_a_form() {
    let hf = HumanFocus::start(Options::default()).await;
    let address = hf.address("UploadFile?bucket=ftp-hfcbtbyb-cert&directory=CBTbyB_Cert/CertImage12345");
    let part = Part::bytes(vec![7; 3_000_000]).file_name("cert.png").mime_str("image/png").unwrap();
    let request = hf.client.post(&address).bearer_auth(&hf.token).multipart(Form::new().part("file", part));
    let (_, value) = answer(request.send().await.unwrap()).await;
    let attachment = &value["lstAttachments"][0];
    assert_eq!((&value["Status"], &attachment["fileType"]), (&json!(true), &json!("Photo")));
    assert!(attachment["imgPath"].as_str().unwrap().contains("cert.png?"));
    assert_eq!(hf.system.books()["files"][0]["bytes"], 3_000_000);

    let empty = hf.client.post(&address).bearer_auth(&hf.token).multipart(Form::new().text("note", "no file"));
    assert_eq!(answer(empty.send().await.unwrap()).await.1["Status"], false);
    let elsewhere = hf.client.post(hf.address("UploadFile?bucket=other")).bearer_auth(&hf.token);
    let part = Part::bytes(vec![7]).file_name("cert.png");
    let refused = elsewhere.multipart(Form::new().part("file", part)).send().await.unwrap();
    assert!(answer(refused).await.1["ErrorMessage"].as_str().unwrap().contains("bucket"));
    let json = hf.client.post(&address).bearer_auth(&hf.token).json(&json!({})).send().await.unwrap();
    assert_eq!(json.status().as_u16(), 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_uploads_at_once_all_arrive() {
    const EACH: usize = 60;
    const WORKERS: usize = 32;
    let (hf, upload) = with_training().await;
    let hf = Arc::new(hf);
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (hf, upload) = (Arc::clone(&hf), upload.clone());
            tokio::spawn(async move {
                for _ in 0..EACH {
                    assert_eq!(hf.post("UploadExternalTraining", upload.clone()).await["Status"], true);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let books = hf.system.books();
    assert_eq!(books["uploads"].as_array().unwrap().len(), EACH * WORKERS);
    assert!(books["requests"]["most_in_flight"].as_u64().unwrap() <= WORKERS as u64);
}

#[tokio::test]
async fn archived_people_are_not_found() {
    let seed = Seed { archived_people: 0.5, unknown_people: 0.0, ..Seed::default() };
    let hf = HumanFocus::start(Options { seed, ..Options::default() }).await;
    let (_, users) = hf.get("GetAllUsers/acme").await;
    // Half of the 24, and the one that logs in.
    assert_eq!(users["Result"].as_array().unwrap().len(), 13);
}
