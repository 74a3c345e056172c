//! `imsEnterprise`: organisations as groups, and who belongs to them. A group's id is `organization:` and the names of
//! all organisations from the top down, separated by commas; `recstatus` is 1 to add, 2 to update, 3 to delete.

use serde_json::{Value, json};

use super::tree::{self, Element};
use crate::people_fluent::{
    functions::Call,
    held::{USERS, text},
    organisations::{self, ORGANISATIONS},
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
};

pub(in crate::people_fluent) fn load(call: &mut Call<'_>) -> Answer {
    let root = tree::read(&call.given.body)?;
    if root.name != "enterprise" {
        return Err(refused(&format!("Expected enterprise, not {}", root.name)));
    }
    root.all("group").try_for_each(|one| group(call, one))?;
    root.all("membership").try_for_each(|one| membership(call, one))?;
    Ok(Reply::One("result", json!({"status": "ok"})))
}

/// The ids of an organisation and of the one above it.
fn path(element: &Element) -> Result<(String, String), Refused> {
    let id = element.at("sourcedid/id");
    let path = id.strip_prefix("organization:").filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| refused(&format!("The id of a group is organization: and a path, not {id}")))?;
    let mut names = path.rsplit(',').map(str::trim);
    let last = names.next().unwrap_or_default().to_owned();
    Ok((last, names.next().unwrap_or("*ROOT*").to_owned()))
}

fn group(call: &mut Call<'_>, element: &Element) -> Result<(), Refused> {
    let (id, parent) = path(element)?;
    if !organisations::exists(call.held, &parent) {
        return Err(refused(&format!("No such organization: {parent}")));
    }
    let exists = organisations::exists(call.held, &id);
    match (element.attribute("recstatus"), exists) {
        ("3", true) => call.held.put(ORGANISATIONS, &id, Value::Null),
        ("1" | "2", _) => {
            let name = Some(element.at("description/short")).filter(|name| !name.is_empty()).unwrap_or(&id);
            let organisation = json!({"id": id, "code": id, "description": name, "_parent": parent});
            call.held.put(ORGANISATIONS, &id, organisation);
        }
        ("3", false) => return Err(refused(&format!("No such organization: {id}"))),
        (other, _) => return Err(refused(&format!("recstatus {other} is not one of 1, 2, 3"))),
    }
    Ok(())
}

fn membership(call: &mut Call<'_>, element: &Element) -> Result<(), Refused> {
    let (id, _) = path(element)?;
    if !organisations::exists(call.held, &id) {
        return Err(refused(&format!("No such organization: {id}")));
    }
    for member in element.all("member") {
        let user = member.at("sourcedid/id");
        let mut account = call.account(user).ok_or_else(|| refused(&format!("No such user: {user}")))?;
        account["organization"] = json!({"id": id, "code": id, "description": id});
        let user = text(&account, "id").to_owned();
        call.held.put(USERS, &user, account);
    }
    Ok(())
}
