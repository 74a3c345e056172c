//! `externalTrainingCsv`: records of training elsewhere, added, changed and deleted by their own id.

use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Value, json};

use super::csv::{Fate, Outcome, Row, load as load_rows};
use crate::people_fluent::{external::EXTERNAL, functions::Call, reply::Answer};

const FIELDS: [&str; 18] = [
    "Action",
    "RecordID",
    "UserId",
    "Title",
    "CourseType",
    "StartDate",
    "EndDate",
    "Status",
    "Subject",
    "Grade",
    "Score",
    "Duration",
    "Unit",
    "Cost",
    "Currency",
    "Language",
    "VendorInfo1",
    "Comments",
];
const TYPES: [(&str, &str); 5] =
    [("TNS", ""), ("C", "learningProgram"), ("R", "classroom"), ("O", "onlineModule"), ("W", "workshopSeminar")];
const STATUSES: [&str; 6] =
    ["openForEditing", "pendingApproval", "approved", "approvalDenied", "completed", "cancelled"];
const UNITS: [(&str, &str); 6] =
    [("I", "minute"), ("H", "hour"), ("D", "day"), ("W", "week"), ("M", "month"), ("Y", "year")];

pub(in crate::people_fluent) fn load(call: &mut Call<'_>) -> Answer {
    load_rows(call, &FIELDS, one)
}

fn one(call: &mut Call<'_>, row: &Row<'_>) -> Outcome {
    let action = row.action()?;
    row.required("RecordID")?;
    let id = row.short("RecordID", 15)?.unwrap_or_default();
    let there = call.held.get(EXTERNAL, id).cloned();
    let mut record = match (action, there) {
        ("D", Some(_)) => {
            call.held.remove(EXTERNAL, id);
            return Ok(Fate::Done);
        }
        ("D" | "U", None) => return Err(format!("RecordID {id} does not exist")),
        ("A", Some(_)) => return Err(format!("RecordID {id} already exists")),
        (_, Some(record)) => record,
        (_, None) => {
            row.required("UserId")?;
            row.required("Title")?;
            json!({"id": id, "status": STATUSES[0], "durationAmount": "0"})
        }
    };
    let user = row.short("UserId", 85)?;
    let account =
        user.map(|user| call.account(user).ok_or_else(|| format!("UserId {user} does not exist"))).transpose()?;
    set(&mut record, "userId", account.map(|account| account["id"].clone()));
    for (name, field, most) in [("title", "Title", 255), ("subject", "Subject", 50)] {
        set(&mut record, name, row.short(field, most)?.map(Value::from));
    }
    let plain = [
        ("grade", "Grade"),
        ("score", "Score"),
        ("costCurrency", "Currency"),
        ("language", "Language"),
        ("vendor", "VendorInfo1"),
        ("comments", "Comments"),
    ];
    for (name, field) in plain {
        set(&mut record, name, row.get(field).map(Value::from));
    }
    for (name, field) in [("durationAmount", "Duration"), ("costAmount", "Cost")] {
        set(&mut record, name, decimal(row, field)?);
    }
    for (name, field) in [("startDate", "StartDate"), ("endDate", "EndDate")] {
        set(&mut record, name, date(row, field)?);
    }
    set(&mut record, "type", word(row, "CourseType", &TYPES)?);
    set(&mut record, "durationUnit", word(row, "Unit", &UNITS)?);
    let statuses: Vec<(String, &str)> =
        STATUSES.iter().enumerate().map(|(code, word)| (code.to_string(), *word)).collect();
    let statuses: Vec<(&str, &str)> = statuses.iter().map(|(code, word)| (code.as_str(), *word)).collect();
    set(&mut record, "status", word(row, "Status", &statuses)?);
    call.held.put(EXTERNAL, id, record);
    Ok(Fate::Done)
}

/// An empty cell leaves the field unchanged.
fn set(record: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        record[name] = value;
    }
}

fn word(row: &Row<'_>, field: &str, words: &[(&str, &str)]) -> Result<Option<Value>, String> {
    let Some(code) = row.get(field) else { return Ok(None) };
    let word = words.iter().find(|(known, _)| *known == code).map(|(_, word)| Value::from(*word));
    word.map(Some).ok_or_else(|| format!("{field} {code} is invalid"))
}

fn decimal(row: &Row<'_>, field: &str) -> Result<Option<Value>, String> {
    let Some(number) = row.get(field) else { return Ok(None) };
    let places = number.split_once('.').map_or(0, |(_, places)| places.len());
    match number.parse::<f64>().is_ok() && places <= 2 {
        true => Ok(Some(Value::from(number))),
        false => Err(format!("{field} {number} is not a decimal value with up to two decimal places")),
    }
}

/// `yyyy-MM-dd HH:mm:ss` or `yyyy-MM-dd`; the day is kept.
fn date(row: &Row<'_>, field: &str) -> Result<Option<Value>, String> {
    let Some(written) = row.get(field) else { return Ok(None) };
    let day = NaiveDateTime::parse_from_str(written, "%Y-%m-%d %H:%M:%S").map(|at| at.date());
    let day = day.or_else(|_| NaiveDate::parse_from_str(written, "%Y-%m-%d"));
    day.map(|day| Some(Value::from(day.to_string()))).map_err(|_| format!("{field} {written} is not a date"))
}
