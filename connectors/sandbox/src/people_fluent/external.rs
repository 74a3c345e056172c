//! Training elsewhere: records people enter themselves, and those that wait for approval.

use serde_json::{Value, json};

use super::{
    admission::ADMINISTRATOR,
    functions::Call,
    held::text,
    page::Refused,
    query::refused,
    reply::{Answer, Reply, done},
};

/// By record id.
pub(super) const EXTERNAL: &str = "external";
const FIELDS: [&str; 15] = [
    "title",
    "type",
    "subject",
    "startDate",
    "endDate",
    "venue",
    "language",
    "durationAmount",
    "durationUnit",
    "costAmount",
    "costCurrency",
    "grade",
    "score",
    "vendor",
    "comments",
];

impl Call<'_> {
    /// A record of the user's own.
    fn external(&self) -> Result<Value, Refused> {
        let id = self.given.text("id");
        let found = self.held.get(EXTERNAL, id).filter(|record| text(record, "userId") == self.user);
        found.cloned().ok_or_else(|| refused(&format!("No such external training record: {id}")))
    }

    /// What was sent, as a record.
    fn sent(&self, id: &str) -> Result<Value, Refused> {
        let given = self.given;
        if given.text("startDate") > given.text("endDate") {
            return Err(refused("The end date is before the start date"));
        }
        let mut record = json!({"id": id, "userId": self.user, "status": given.get("status")});
        for field in FIELDS {
            record[field] = given.get(field).map_or(Value::Null, Value::from);
        }
        if record["type"].is_null() {
            record["type"] = "learningProgram".into();
        }
        if let Some(file) = given.files.iter().find(|file| file.part == "attachment") {
            record["attachment"] = json!({"fileName": file.name, "size": file.bytes.len()});
        }
        Ok(record)
    }
}

pub(super) fn records(call: &mut Call<'_>) -> Answer {
    let own = call.held.shelf(EXTERNAL).filter(|record| text(record, "userId") == call.user).cloned().collect();
    Ok(Reply::Many("externalTrainingRecords", "externalTrainingRecord", own))
}

pub(super) fn record(call: &mut Call<'_>) -> Answer {
    Ok(Reply::One("externalTrainingRecord", call.external()?))
}

/// Those that wait for the user: of the people they appraise, or of everybody for the administrator.
pub(super) fn requests(call: &mut Call<'_>) -> Answer {
    let waits_for_user = |record: &&Value| {
        let asks = call.account(text(record, "userId"));
        let appraiser = asks.is_some_and(|user| text(&user["directAppraiser"], "id") == call.user);
        text(record, "status") == "pendingApproval" && (call.user == ADMINISTRATOR || appraiser)
    };
    let waiting = call.held.shelf(EXTERNAL).filter(waits_for_user).cloned().collect();
    Ok(Reply::Many("externalTrainingRequests", "externalTrainingRequest", waiting))
}

pub(super) fn add(call: &mut Call<'_>) -> Answer {
    let id = call.held.fresh("EXTN");
    let record = call.sent(&id)?;
    call.held.put(EXTERNAL, &id, record.clone());
    Ok(Reply::One("externalTrainingRecord", record))
}

/// All of a record is replaced; what is not sent is gone.
pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let id = text(&call.external()?, "id").to_owned();
    let record = call.sent(&id)?;
    call.held.put(EXTERNAL, &id, record.clone());
    Ok(Reply::One("externalTrainingRecord", record))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let record = call.external()?;
    call.held.remove(EXTERNAL, text(&record, "id"));
    done()
}
