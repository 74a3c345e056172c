//! Writes to all that is no user, and assignments.

use serde_json::{Value, json};

use super::{
    OneFile,
    router::{Answer, Call, Good, bad, missing},
    world,
};
use crate::tables::{Tables, plain};

/// Fields of these kinds are not documented: what is sent is kept, and a number is given.
pub(super) fn create(system: &OneFile, call: &Call) -> Answer {
    let mut state = system.state();
    let organisation = call.fields.get("OrganisationID").map(plain).unwrap_or_default();
    if !matches!(call.kind, "Review" | "Visit") && state.find("Organisation", "ID", &organisation).is_none() {
        return Err(bad(format!("OrganisationID {organisation} does not exist")));
    }
    if let Some(learner) = call.fields.get("LearnerID").filter(|id| state.find("User", "ID", &plain(id)).is_none()) {
        return Err(bad(format!("LearnerID {learner} does not exist")));
    }
    let id = state.number();
    let mut thing = Value::Object(call.fields.clone());
    thing["ID"] = json!(id);
    state.add(call.kind, thing);
    Ok(Good::Value(json!({"ID": id})))
}

/// Only the fields that are sent are changed.
pub(super) fn update(system: &OneFile, call: &Call) -> Answer {
    let mut state = system.state();
    let thing = state.find_mut(call.kind, "ID", &call.path[0]).ok_or_else(|| missing(call.kind, &call.path[0]))?;
    for (name, value) in &call.fields {
        thing[name.as_str()] = value.clone();
    }
    Ok(Good::Done)
}

/// A learning aim for each standard of the template, a summary for each of its units.
pub(super) fn assign_framework(system: &OneFile, call: &Call) -> Answer {
    let [template, user, flag] = call.path.as_slice() else { return Err(bad("three parts are expected")) };
    if !matches!(flag.as_str(), "true" | "false") {
        return Err(bad(format!("the last part is '{flag}', not true or false")));
    }
    let mut state = system.state();
    let standards =
        state.find("FrameworkTemplate", "ID", template).ok_or_else(|| missing("FrameworkTemplate", template))?;
    let standards: Vec<Value> = standards["Standards"].as_array().cloned().unwrap_or_default();
    let user = known_user(&state, user)?;
    for standard in standards {
        learning_aim(&mut state, &user, &standard);
        let of_it = |unit: &&Value| unit["StandardID"] == standard;
        let units: Vec<Value> = state.all("Unit").iter().filter(of_it).map(|unit| unit["ID"].clone()).collect();
        for unit in units {
            unit_summary(&mut state, &user, &unit, &standard);
        }
    }
    Ok(Good::Done)
}

/// The answer is the number of the new learning aim, and nothing else.
pub(super) fn assign_standard(system: &OneFile, call: &Call) -> Answer {
    let mut state = system.state();
    let standard =
        state.find("Standard", "ID", &call.path[0]).ok_or_else(|| missing("Standard", &call.path[0]))?["ID"].clone();
    let user = known_user(&state, &call.path[1])?;
    Ok(Good::Value(learning_aim(&mut state, &user, &standard)))
}

/// The answer is the number of the new unit summary, and nothing else.
pub(super) fn assign_unit(system: &OneFile, call: &Call) -> Answer {
    let mut state = system.state();
    let unit = state.find("Unit", "ID", &call.path[0]).ok_or_else(|| missing("Unit", &call.path[0]))?["ID"].clone();
    let user = known_user(&state, &call.path[1])?;
    let standard =
        state.find("Standard", "ID", &call.path[2]).ok_or_else(|| missing("Standard", &call.path[2]))?["ID"].clone();
    Ok(Good::Value(unit_summary(&mut state, &user, &unit, &standard)))
}

fn known_user(state: &Tables, id: &str) -> Result<Value, (axum::http::StatusCode, String)> {
    state.find("User", "ID", id).map(|user| user["ID"].clone()).ok_or_else(|| missing("User", id))
}

fn learning_aim(state: &mut Tables, user: &Value, standard: &Value) -> Value {
    let id = json!(state.number());
    let started = world::NOW;
    state
        .add("LearningAim", json!({"ID": id, "UserID": user, "StandardID": standard, "Status": 0, "StartOn": started}));
    id
}

fn unit_summary(state: &mut Tables, user: &Value, unit: &Value, standard: &Value) -> Value {
    let id = json!(state.number());
    state.add("UnitSummary", json!({"ID": id, "UserID": user, "UnitID": unit, "StandardID": standard, "Progress": 0}));
    id
}
