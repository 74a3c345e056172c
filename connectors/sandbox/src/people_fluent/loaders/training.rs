//! `trainingHistoryCsv`: training records and enrolments, added and changed by user and module.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::csv::{Fate, Outcome, Row, load as load_rows};
use crate::people_fluent::{
    catalogue::{self, MODULES},
    functions::Call,
    held::text,
    reply::Answer,
    training::keep,
    xml::timestamp,
};

const FIELDS: [&str; 26] = [
    "USERID",
    "LEARNINGID",
    "LOTITLE",
    "ENROLLDATE",
    "STARTDATE",
    "ENDDATE",
    "STUDENTSTATUS",
    "CREATESESSION",
    "Training Venue",
    "Instructor",
    "SESSIONSTATUS",
    "SESSIONCODE",
    "SESSIONTITLE",
    "SCORE",
    "LOTYPE",
    "ACTION",
    "PRESCORE",
    "POSTSCORE",
    "LANGUAGE",
    "USE SETTINGS AS OF DATE",
    "SESSIONTIMEZONE",
    "DEADLINEDAYS",
    "DEADLINEDATE",
    "Parent Program ID",
    "Transfer Session Code",
    "Performance Grade",
];
const FORMATS: [&str; 8] = [
    "%d-%m-%Y %H:%M",
    "%d-%b-%Y %H:%M",
    "%d-%m-%y %H:%M",
    "%d-%b-%y %H:%M",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d-%m-%y",
    "%d-%b-%y",
];

pub(in crate::people_fluent) fn load(call: &mut Call<'_>) -> Answer {
    load_rows(call, &FIELDS, one)
}

fn one(call: &mut Call<'_>, row: &Row<'_>) -> Outcome {
    let module = module(call, row)?;
    let is_led = matches!(text(&module, "type"), "classroom" | "virtualClassroom" | "workshopSeminar");
    let session = match is_led
        && (row.get("CREATESESSION") == Some("true") || module["session"].as_array().is_none_or(Vec::is_empty))
    {
        true => Some(new_session(call, &module, row)?),
        false => row
            .get("SESSIONCODE")
            .map(|code| {
                catalogue::session_named(&module, code)
                    .cloned()
                    .ok_or_else(|| format!("SESSIONCODE {code} does not exist"))
            })
            .transpose()?,
    };
    let Some(user) = row.short("USERID", 85)? else {
        return Ok(Fate::Done);
    };
    let user = call
        .account(user)
        .map(|account| text(&account, "id").to_owned())
        .ok_or_else(|| format!("USERID {user} does not exist"))?;
    let same = |record: &Value| record["learningModule"]["id"] == module["id"];
    let there = call.records_of(&user).into_iter().rfind(same);
    let record = match (row.get("ACTION"), there) {
        (Some("A"), Some(_)) => return Err("A training record already exists".to_owned()),
        (Some("U"), None) => return Err("There is no training record to update".to_owned()),
        (Some(other), _) if !matches!(other, "A" | "U") => return Err(format!("ACTION {other} is invalid")),
        (_, Some(record)) => record,
        (_, None) => call.enrolled(&user, &module, session.as_ref()),
    };
    let changed = change(record, row)?;
    keep(call.held, changed);
    match row.get("SCORE").filter(|_| !is_led) {
        Some(_) => Ok(Fate::Warned("SCORE applies to classroom courses only and was ignored".to_owned())),
        None => Ok(Fate::Done),
    }
}

/// A module that is not there is made when the row has a title for it.
fn module(call: &mut Call<'_>, row: &Row<'_>) -> Result<Value, String> {
    let id = row.required("LEARNINGID")?;
    match (call.module(id), row.get("LOTITLE")) {
        (Some(module), _) => Ok(module),
        (None, None) => Err(format!("LEARNINGID {id} does not exist")),
        (None, Some(title)) => {
            let module = json!({"id": id, "title": title, "type": "classroom", "typeLabel": "Classroom", "language": "English",
                "effectiveRevision": 0, "description": "", "session": []});
            call.held.put(MODULES, id, module.clone());
            Ok(module)
        }
    }
}

fn new_session(call: &mut Call<'_>, module: &Value, row: &Row<'_>) -> Result<Value, String> {
    let id = call.held.fresh("SES");
    let instructors =
        row.get("Instructor").map(|ids| ids.split('|').map(|id| id.trim()).collect::<Vec<_>>()).unwrap_or_default();
    if let Some(unknown) = instructors.iter().find(|id| call.account(id).is_none()) {
        return Err(format!("Instructor {unknown} does not exist"));
    }
    let instructors: Vec<Value> = instructors.into_iter().map(|id| json!({"id": id})).collect();
    let session = json!({"id": id, "code": row.get("SESSIONCODE").unwrap_or(&id), "title": row.get("SESSIONTITLE"),
        "start": date(row, "STARTDATE")?, "end": date(row, "ENDDATE")?, "location": row.get("Training Venue"),
        "status": row.get("SESSIONSTATUS").unwrap_or("Completed").to_lowercase(), "instructor": instructors});
    let mut module = module.clone();
    if !module["session"].is_array() {
        module["session"] = json!([]);
    }
    if let Some(sessions) = module["session"].as_array_mut() {
        sessions.push(session.clone());
    }
    let module_id = text(&module, "id").to_owned();
    call.held.put(MODULES, &module_id, module);
    Ok(session)
}

fn change(mut record: Value, row: &Row<'_>) -> Result<Value, String> {
    for (name, field) in [("enrollmentDate", "ENROLLDATE"), ("startDate", "STARTDATE"), ("endDate", "ENDDATE")] {
        if let Some(date) = date(row, field)? {
            record[name] = date;
        }
    }
    if let Some(status) = row.get("STUDENTSTATUS") {
        record["overallStatus"] = match status {
            "Pass" | "Completed" | "EXEMPT" => "completed",
            "Active" if record["startDate"].is_null() => "enrolled",
            "Active" => "incomplete",
            "Withdrawn" => "withdrawn",
            "Deactivated" => "cancelled",
            other => return Err(format!("STUDENTSTATUS {other} is invalid")),
        }
        .into();
    }
    if let Some(score) = row.get("SCORE").filter(|_| text(&record["learningModule"], "type") == "classroom") {
        score.parse::<f64>().map_err(|_| format!("SCORE {score} is not a number"))?;
        record["score"] = score.into();
    }
    Ok(record)
}

/// A date in one of the handler's formats; null for `NONE`, nothing for an empty cell.
fn date(row: &Row<'_>, field: &str) -> Result<Option<Value>, String> {
    let written = match row.get(field) {
        None => return Ok(None),
        Some("NONE") => return Ok(Some(Value::Null)),
        Some(written) => written,
    };
    let read = FORMATS.iter().find_map(|format| {
        let midnight = format!("{written} 00:00");
        let (text, format) = if format.ends_with("%M") {
            (written, (*format).to_owned())
        } else {
            (midnight.as_str(), format!("{format} %H:%M"))
        };
        // A year of four digits is none of two.
        let digits = text.split([' ', '-']).nth(2).map_or(0, str::len);
        let four = format.contains("%Y");
        NaiveDateTime::parse_from_str(text, &format).ok().filter(|_| digits == if four { 4 } else { 2 })
    });
    let at = read.ok_or_else(|| format!("{field} {written} is not a date such as 31-12-2025 09:30"))?;
    Ok(Some(Value::from(timestamp(at.and_utc().timestamp_millis(), 0))))
}
