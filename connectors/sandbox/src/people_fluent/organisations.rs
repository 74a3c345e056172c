//! Organisations: a tree, each shown with those above or below it. More come through the enterprise handler.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    functions::Call,
    held::{Held, text},
    page::Refused,
    reply::{Answer, Reply},
};
use crate::seed;

/// Organisations that were made, changed or (null) deleted.
pub(super) const ORGANISATIONS: &str = "organizations";

/// One of the seed with all above it.
pub(super) fn with_parents(id: &str) -> Value {
    let parent = seed::organisations().find(|(known, _)| *known == id).and_then(|(_, parent)| parent);
    json!({"id": id, "code": id, "description": id.to_uppercase(), "parent": parent.map(with_parents)})
}

/// Id, name and parent of all.
fn all(held: &Held) -> Vec<(String, String, Option<String>)> {
    let seeded = seed::organisations().filter(|(id, _)| held.get(ORGANISATIONS, id).is_none());
    let seeded = seeded.map(|(id, parent)| (id.to_owned(), id.to_uppercase(), parent.map(str::to_owned)));
    let made = held.shelf(ORGANISATIONS);
    let made = made.map(|one| {
        (text(one, "id").to_owned(), text(one, "description").to_owned(), one["_parent"].as_str().map(str::to_owned))
    });
    seeded.chain(made).collect()
}

pub(super) fn exists(held: &Held, id: &str) -> bool {
    all(held).iter().any(|(known, ..)| known == id)
}

fn with_children(all: &[(String, String, Option<String>)], id: &str, levels: usize) -> Value {
    let children = all.iter().filter(|(_, _, parent)| levels > 0 && parent.as_deref() == Some(id));
    let children: Vec<Value> = children.map(|(child, ..)| with_children(all, child, levels - 1)).collect();
    let name = all.iter().find(|(known, ..)| known == id).map(|(_, name, _)| name.as_str());
    json!({"id": id, "code": id, "description": name, "children": children})
}

/// One that does not exist is an HTTP error, as clients of the vendor report.
pub(super) fn organisation(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    if !exists(call.held, id) {
        return Err(Refused(StatusCode::NOT_FOUND, format!("No such organization: {id}")));
    }
    let levels = if call.given.is_true("recursive") { 16 } else { 1 };
    Ok(Reply::One("organization", with_children(&all(call.held), id, levels)))
}
