//! `usersCsv`: accounts, added, changed and deleted. Ids are kept in lower case; an empty cell leaves a field as it is,
//! `NONE` empties it.

use serde_json::{Value, json};

use super::csv::{Fate, Outcome, Row, load as load_rows};
use crate::people_fluent::{admission::fingerprint, functions::Call, held::USERS, organisations, reply::Answer};

const FIELDS: [&str; 43] = [
    "Action",
    "UserID",
    "FamilyName",
    "GivenName",
    "MiddleName",
    "OtherName",
    "Password",
    "Status",
    "Email",
    "E-mail Address",
    "BirthDate",
    "ExpirationDate",
    "Join Date",
    "LanguagePref",
    "UserRole",
    "Direct Appraiser",
    "DeptId",
    "Department",
    "Employee Num",
    "Cost Center",
    "Company Address 1",
    "Company Address 2",
    "City",
    "Province State",
    "PostalCode",
    "Country",
    "Phone",
    "Job Title",
    "Prefix",
    "Organization",
    "UserAttr1",
    "UserAttr2",
    "UserAttr3",
    "UserAttr4",
    "UserAttr5",
    "UserAttr6",
    "UserAttr7",
    "UserAttr8",
    "Org Code",
    "Fax",
    "Mobile",
    "Gender",
    "Time Zone",
];
const PLAIN: [(&str, &str); 18] = [
    ("family", "FamilyName"),
    ("given", "GivenName"),
    ("middle", "MiddleName"),
    ("other", "OtherName"),
    ("prefix", "Prefix"),
    ("email", "Email"),
    ("email", "E-mail Address"),
    ("departmentId", "DeptId"),
    ("departmentName", "Department"),
    ("employeeNumber", "Employee Num"),
    ("costCenter", "Cost Center"),
    ("address1", "Company Address 1"),
    ("address2", "Company Address 2"),
    ("city", "City"),
    ("provinceState", "Province State"),
    ("postalCodeZip", "PostalCode"),
    ("phone", "Phone"),
    ("jobTitle", "Job Title"),
];

pub(in crate::people_fluent) fn load(call: &mut Call<'_>) -> Answer {
    load_rows(call, &FIELDS, one)
}

fn one(call: &mut Call<'_>, row: &Row<'_>) -> Outcome {
    let action = row.action()?;
    row.required("UserID")?;
    let id = row.short("UserID", 85)?.unwrap_or_default().to_lowercase();
    let there = call.held.user(&call.system.seed, &id);
    let mut user = match (action, there) {
        ("D", Some(_)) => {
            call.held.put(USERS, &id, Value::Null);
            return Ok(Fate::Done);
        }
        ("D" | "U", None) => return Err(format!("User {id} does not exist")),
        ("A", Some(_)) => return Err(format!("User {id} already exists")),
        (_, Some(user)) => user,
        (_, None) => {
            row.required("FamilyName")?;
            row.required("GivenName")?;
            json!({"id": id, "status": "active", "organization": organisations::with_parents("*ROOT*")})
        }
    };
    for (name, field) in PLAIN {
        if let Some(cell) = row.get(field) {
            user[name] = if cell == "NONE" { Value::Null } else { cell.into() };
        }
    }
    if let Some(password) = row.get("Password") {
        user["_password"] = fingerprint(password).into();
    }
    match row.get("Status") {
        Some(status @ ("active" | "suspend" | "close")) => user["status"] = status.into(),
        Some(other) => return Err(format!("Status {other} is not one of active, suspend, close")),
        None => {}
    }
    if let Some(organisation) = row.get("Organization") {
        if !organisations::exists(call.held, organisation) {
            return Err(format!("Organization {organisation} does not exist"));
        }
        user["organization"] = organisations::with_parents(organisation);
    }
    let mut fate = Fate::Done;
    if let Some(appraiser) = row.get("Direct Appraiser") {
        match call.account(appraiser) {
            Some(one) => {
                user["directAppraiser"] = json!({"id": one["id"], "family": one["family"], "given": one["given"]})
            }
            None => fate = Fate::Warned(format!("Direct Appraiser {appraiser} does not exist and was left out")),
        }
    }
    call.held.put(USERS, &id, user);
    Ok(fate)
}
