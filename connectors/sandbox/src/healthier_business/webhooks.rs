//! Webhook endpoints of version 2 and what was sent to them.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    router::{Answer, Call, Good, Problem},
    world::NOW,
};

pub(super) fn list(system: &HealthierBusiness, _: &Call) -> Answer {
    Ok(Good::value(200, json!({"data": system.state().all("webhook")})))
}

/// The secret is shown this once.
pub(super) fn create(system: &HealthierBusiness, call: &Call) -> Answer {
    if !call.text("url").starts_with("https://") {
        return Err(Problem::new(422, "The given data was invalid.").with("url", "must be an https address"));
    }
    let mut state = system.state();
    let id = state.number();
    let number = |name: &str, default: u64| call.fields.get(name).and_then(Value::as_u64).unwrap_or(default);
    let webhook = json!({
        "id": id, "name": call.fields.get("name"), "url": call.text("url"), "events": call.fields.get("events"),
        "is_active": true, "timeout_seconds": number("timeout_seconds", 30), "max_retries": number("max_retries", 3),
        "secret_prefix": "whsec_ab", "last_delivered_at": null, "last_response_code": null, "consecutive_failures": 0,
        "created_at": NOW, "updated_at": NOW,
    });
    state.add("webhook", webhook.clone());
    let secret = format!("whsec_ab{:016x}", fastrand::u64(..));
    Ok(Good::value(
        201,
        json!({"data": webhook, "secret": secret, "message": "Keep the secret: it is not shown again"}),
    ))
}

fn missing() -> Problem {
    Problem::new(404, "Webhook not found")
}

pub(super) fn update(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let webhook = state.find_mut("webhook", "id", &call.path[0]).ok_or_else(missing)?;
    for (name, value) in &call.fields {
        webhook[name.as_str()] = value.clone();
    }
    Ok(Good::value(200, json!({"data": webhook})))
}

pub(super) fn delete(system: &HealthierBusiness, call: &Call) -> Answer {
    match system.state().remove("webhook", |webhook| crate::tables::plain(&webhook["id"]) == call.path[0]) {
        0 => Err(missing()),
        _ => Ok(Good::Empty(204)),
    }
}

pub(super) fn calls(system: &HealthierBusiness, call: &Call) -> Answer {
    let state = system.state();
    let webhook = state.find("webhook", "id", &call.path[0]).ok_or_else(missing)?["id"].clone();
    let of_it = |one: &&Value| one["webhook_id"] == webhook;
    Ok(Good::value(200, json!({"data": state.all("webhook_call").iter().filter(of_it).collect::<Vec<_>>()})))
}

/// Nothing leaves this machine: the call is only noted.
pub(super) fn test(system: &HealthierBusiness, call: &Call) -> Answer {
    let mut state = system.state();
    let webhook = state.find("webhook", "id", &call.path[0]).ok_or_else(missing)?["id"].clone();
    let id = state.number();
    state.add(
        "webhook_call",
        json!({"id": id, "webhook_id": webhook, "event_type": "webhook.test", "response_code": 200, "created_at": NOW}),
    );
    Ok(Good::value(200, json!({"message": "Test sent"})))
}
