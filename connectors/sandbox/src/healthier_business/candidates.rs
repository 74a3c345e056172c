//! Candidates of version 1: everything is a text, and an empty one is nothing.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    router::{Answer, Call, Good, Problem},
    world,
};

/// Fields that can be sent; others are not known.
const FIELDS: [&str; 10] = [
    "first_name",
    "last_name",
    "email",
    "client_record_ref",
    "consultant_name",
    "activate_candidate",
    "send_activation_mail",
    "archived",
    "job_role",
    "return_email",
];
const YES_OR_NO: [&str; 3] = ["activate_candidate", "send_activation_mail", "archived"];

/// Those that are not archived, in pages.
pub(super) fn list(system: &HealthierBusiness, call: &Call) -> Answer {
    let size = call.number("per_page", 10).clamp(1, system.page_cap);
    let page = call.number("page", 1).max(1);
    let state = system.state();
    let present = state.all("candidate").iter().filter(|candidate| candidate["archived"] != "1");
    let rows: Value =
        present.skip((page - 1) * size).take(size).map(|candidate| json!({"candidate": candidate})).collect();
    Ok(Good::value(200, rows))
}

pub(super) fn one(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    let candidate = state.find("candidate", "candidate_ref", &call.path[0]).ok_or_else(unknown)?;
    Ok(Good::value(200, json!([{"candidate": candidate}])))
}

pub(super) fn unknown() -> Problem {
    Problem::new(404, "Candidate not found")
}

/// 201: made. 202: there is one with that e-mail address, and nothing was changed.
pub(super) fn create(system: &HealthierBusiness, call: &Call) -> Answer {
    check(call)?;
    let missing = ["first_name", "last_name", "email"].iter().find(|name| call.text(name).is_empty());
    if let Some(name) = missing {
        return Err(Problem::new(403, "Validation failed").with(name, "is required"));
    }
    let mut state = system.state();
    let email = call.text("email").to_lowercase();
    let same = state
        .all("candidate")
        .iter()
        .find(|one| one["email"].as_str().is_some_and(|other| other.to_lowercase() == email));
    if let Some(there) = same {
        let answer = json!({"candidate_ref": there["candidate_ref"], "candidate_id": there["candidate_id"]});
        return Ok(Good::value(202, json!([{"response": answer}])));
    }
    let number = state.number();
    let mut candidate =
        world::candidate(number, &call.text("first_name"), &call.text("last_name"), &call.text("email"));
    for name in FIELDS.iter().filter(|name| call.fields.contains_key(**name)) {
        candidate[*name] = json!(call.text(name));
    }
    let answer = json!({"candidate_ref": candidate["candidate_ref"], "candidate_id": candidate["candidate_id"]});
    state.add("candidate", candidate);
    Ok(Good::value(201, json!({"response": answer})))
}

/// 304: nothing changed.
pub(super) fn update(system: &HealthierBusiness, call: &Call) -> Answer {
    check(call)?;
    let mut state = system.state();
    let candidate = state.find_mut("candidate", "candidate_ref", &call.path[0]).ok_or_else(unknown)?;
    let mut changed = false;
    for name in FIELDS.iter().filter(|name| call.fields.contains_key(**name)) {
        changed |= candidate[*name] != call.text(name);
        candidate[*name] = json!(call.text(name));
    }
    Ok(if changed { Good::value(200, json!({"message": "Candidate updated"})) } else { Good::Empty(304) })
}

fn check(call: &Call) -> Result<(), Problem> {
    if let Some(name) = call.fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Problem::new(400, format!("There is no field {name}")));
    }
    let email = call.text("email");
    if call.fields.contains_key("email") && !email.contains('@') {
        return Err(Problem::new(403, "Validation failed").with("email", "is not an e-mail address"));
    }
    let odd = YES_OR_NO
        .iter()
        .find(|name| call.fields.contains_key(**name) && !matches!(call.text(name).as_str(), "0" | "1"));
    match odd {
        Some(name) => Err(Problem::new(403, "Validation failed").with(name, "is 0 or 1")),
        None => Ok(()),
    }
}
