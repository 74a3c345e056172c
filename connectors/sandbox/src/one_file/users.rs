//! Users: what each role must have, and what is done to them.

use serde_json::{Value, json};

use super::{
    OneFile,
    router::{Answer, Call, Good, bad, missing},
    world,
};
use crate::tables::{Tables, plain};

const LEARNER: &str = "1";
/// Employer and observer.
const WITH_PLACEMENT: [&str; 2] = ["40", "45"];
const ROLES: [&str; 6] = ["1", "4", "5", "10", "40", "45"];

/// Fields that name another thing, with its kind.
const NAMES: [(&str, &str); 6] = [
    ("OrganisationID", "Organisation"),
    ("ClassroomID", "Classroom"),
    ("PlacementID", "Placement"),
    ("DefaultAssessorID", "User"),
    ("DefaultEmployerID", "User"),
    ("ProviderID", "Provider"),
];

/// Only status 200 comes back, and what is printed beside it in the vendor's text is an organisation.
pub(super) fn create(system: &OneFile, call: &Call) -> Answer {
    let role = call.fields.get("Role").map(plain).unwrap_or_default();
    if !ROLES.contains(&role.as_str()) {
        return Err(bad(format!("Role '{role}' is not one of {}", ROLES.join(", "))));
    }
    let mut needed = vec!["OrganisationID", "FirstName", "LastName", "Email"];
    if role == LEARNER {
        needed.extend(["DefaultAssessorID", "ClassroomID", "PlacementID"]);
    }
    if WITH_PLACEMENT.contains(&role.as_str()) {
        needed.push("PlacementID");
    }
    let empty = |name: &&&str| call.fields.get(**name).is_none_or(|value| plain(value).is_empty());
    if let Some(name) = needed.iter().find(empty) {
        return Err(bad(format!("{name} is required for role {role}")));
    }
    let mut state = system.state();
    check_names(&state, call)?;
    let id = state.number();
    let mut user = Value::Object(call.fields.clone());
    user["ID"] = json!(id);
    user["Role"] = json!(role.parse::<u64>().unwrap_or_default());
    user["Username"] = json!(format!("user{id}"));
    user["DateCreated"] = json!(world::NOW);
    state.add("User", user);
    let organisation = call.fields.get("OrganisationID").map(plain).unwrap_or_default();
    let organisation = state.find("Organisation", "ID", &organisation).cloned();
    Ok(organisation.map_or(Good::Done, Good::Value))
}

fn check_names(state: &Tables, call: &Call) -> Result<(), (axum::http::StatusCode, String)> {
    for (field, kind) in NAMES {
        let Some(value) = call.fields.get(field).filter(|value| !value.is_null()) else { continue };
        if state.find(kind, "ID", &plain(value)).is_none() {
            return Err(bad(format!("{field} {value} does not exist")));
        }
    }
    Ok(())
}

/// Only the fields that are sent are changed.
pub(super) fn update(system: &OneFile, call: &Call) -> Answer {
    let mut state = system.state();
    check_names(&state, call)?;
    let user = state.find_mut("User", "ID", &call.path[0]).ok_or_else(|| missing("User", &call.path[0]))?;
    for (name, value) in &call.fields {
        user[name.as_str()] = value.clone();
    }
    Ok(Good::Done)
}

pub(super) fn delete(system: &OneFile, call: &Call) -> Answer {
    match system.state().remove("User", |user| plain(&user["ID"]) == call.path[0]) {
        0 => Err(missing("User", &call.path[0])),
        _ => Ok(Good::Done),
    }
}

pub(super) fn archive(system: &OneFile, call: &Call) -> Answer {
    mark(system, call, true)
}

pub(super) fn unarchive(system: &OneFile, call: &Call) -> Answer {
    mark(system, call, false)
}

fn mark(system: &OneFile, call: &Call, archived: bool) -> Answer {
    let mut state = system.state();
    let user = state.find_mut("User", "ID", &call.path[0]).ok_or_else(|| missing("User", &call.path[0]))?;
    user["Archived"] = json!(archived);
    Ok(Good::Done)
}

/// Level 3 is a learning aim and needs `StandardID`, 2 a unit summary and needs `UnitID`, 1 is additional.
pub(super) fn assign(system: &OneFile, call: &Call) -> Answer {
    let text = |name: &str| call.fields.get(name).map(plain).unwrap_or_default();
    let needed = match text("Level").as_str() {
        "3" => Some("StandardID"),
        "2" => Some("UnitID"),
        "1" => None,
        other => return Err(bad(format!("Level '{other}' is not one of 1, 2, 3"))),
    };
    if let Some(name) = needed.filter(|name| text(name).is_empty()) {
        return Err(bad(format!("{name} is required for level {}", text("Level"))));
    }
    let mut state = system.state();
    for id in [call.path[0].clone(), text("LearnerID")] {
        if state.find("User", "ID", &id).is_none() {
            return Err(missing("User", &id));
        }
    }
    let mut assignment = Value::Object(call.fields.clone());
    assignment["UserID"] = json!(call.path[0]);
    assignment["ID"] = json!(state.number());
    state.add("Assignment", assignment);
    Ok(Good::Done)
}

pub(super) fn assign_placement(system: &OneFile, call: &Call) -> Answer {
    let [user, placement, grant] = call.path.as_slice() else { return Err(bad("three parts are expected")) };
    if !matches!(grant.as_str(), "true" | "false") {
        return Err(bad(format!("grantAccess is '{grant}', not true or false")));
    }
    let mut state = system.state();
    let known = state.find("Placement", "ID", placement).ok_or_else(|| missing("Placement", placement))?["ID"].clone();
    let user = state.find_mut("User", "ID", user).ok_or_else(|| missing("User", user))?;
    user["PlacementID"] = known;
    user["PlacementAccess"] = json!(grant == "true");
    Ok(Good::Done)
}
