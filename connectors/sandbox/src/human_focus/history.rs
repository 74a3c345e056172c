//! The training history of one user, operation 12.

use std::sync::LazyLock;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    HumanFocus, ORGAN_ID,
    dispatch::answered,
    fields::{Answer, refuse},
    groups::Kind,
    lookups::{group_names, is_organisation},
    results::{Outcome, VENDOR, outcomes},
    trainings::own,
    users::{NONE, User},
};

/// A course that is assigned but not begun, with every field the vendor shows, in its order.
static TODO_ROW: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let row = r#"{
        "UserID": 0, "OrganID": 0, "TrainingID": "", "ExtTrainID": 0, "TrainingTitle": "", "DisplayTitle": "",
        "LastActivityDate": null, "ReportStatus": "Todo", "Founder": "", "ProviderName": "", "ProviderID": 0,
        "ValidDuration": 0, "ExpiryDate": "-", "ProgrammeResultDate": null, "LastResponseID": null,
        "LastResponseScore": null, "CertificateFileName": "", "LastResponsePercentageRating": null,
        "LastPassScore": null, "LastTotalQuestions": null, "LastTotalCorrect": null, "ResponseID": null,
        "CertificateLink": null, "Dependency": null, "OldResult": "", "OldCertPath": "", "Type": 1, "UserGroups": "",
        "TrainingType": "Normal", "TrainingStartTime": null, "NewSystem": true, "IsSpecial": false,
        "LastResponseDate": null, "ResponseDate": "", "IDTS": null, "CssClass": "todo", "RTDate": null,
        "CompletionDate": "1900-01-01T00:00:00", "FailedScore": "0%", "IsMigrated": null,
        "AssignmentDate": "2026-01-23T11:45:13.073", "RiskLevel": "", "ResponseStateID": null, "IsTelematic": false,
        "TotalRunningTime": null, "QuizType": null, "IsMandatory": true
    }"#;
    serde_json::from_str(row).expect("a JSON object written above")
});

/// Answers operation 12.
pub(super) fn of_user(system: &HumanFocus, organisation: &str, person: Option<&str>) -> Response {
    answered(history(system, organisation, person.unwrap_or_default()))
}

fn history(system: &HumanFocus, organisation: &str, person: &str) -> Answer {
    if !is_organisation(organisation) {
        return refuse(format!("Organisation '{organisation}' was not found."));
    }
    let state = system.state();
    let Some(user) = state.users.find(person).filter(|user| !user.archived) else {
        return refuse(format!("Person '{person}' was not found."));
    };
    let assigned = own(user.id % (system.seed.trainings.max(1) as u64));
    let rows: Vec<Value> = std::iter::once(row(&user, Err(&assigned)))
        .chain(outcomes(&system.seed, &state, &user).iter().map(|outcome| row(&user, Ok(outcome))))
        .collect();
    let detail = json!([{
        "UserID": user.id,
        "Username": user.name,
        "EMail": user.email,
        "Rid": format!("RID{:07}", user.id),
        "SiteLocations": user.site,
        "Departments": user.department,
        "UserGroups": group_names(&user, &state.groups[Kind::UserGroup as usize]),
        "Active": 9,
        "OrganId": ORGAN_ID,
        "OrganName": null,
        "SelectedOrgan": null,
        "WorksIdent": user.identifier,
    }]);
    Ok(json!({
        "Status": true,
        "GetUserTrainingResultDetail": {
            "ResultSet1": rows, "ResultSet2": rows, "ResultSet3": rows, "ResultSet4": detail,
        },
    }))
}

/// A row of the history: an outcome, or a course of the vendor's own that is assigned but not begun.
fn row(user: &User, what: Result<&Outcome<'_>, &(String, String)>) -> Value {
    let mut row = TODO_ROW.clone();
    let mut set = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
    let (training_id, title, provider) = match what {
        Ok(outcome) => (&outcome.training_id, &outcome.title, outcome.provider),
        Err((id, title)) => (id, title, VENDOR),
    };
    set("UserID", user.id.into());
    set("OrganID", ORGAN_ID.into());
    set("TrainingID", training_id.as_str().into());
    for name in ["TrainingTitle", "DisplayTitle"] {
        set(name, title.as_str().into());
    }
    for name in ["Founder", "ProviderName"] {
        set(name, provider.into());
    }
    if let Ok(outcome) = what {
        let status = if outcome.passed { "Passed" } else { "Failed" };
        set("ExtTrainID", outcome.external_id.into());
        set("ProviderID", outcome.provider_id.into());
        set("ReportStatus", status.into());
        set("CssClass", status.to_lowercase().into());
        set("ValidDuration", outcome.validity.into());
        set("ExpiryDate", outcome.expiry.map_or_else(|| NONE.to_owned(), without_zone).into());
        set("CompletionDate", without_zone(outcome.completed).into());
        set("CertificateLink", outcome.certificate.into());
    }
    Value::Object(row)
}

fn without_zone(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}
