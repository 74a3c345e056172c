//! Operation 14: providers of external training. Nothing lists them, and the same name twice makes two.

use serde_json::json;

use super::{
    HumanFocus,
    fields::{Answer, Fields},
};

pub(super) fn add(system: &HumanFocus, fields: &Fields<'_>) -> Answer {
    let name = fields.text("PrvName")?;
    fields.organisation("OrganId")?;
    let mut state = system.state();
    let id = state.next_provider();
    state.providers.insert(id, name.to_owned());
    Ok(json!({"Status": true, "Result": {"ProviderId": id}}))
}
