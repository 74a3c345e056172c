//! Occupational health of version 1: forms and submissions. Their shapes are not documented; only the result's is.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    router::{Answer, Call, Good, Problem},
};

pub(super) fn forms(system: &HealthierBusiness, _: &Call) -> Answer {
    Ok(Good::value(200, Value::from(system.state().all("form").to_vec())))
}

pub(super) fn fields(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    state.find("form", "form", &call.path[0]).ok_or_else(|| Problem::new(404, "Form not found"))?;
    Ok(Good::value(
        200,
        json!([
            {"field": "first_name", "label": "First name", "type": "text", "required": "1"},
            {"field": "last_name", "label": "Last name", "type": "text", "required": "1"},
            {"field": "smoker", "label": "Do you smoke?", "type": "choice", "required": "0"},
        ]),
    ))
}

pub(super) fn create(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let form = call.text("form");
    if state.find("form", "form", &form).is_none() {
        return Err(Problem::new(403, "Validation failed").with("form", "is not known"));
    }
    let reference = format!("S{:06}", state.number());
    let mut submission = Value::Object(call.fields.clone());
    submission["submission_ref"] = json!(reference);
    submission["status"] = json!("draft");
    submission["documents"] = json!([]);
    state.add("submission", submission);
    Ok(Good::value(201, json!({"submission_ref": reference})))
}

pub(super) fn add_documents(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let submission = find(&mut state, call)?;
    if call.files.is_empty() {
        return Err(Problem::new(400, "There is no document in the request"));
    }
    if let Some(documents) = submission["documents"].as_array_mut() {
        documents.extend(call.files.iter().map(|name| json!(name)));
    }
    Ok(Good::value(200, json!({"submission_ref": call.path[0], "documents": submission["documents"]})))
}

/// What is submitted last is decided at the next look.
pub(super) fn submit(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let submission = find(&mut state, call)?;
    submission["status"] = json!("submitted");
    Ok(Good::value(200, json!({"submission_ref": call.path[0], "status": "submitted"})))
}

pub(super) fn list(system: &HealthierBusiness, _: &Call) -> Answer {
    let state = system.state();
    let row =
        |one: &Value| json!({"submission_ref": one["submission_ref"], "form": one["form"], "status": one["status"]});
    Ok(Good::value(200, state.all("submission").iter().map(row).collect()))
}

/// 202: not finished. It is at the look after the first one.
pub(super) fn result(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let submission = find(&mut state, call)?;
    match submission["status"].as_str() {
        Some("finished") => Ok(Good::value(
            200,
            json!({
                "status": "pass with advisory letters",
                "information": "",
                "documents": [{"document_id": "1", "document_status": "accepted", "document_information": ""}],
                "result": {"clearance_level": "2", "certificate_expire": "2027-01-31 00:00:00"},
            }),
        )),
        Some("submitted") => {
            submission["status"] = json!("finished");
            Ok(Good::Empty(202))
        }
        _ => Ok(Good::Empty(202)),
    }
}

/// 202: not finished; 204: finished, and there is no document.
pub(super) fn document(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let submission = find(&mut state, call)?;
    let without = submission["form"] == "short";
    match submission["status"].as_str() {
        Some("finished") if without => Ok(Good::Empty(204)),
        Some("finished") => Ok(Good::Pdf { name: format!("{}.pdf", call.path[0]), text: "fit to work".to_owned() }),
        _ => Ok(Good::Empty(202)),
    }
}

fn find<'a>(state: &'a mut crate::tables::Tables, call: &Call) -> Result<&'a mut Value, Problem> {
    state
        .find_mut("submission", "submission_ref", &call.path[0])
        .ok_or_else(|| Problem::new(404, "Submission not found"))
}
