//! Accounts: who one is, who others are, and their assignments.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    admission::ADMINISTRATOR,
    functions::Call,
    held::text,
    organisations,
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
    start,
};

/// The id of a user's only assignment.
pub(super) fn assignment_of(user: &str) -> String {
    format!("{user}/main")
}

/// An assignment has to be one of the user's.
pub(super) fn check_assignment(user: &str, assignment: Option<&str>) -> Result<(), Refused> {
    match assignment {
        Some(id) if id != assignment_of(user) => Err(refused(&format!("Assignment {id} is not one of {user}"))),
        _ => Ok(()),
    }
}

impl Call<'_> {
    /// Every account the caller may see, in the order of the seed: all for the administrator, the own one else.
    pub(super) fn visible(&self) -> Vec<Value> {
        let all = self.held.users(&self.system.seed);
        all.filter(|user| self.caller == ADMINISTRATOR || text(user, "id") == self.caller).collect()
    }

    pub(super) fn account(&self, id: &str) -> Option<Value> {
        if id == ADMINISTRATOR { Some(start::administrator()) } else { self.held.user(&self.system.seed, id) }
    }

    /// The user a call is about: by user id or by assignment, or the one it is made for.
    pub(super) fn target(&self, user: &str, assignment: &str) -> Result<String, Refused> {
        let by_id = self.given.get(user).map(str::to_lowercase);
        let by_assignment = self.given.get(assignment).map(|id| id.trim_end_matches("/main").to_owned());
        match (by_id, by_assignment) {
            (Some(one), Some(other)) if one != other => Err(refused("The assignment does not belong to the user")),
            (one, other) => {
                let id = one.or(other).unwrap_or_else(|| self.user.to_owned());
                let known = self.account(&id).is_some();
                if known { Ok(id) } else { Err(refused(&format!("No such user: {id}"))) }
            }
        }
    }
}

pub(super) fn me(call: &mut Call<'_>) -> Answer {
    let account = call.account(call.user).ok_or_else(|| refused("No such user"))?;
    Ok(Reply::One("user", account))
}

pub(super) fn users(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    if let Some(id) = given.get("organizationId").filter(|id| !organisations::exists(call.held, id)) {
        return Err(Refused(StatusCode::NOT_FOUND, format!("No such organization: {id}")));
    }
    let mut users = call.visible();
    users.retain(|user| {
        given.get("userId").is_none_or(|id| text(user, "id") == id.to_lowercase())
            && given.get("email").is_none_or(|email| text(user, "email").eq_ignore_ascii_case(email))
            && given.get("organizationId").is_none_or(|id| text(&user["organization"], "id") == id)
    });
    Ok(Reply::Many("users", "user", users))
}

pub(super) fn people(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let like = |wanted: &str, found: &str| {
        given.get(wanted).is_none_or(|wanted| found.to_lowercase().contains(&wanted.to_lowercase()))
    };
    // Whoever has an account may look others up.
    let people = call.held.users(&call.system.seed).filter(|user| {
        like("id", text(user, "id"))
            && like("first", text(user, "given"))
            && like("last", text(user, "family"))
            && given.finds(&format!("{} {} {}", text(user, "id"), text(user, "given"), text(user, "family")))
    });
    let shown = people.take(given.max()).map(|user| brief(&user)).collect();
    Ok(Reply::Many("people", "person", shown))
}

/// What one may know of everybody.
pub(super) fn brief(user: &Value) -> Value {
    json!({"id": user["id"], "family": user["family"], "given": user["given"], "email": user["email"],
        "jobTitle": user["jobTitle"], "organization": {"id": user["organization"]["id"]}})
}

pub(super) fn direct_reports(call: &mut Call<'_>) -> Answer {
    let reports = call.held.users(&call.system.seed).filter(|user| text(&user["directAppraiser"], "id") == call.user);
    let reports = reports.map(|user| brief(&user)).collect();
    Ok(Reply::Many("directReports", "directReport", reports))
}

pub(super) fn assignments(call: &mut Call<'_>) -> Answer {
    let account = call.account(call.user).ok_or_else(|| refused("No such user"))?;
    let assignment = json!({"id": assignment_of(call.user), "code": "main", "title": account["jobTitle"], "primary": true,
        "organization": {"id": account["organization"]["id"]}});
    Ok(Reply::Many("assignments", "assignment", vec![assignment]))
}
