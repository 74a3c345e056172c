//! User groups, and who supervises them. The vendor has no function that reads them: the books do.

use serde_json::{Value, json};

use super::{
    functions::Call,
    page::Refused,
    query::refused,
    reply::{Answer, Reply, done},
};

const GROUPS: &str = "groups";
const SUPERVISED: &str = "supervised_groups";

impl Call<'_> {
    fn group(&mut self) -> Result<&mut Value, Refused> {
        let name = self.given.text("group-name");
        self.held.get_mut(GROUPS, name).ok_or_else(|| refused(&format!("No such group: {name}")))
    }
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let name = call.given.text("group-name");
    if call.held.get(GROUPS, name).is_some() {
        return Err(refused(&format!("The group {name} already exists")));
    }
    let group = json!({"id": call.held.fresh("GRP"), "name": name, "shared": call.given.is_true("shared"),
        "owner": call.user, "members": []});
    call.held.put(GROUPS, name, group.clone());
    Ok(Reply::One("userGroup", group))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    call.group()?;
    call.held.remove(GROUPS, call.given.text("group-name"));
    done()
}

pub(super) fn add(call: &mut Call<'_>) -> Answer {
    let user = call.target("user-id", "targetAssignmentId")?;
    put_in(&mut call.group()?["members"], &user)
}

pub(super) fn remove(call: &mut Call<'_>) -> Answer {
    let user = call.target("user-id", "targetAssignmentId")?;
    take_out(&mut call.group()?["members"], &user)
}

pub(super) fn supervise(call: &mut Call<'_>) -> Answer {
    let user = call.target("user-id", "targetAssignmentId")?;
    call.group()?;
    if call.held.get(SUPERVISED, &user).is_none() {
        call.held.put(SUPERVISED, &user, json!([]));
    }
    let name = call.given.text("group-name");
    call.held.get_mut(SUPERVISED, &user).map_or_else(done, |groups| put_in(groups, name))
}

pub(super) fn stop_supervising(call: &mut Call<'_>) -> Answer {
    let user = call.target("user-id", "targetAssignmentId")?;
    let name = call.given.text("group-name");
    match call.held.get_mut(SUPERVISED, &user) {
        Some(groups) => take_out(groups, name),
        None => Err(refused(&format!("{user} supervises no groups"))),
    }
}

fn put_in(list: &mut Value, name: &str) -> Answer {
    if let Some(list) = list.as_array_mut().filter(|list| !list.iter().any(|one| one == name)) {
        list.push(Value::from(name));
    }
    done()
}

fn take_out(list: &mut Value, name: &str) -> Answer {
    let before = list.as_array().map_or(0, Vec::len);
    if let Some(list) = list.as_array_mut() {
        list.retain(|one| one != name);
    }
    if list.as_array().map_or(0, Vec::len) == before { Err(refused(&format!("{name} is not in it"))) } else { done() }
}
