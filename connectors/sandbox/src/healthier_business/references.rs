//! Reference requests, references and templates of version 2.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    router::{Answer, Call, Good, Problem},
    world::NOW,
};
use crate::tables::{Tables, plain};

/// `data` with `meta` and `links`, as all lists of version 2.
pub(super) fn paged(system: &HealthierBusiness, call: &Call, path: &str, rows: Vec<Value>) -> Answer {
    let size = call.number("per_page", 20).clamp(1, system.page_cap);
    let page = call.number("page", 1).max(1);
    let last = rows.len().div_ceil(size).max(1);
    let url = |page: usize| format!("{}{path}?page={page}&per_page={size}", system.origin);
    let total = rows.len();
    let data: Vec<Value> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    Ok(Good::value(
        200,
        json!({
            "data": data,
            "meta": {"current_page": page, "last_page": last, "per_page": size, "total": total},
            "links": {
                "first": url(1),
                "last": url(last),
                "prev": (page > 1).then(|| url(page - 1)),
                "next": (page < last).then(|| url(page + 1)),
            },
        }),
    ))
}

pub(super) fn list(system: &HealthierBusiness, call: &Call) -> Answer {
    let rows: Vec<Value> = {
        let state = system.state();
        state.all("reference_request").iter().map(|one| whole(&state, one)).collect()
    };
    paged(system, call, "/v2/reference-requests", rows)
}

/// A request with its references.
fn whole(state: &Tables, request: &Value) -> Value {
    let mut request = request.clone();
    let of_it = |reference: &&Value| reference["reference_request_id"] == request["id"];
    request["references"] = state.all("reference").iter().filter(of_it).map(short).collect();
    request
}

/// A reference without what only its detail has.
fn short(reference: &Value) -> Value {
    let members = reference.as_object().into_iter().flatten();
    let is_detail = |name: &str| matches!(name, "form_response" | "score_breakdown" | "ip_address");
    members.filter(|(name, _)| !is_detail(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn find<'a>(state: &'a Tables, kind: &str, id: &str) -> Result<&'a Value, Problem> {
    state.find(kind, "id", id).or_else(|| state.find(kind, "uuid", id)).ok_or_else(|| Problem::new(404, "Not found"))
}

pub(super) fn one(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    let request = find(&state, "reference_request", &call.path[0])?;
    Ok(Good::value(200, json!({"data": whole(&state, request)})))
}

/// Each referee is written to at once, or the candidate is.
pub(super) fn create(system: &HealthierBusiness, call: &Call) -> Answer {
    let mode = call.text("collection_mode");
    if !matches!(mode.as_str(), "client_adds" | "candidate_provides") {
        return Err(Problem::new(422, "The given data was invalid.").with("collection_mode", "is not a mode"));
    }
    let referees = call.fields.get("referees").and_then(Value::as_array).cloned().unwrap_or_default();
    if mode == "client_adds" && referees.is_empty() {
        return Err(Problem::new(422, "The given data was invalid.").with("referees", "at least one is needed"));
    }
    let Some(candidate) = call.fields.get("candidate_id").and_then(Value::as_u64) else {
        return Err(Problem::new(422, "The given data was invalid.").with("candidate_id", "is a number"));
    };
    let mut state = system.state();
    let id = state.number();
    let mut request = json!({
        "id": id, "uuid": format!("00000000-0000-4000-8000-{id:012}"), "candidate_id": candidate,
        "candidate_name": "Somebody", "candidate_email": "somebody@acme.example", "template_id": call.fields.get("template_id"),
        "template_name": "Standard", "collection_mode": mode, "status": "pending", "status_label": "Pending",
        "references_required": call.fields.get("references_required").and_then(Value::as_u64).unwrap_or(1),
        "references_completed": 0, "is_fully_referenced": false, "notes": call.fields.get("notes"),
        "expires_at": "2026-03-01T00:00:00Z", "is_expired": false, "requested_by": "api", "submission_url": null,
        "created_at": NOW, "updated_at": NOW,
    });
    for referee in referees {
        let reference = reference_of(&mut state, id, &referee);
        state.add("reference", reference);
    }
    state.add("reference_request", request.clone());
    request = whole(&state, &request);
    Ok(Good::value(201, json!({"data": request})))
}

fn reference_of(state: &mut Tables, request: u64, referee: &Value) -> Value {
    let id = state.number();
    let mut reference = json!({
        "id": id, "uuid": format!("00000000-0000-4000-9000-{id:012}"), "reference_request_id": request, "status": "sent",
        "status_label": "Sent", "score": null, "decline_reason": null, "form_url": null, "pdf_url": null, "sent_at": NOW,
        "opened_at": null, "submitted_at": null, "expires_at": "2026-03-01T00:00:00Z", "reminder_count": 0,
        "last_reminder_sent_at": null, "created_at": NOW, "updated_at": NOW,
    });
    for (name, value) in referee.as_object().into_iter().flatten() {
        reference[name.as_str()] = value.clone();
    }
    reference
}

pub(super) fn cancel(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let id = plain(&find(&state, "reference_request", &call.path[0])?["id"]);
    if let Some(request) = state.find_mut("reference_request", "id", &id) {
        if request["status"] == "cancelled" {
            return Err(Problem::new(409, "The request is cancelled already"));
        }
        request["status"] = json!("cancelled");
    }
    Ok(Good::value(200, json!({"message": "Request cancelled"})))
}

pub(super) fn add_referee(system: &HealthierBusiness, call: &Call) -> Answer {
    if call.text("referee_email").is_empty() {
        return Err(Problem::new(422, "The given data was invalid.").with("referee_email", "is required"));
    }
    let mut state = system.state();
    let request = find(&state, "reference_request", &call.path[0])?["id"].as_u64().unwrap_or_default();
    let reference = reference_of(&mut state, request, &Value::Object(call.fields.clone()));
    state.add("reference", reference.clone());
    Ok(Good::value(201, json!({"data": short(&reference)})))
}

pub(super) fn remind(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let request = find(&state, "reference_request", &call.path[0])?["id"].clone();
    let of_it = |reference: &&Value| reference["reference_request_id"] == request;
    let ids: Vec<String> = state.all("reference").iter().filter(of_it).map(|one| plain(&one["id"])).collect();
    for id in &ids {
        if let Some(reference) = state.find_mut("reference", "id", id) {
            reference["reminder_count"] = json!(reference["reminder_count"].as_u64().unwrap_or_default() + 1);
        }
    }
    Ok(Good::value(200, json!({"message": "Reminders sent", "sent": ids.len()})))
}

pub(super) fn reference(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    Ok(Good::value(200, json!({"data": find(&state, "reference", &call.path[0])?})))
}

pub(super) fn pdf(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    let reference = find(&state, "reference", &call.path[0])?;
    Ok(Good::Pdf { name: format!("reference-{}.pdf", reference["id"]), text: plain(&reference["referee_name"]) })
}

pub(super) fn templates(system: &HealthierBusiness, _: &Call) -> Answer {
    Ok(Good::value(200, json!({"data": system.state().all("template")})))
}
