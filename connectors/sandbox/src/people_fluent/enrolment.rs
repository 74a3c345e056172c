//! Enrolments: made, moved on, handed over, tracked.

use serde_json::{Value, json};

use super::{
    catalogue,
    functions::Call,
    held::{RECORDS, text},
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
    training::{is_active, keep},
    xml::timestamp,
};

const STATUSES: [&str; 12] = [
    "administrativeEntry",
    "cancelled",
    "completed",
    "enrolled",
    "finishedUsing",
    "incomplete",
    "pendingApproval",
    "resource",
    "shared",
    "unknown",
    "waitlisted",
    "withdrawn",
];

impl Call<'_> {
    /// A new record of the user for a module.
    pub(super) fn enrolled(&mut self, user: &str, module: &Value, session: Option<&Value>) -> Value {
        let id = self.held.fresh("TRN");
        let now = timestamp(self.held.moment(), 0);
        let record = json!({"@id": id, "userId": user,
            "learningModule": {"id": module["id"], "title": module["title"], "type": module["type"]},
            "enrollmentDate": now, "overallStatus": "enrolled", "attemptCount": 0, "isSelfEnrolled": user == self.caller,
            "downloadable": true, "_session": session.map(|session| session["id"].clone())});
        keep(self.held, record)
    }

    pub(super) fn module(&self, id: &str) -> Option<Value> {
        catalogue::find(self.held, &self.system.seed, id)
    }

    fn active_in(&self, user: &str, module: &str) -> bool {
        let records = self.records_of(user);
        records.iter().any(|record| is_active(record) && text(&record["learningModule"], "id") == module)
    }
}

/// Failure is told in the answer, as the vendor says, and the status is that of a success.
fn failed(code: &str, message: String) -> Answer {
    Ok(Reply::One("error", json!({"code": code, "message": message})))
}

pub(super) fn enrol(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("learning-id");
    let Some(module) = call.module(id) else {
        return failed("no-such-module", format!("No such module: {id}"));
    };
    if call.active_in(call.user, id) {
        return failed("already-enrolled", format!("{} is enrolled in {id} already", call.user));
    }
    let session = call.given.get("session-code").map(|code| catalogue::session_named(&module, code).ok_or(code));
    match session.transpose() {
        Err(code) => failed("no-such-session", format!("{id} has no session {code}")),
        Ok(session) => Ok(Reply::One("enrollment", call.enrolled(call.user, &module, session))),
    }
}

pub(super) fn add_module(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let programme = call.record(given.text("programSessionEnrollmentId"))?;
    let id = given.text("moduleId");
    let module = call.module(id).ok_or_else(|| refused(&format!("No such module: {id}")))?;
    let named = given.get("moduleSessionId").or(given.get("moduleSessionCode"));
    let named = named.ok_or_else(|| refused("One of moduleSessionId and moduleSessionCode must be specified"))?;
    let session = catalogue::session_named(&module, named);
    let session = session.ok_or_else(|| refused(&format!("{id} has no session {named}")))?;
    if text(&programme["learningModule"], "type") != "learningProgram" {
        return Err(refused(&format!("{} is not a program enrollment", text(&programme, "@id"))));
    }
    let user = text(&programme, "userId").to_owned();
    let mut record = call.enrolled(&user, &module, Some(session));
    record["_parent"] = programme["@id"].clone();
    Ok(Reply::One("enrollment", keep(call.held, record)))
}

pub(super) fn launch(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let mut record = call.own_record(given.text("enrollmentId"))?;
    must_be_downloadable(&record)?;
    if text(&record, "overallStatus") == "completed" && !given.is_true("allowNewAttempt") {
        return Err(refused("The last attempt is completed, and no new one is allowed"));
    }
    record["lastAttemptDate"] = timestamp(given.time("datetime").unwrap_or_default(), 0).into();
    record["attemptCount"] = (record["attemptCount"].as_u64().unwrap_or_default() + 1).into();
    Ok(Reply::One("enrollment", keep(call.held, record)))
}

pub(super) fn must_be_downloadable(record: &Value) -> Result<(), Refused> {
    match record["downloadable"] == true {
        true => Ok(()),
        false => Err(refused("The enrolled revision does not permit downloads")),
    }
}

pub(super) fn hacp(call: &mut Call<'_>) -> Answer {
    let (id, item) = (call.given.text("enrollmentId"), call.given.text("itemId"));
    must_be_downloadable(&call.own_record(id)?)?;
    let info = json!({"enrollmentId": id, "itemId": item, "sessionId": format!("{id}-{item}"),
        "url": format!("{}/servlet/hacp", call.system.base_url)});
    Ok(Reply::One("hacpInfo", info))
}

pub(super) fn change_status(call: &mut Call<'_>) -> Answer {
    let status = call.given.text("status");
    if !STATUSES.contains(&status) {
        return Err(refused(&format!("Parameter status: unknown value: {status}")));
    }
    let mut record = call.record(call.given.text("enrollmentId"))?;
    record["overallStatus"] = status.into();
    if status == "completed" && record["endDate"].is_null() {
        record["endDate"] = timestamp(call.held.moment(), 0).into();
    }
    let record = keep(call.held, record);
    if call.given.is_true("simpleResponse") {
        return Ok(Reply::One("enrollment", record));
    }
    let same = |other: &&Value| other["learningModule"]["id"] == record["learningModule"]["id"];
    let all = call.held.shelf(RECORDS).filter(same).cloned().collect();
    Ok(Reply::Many("enrollments", "enrollment", all))
}

pub(super) fn substitute(call: &mut Call<'_>) -> Answer {
    let mut record = call.record(call.given.text("enrollmentId"))?;
    if call.given.get("targetUserId").or(call.given.get("targetAssignmentId")).is_none() {
        return Err(refused("One of targetUserId and targetAssignmentId must be specified"));
    }
    let target = call.target("targetUserId", "targetAssignmentId")?;
    if record["_session"].is_null() {
        return Err(refused("The enrollment is not one in a session"));
    }
    if call.active_in(&target, text(&record["learningModule"], "id")) {
        return Err(refused(&format!("{target} is enrolled already")));
    }
    record["userId"] = target.into();
    Ok(Reply::One("enrollment", keep(call.held, record)))
}

pub(super) fn participants(call: &mut Call<'_>) -> Answer {
    let (module, session) = (call.given.text("moduleId"), call.given.text("sessionId"));
    let known = call.module(module).is_some_and(|module| catalogue::session_named(&module, session).is_some());
    if !known {
        return Err(refused(&format!("No such session: {module}, {session}")));
    }
    let within = call.held.shelf(RECORDS).filter(|record| {
        text(&record["learningModule"], "id") == module && text(record, "_session") == session && is_active(record)
    });
    let shown = within.filter_map(|record| {
        let user = call.account(text(record, "userId"))?;
        Some(json!({"enrollmentId": record["@id"], "status": record["overallStatus"],
            "user": {"id": user["id"], "family": user["family"], "given": user["given"]}}))
    });
    Ok(Reply::Many("participants", "participant", shown.collect()))
}
