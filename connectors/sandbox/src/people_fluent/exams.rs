//! Assessments: attempts people hand in, and those supervisors make.

use serde_json::{Value, json};

use super::{
    functions::Call,
    held::text,
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
    xml::timestamp,
};

const ATTEMPTS: &str = "attempts";
const SUPERVISED: &str = "supervisor_assessments";

/// The descriptor is not documented; here it is `{assessmentId, answers: [{question, correct}]}`.
pub(super) fn attempt(call: &mut Call<'_>) -> Answer {
    let sent: Value = serde_json::from_str(call.given.text("attempt"))
        .map_err(|error| refused(&format!("Parameter attempt is not JSON: {error}")))?;
    let assessment = text(&sent, "assessmentId");
    if assessment.is_empty() {
        return Err(refused("The attempt has no assessmentId"));
    }
    let answers = sent["answers"].as_array().cloned().unwrap_or_default();
    let correct = answers.iter().filter(|answer| answer["correct"] == true).count();
    let id = call.held.fresh("ATT");
    let summary = json!({"id": id, "assessmentId": assessment, "userId": call.user, "questions": answers.len(),
        "correct": correct, "score": if answers.is_empty() { 0 } else { correct * 100 / answers.len() },
        "passed": correct * 2 >= answers.len(), "submitted": timestamp(call.held.moment(), 0)});
    call.held.put(ATTEMPTS, &id, summary);
    Ok(Reply::Json(json!({"status": "ok", "id": id})))
}

pub(super) fn summary(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let own = call.held.get(ATTEMPTS, id).filter(|attempt| text(attempt, "userId") == call.user);
    let own = own.ok_or_else(|| refused(&format!("No such attempt: {id}")))?;
    Ok(Reply::One("assessmentAttempt", own.clone()))
}

impl Call<'_> {
    fn supervised(&self) -> impl Iterator<Item = &Value> {
        self.held.shelf(SUPERVISED).filter(|assessment| text(assessment, "_supervisor") == self.user)
    }
}

pub(super) fn supervisor_assessments(call: &mut Call<'_>) -> Answer {
    let heads = call.supervised().map(|assessment| {
        json!({"id": assessment["id"], "enrollmentId": assessment["enrollmentId"], "userId": assessment["userId"],
            "module": assessment["module"], "status": assessment["status"], "due": assessment["due"]})
    });
    Ok(Reply::Many("supervisorAssessments", "supervisorAssessment", heads.collect()))
}

pub(super) fn supervisor_assessment(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let found: Result<Value, Refused> = call
        .supervised()
        .find(|assessment| text(assessment, "enrollmentId") == id)
        .cloned()
        .ok_or_else(|| refused(&format!("No such supervisor assessment: {id}")));
    Ok(Reply::One("supervisorAssessment", found?))
}
