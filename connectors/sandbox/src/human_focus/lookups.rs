//! Reads whose parameters stand in the path: operations 2, 3, 5, 8 and 9.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    AbsentUser, HumanFocus, ORGAN_ID, ORGANISATION,
    dispatch::{answered, message},
    fields::{Answer, refuse},
    groups::{Groups, Kind},
    users::{NONE, User},
};
use crate::answer;

pub(super) fn is_organisation(identifier: &str) -> bool {
    identifier.eq_ignore_ascii_case(ORGANISATION)
}

fn no_organisation(identifier: &str) -> Response {
    message(StatusCode::NOT_FOUND, &format!("Organisation '{identifier}' was not found."))
}

/// Operation 2.
pub(super) fn organ_id(_: &HumanFocus, organisation: &str, _: Option<&str>) -> Response {
    match is_organisation(organisation) {
        true => answer::json(StatusCode::OK, &json!({"OrganID": ORGAN_ID})),
        false => no_organisation(organisation),
    }
}

/// Operation 3.
pub(super) fn user_groups(system: &HumanFocus, organisation: &str, _: Option<&str>) -> Response {
    if !is_organisation(organisation) {
        return no_organisation(organisation);
    }
    let groups: Vec<Value> = system
        .state()
        .groups(Kind::UserGroup)
        .iter()
        .map(|(id, name)| json!({"UserGroupID": id, "UserGroup": name}))
        .collect();
    answer::json(StatusCode::OK, &json!({"UserGroups": groups}))
}

/// Operation 5. Capital letters make no difference; who is archived is not found.
pub(super) fn user_id(system: &HumanFocus, organisation: &str, person: Option<&str>) -> Response {
    if !is_organisation(organisation) {
        return no_organisation(organisation);
    }
    let person = person.unwrap_or_default();
    let found = system.state().users.find(person).filter(|user| !user.archived);
    match (found, system.absent_user) {
        (Some(user), _) => answer::json(StatusCode::OK, &json!({"UserID": user.id})),
        (None, AbsentUser::NotFound) => message(StatusCode::NOT_FOUND, &format!("Person '{person}' was not found.")),
        (None, AbsentUser::Zero) => answer::json(StatusCode::OK, &json!({"UserID": 0})),
        (None, AbsentUser::Null) => answer::json(StatusCode::OK, &json!({"UserID": null})),
        (None, AbsentUser::Empty) => answer::with(StatusCode::OK, "application/json; charset=utf-8", ""),
    }
}

/// Operation 8: the id is a number here.
pub(super) fn user_details(system: &HumanFocus, organisation: &str, person: Option<&str>) -> Response {
    answered(details(system, organisation, person.unwrap_or_default()))
}

fn details(system: &HumanFocus, organisation: &str, person: &str) -> Answer {
    if !is_organisation(organisation) {
        return refuse(format!("Organisation '{organisation}' was not found."));
    }
    let mut state = system.state();
    let Some(user) = state.users.find(person).filter(|user| !user.archived) else {
        return refuse(format!("Person '{person}' was not found."));
    };
    let groups = group_names(&user, state.groups(Kind::UserGroup));
    Ok(json!({"Status": true, "Result": [{
        "OrganID": ORGAN_ID,
        "CustIdent": ORGANISATION,
        "UserID": user.id,
        "WorksIdent": user.identifier,
        "TraineeAKA": user.name,
        "FirstName": user.first_name,
        "LastName": user.last_name,
        "Email": user.email,
        "PhoneNumber": user.phone,
        "CountryCode": user.country_code,
        "TraineeType": user.trainee_type(),
        "SiteLocation": user.site,
        "Department": user.department,
        "TrainingSet": NONE,
        "UserGroups": groups,
        "JobRole": user.job_role,
        "JobDepartment": null,
    }]}))
}

/// The names in one text, `-` when there are none.
pub(super) fn group_names(user: &User, groups: &Groups) -> String {
    match groups.names(&user.groups) {
        names if names.is_empty() => NONE.to_owned(),
        names => names.join(","),
    }
}

/// Operation 9: the id is a text here. The role is optional; 0 means all.
pub(super) fn all_users(system: &HumanFocus, organisation: &str, role: Option<&str>) -> Response {
    answered(list(system, organisation, role.unwrap_or("0")))
}

fn list(system: &HumanFocus, organisation: &str, role: &str) -> Answer {
    if !is_organisation(organisation) {
        return refuse(format!("Organisation '{organisation}' was not found."));
    }
    let Ok(role) = role.parse::<u64>() else {
        return refuse(format!("SuperUser '{role}' is not a number."));
    };
    let rows: Vec<Value> = system
        .state()
        .users
        .iter()
        .filter(|user| !user.archived && (role == 0 || user.super_user == role))
        .map(|user| {
            json!({
                "UserID": user.id.to_string(),
                "Worksident": user.identifier,
                "TraineeAKA": user.name,
                "EMail": user.email,
                "Department": user.department,
                "SiteLocation": user.site,
                "TraineeType": user.trainee_type(),
            })
        })
        .collect();
    Ok(json!({"Status": true, "Result": rows}))
}
