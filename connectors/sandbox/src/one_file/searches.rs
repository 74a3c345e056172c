//! Reads: searches with a body, things by their number.

use serde_json::{Value, json};

use super::{
    OneFile,
    router::{Answer, Call, Good, bad, missing},
};
use crate::tables::plain;

/// What a search without pages tells of a thing.
const SUMMARY: [&str; 14] = [
    "ID",
    "Name",
    "Title",
    "FirstName",
    "LastName",
    "MISID",
    "StandardID",
    "UserID",
    "Status",
    "NDAQCode",
    "Display",
    "KeychainCreationForNewUserActive",
    "KeychainEmailSuppression",
    "LearnerID",
];

/// The field a search cannot do without.
fn required(kind: &str) -> Option<&'static str> {
    match kind {
        "Organisation" => Some("CustomerID"),
        "LearningAim" | "UnitSummary" => Some("UserID"),
        "Plan" => None,
        _ => Some("OrganisationID"),
    }
}

/// The day a search by dates looks at.
fn day(thing: &Value) -> String {
    let day = ["AchievedOn", "ScheduledFor", "StartOn"].iter().find_map(|name| thing[*name].as_str());
    day.unwrap_or_default().chars().take(10).collect()
}

pub(super) fn customer(system: &OneFile, _: &Call) -> Answer {
    let state = system.state();
    Ok(state.all("Customer").first().map_or(Good::Nothing, |customer| Good::Value(customer.clone())))
}

/// `/X/Search` gives summaries of all, `/X/Search/{page}/{size}` a page with all fields.
pub(super) fn search(system: &OneFile, call: &Call) -> Answer {
    if let Some(name) = required(call.kind)
        && call.fields.get(name).is_none_or(|value| plain(value).is_empty())
    {
        return Err(bad(format!("{name} is required")));
    }
    let state = system.state();
    let fits = |thing: &&Value| {
        thing["Archived"] != true && call.fields.iter().all(|(name, value)| matches(thing, name, value))
    };
    let found = state.all(call.kind).iter().filter(fits);
    let rows: Vec<Value> = match call.path.as_slice() {
        [page, size] => {
            let number = |text: &String| text.parse::<usize>().ok().filter(|number| *number > 0);
            let (Some(page), Some(size)) = (number(page), number(size)) else {
                return Err(bad("Page and size are numbers from 1 up"));
            };
            let size = size.min(system.page_cap);
            found.skip((page - 1) * size).take(size).map(shown).collect()
        }
        _ => found.map(summary).collect(),
    };
    Ok(if rows.is_empty() { Good::Nothing } else { Good::Value(Value::from(rows)) })
}

/// Whether a thing is what a field of a search asks for.
fn matches(thing: &Value, name: &str, value: &Value) -> bool {
    let wanted = plain(value);
    match name {
        _ if wanted.is_empty() => true,
        "DateFrom" => day(thing) >= wanted,
        "DateTo" => day(thing).as_str() <= wanted.as_str() && !day(thing).is_empty(),
        "LearningAimCompletionStatus" => plain(&thing["Status"]) == wanted,
        "Name" | "Title" => plain(&thing[name]).to_lowercase().contains(&wanted.to_lowercase()),
        _ => plain(&thing[name]).eq_ignore_ascii_case(&wanted),
    }
}

fn summary(thing: &Value) -> Value {
    let members = thing.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| SUMMARY.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A thing without what the stand-in keeps of it for itself.
fn shown(thing: &Value) -> Value {
    let members = thing.as_object().into_iter().flatten();
    members.filter(|(name, _)| name.as_str() != "Archived").map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(super) fn one(system: &OneFile, call: &Call) -> Answer {
    let state = system.state();
    let found = state.find(call.kind, "ID", &call.path[0]);
    found.map(|thing| Good::Value(shown(thing))).ok_or_else(|| missing(call.kind, &call.path[0]))
}

pub(super) fn of_organisation(system: &OneFile, call: &Call) -> Answer {
    let state = system.state();
    if state.find("Organisation", "ID", &call.path[0]).is_none() {
        return Err(missing("Organisation", &call.path[0]));
    }
    let of_it = |thing: &&Value| thing["OrganisationID"].is_null() || plain(&thing["OrganisationID"]) == call.path[0];
    Ok(Good::Value(state.all(call.kind).iter().filter(of_it).map(shown).collect()))
}

/// What belongs to one user: unit summaries, timesheets.
pub(super) fn of_user(system: &OneFile, call: &Call) -> Answer {
    let state = system.state();
    if state.find("User", "ID", &call.path[0]).is_none() {
        return Err(missing("User", &call.path[0]));
    }
    let rows: Vec<Value> =
        state.all(call.kind).iter().filter(|thing| plain(&thing["UserID"]) == call.path[0]).map(shown).collect();
    Ok(if rows.is_empty() { Good::Nothing } else { Good::Value(Value::from(rows)) })
}

pub(super) fn off_the_job(system: &OneFile, call: &Call) -> Answer {
    let state = system.state();
    let user = state.find("User", "ID", &call.path[0]).ok_or_else(|| missing("User", &call.path[0]))?;
    Ok(Good::Value(json!({"PlannedOTJ": 100 + user["ID"].as_u64().unwrap_or_default() % 50})))
}
