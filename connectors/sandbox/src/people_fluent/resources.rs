//! Facilities and reference resources.

use super::{
    functions::Call,
    held::text,
    query::refused,
    reply::{Answer, Reply},
};

pub(super) fn facility(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let facility = call.held.get("facilities", id).ok_or_else(|| refused(&format!("No such facility: {id}")))?;
    Ok(Reply::One("facility", facility.clone()))
}

pub(super) fn resources(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let found = call.held.shelf("resources").filter(|resource| given.finds(text(resource, "title")));
    Ok(Reply::Many("resources", "resource", found.take(given.max()).cloned().collect()))
}

pub(super) fn resource(call: &mut Call<'_>) -> Answer {
    let url = call.given.text("url");
    let found = call.held.shelf("resources").find(|resource| text(resource, "url") == url);
    let found = found.ok_or_else(|| refused(&format!("No such resource: {url}")))?;
    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
    let bytes = format!("{}\n", text(found, "description")).into_bytes();
    Ok(Reply::File { kind: "text/plain", name, bytes })
}
