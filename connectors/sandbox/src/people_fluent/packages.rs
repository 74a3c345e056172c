//! Content packages: given for offline use, taken in as modules.

use serde_json::json;

use super::{
    catalogue::MODULES,
    enrolment::must_be_downloadable,
    files,
    functions::Call,
    held::text,
    query::refused,
    reply::{Answer, Reply},
};

/// The vendor names no strategies; these are this stand-in's.
const STRATEGIES: [&str; 3] = ["none", "newRevision", "overwrite"];

pub(super) fn download(call: &mut Call<'_>) -> Answer {
    let record = call.own_record(call.given.text("enrollmentId"))?;
    must_be_downloadable(&record)?;
    let id = text(&record["learningModule"], "id").to_owned();
    if call.given.is_true("pdfToHtml") {
        let bytes = format!("<!doctype html><html><body><h1>{id}</h1></body></html>").into_bytes();
        return Ok(Reply::File { kind: "text/html", name: format!("{id}.html"), bytes });
    }
    let manifest = format!("<?xml version=\"1.0\"?><manifest identifier=\"{id}\"/>");
    let bytes = files::zip("imsmanifest.xml", manifest.as_bytes());
    Ok(Reply::File { kind: "application/zip", name: format!("{id}.zip"), bytes })
}

/// A package is known by the name of its file here.
pub(super) fn import(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let strategy = given.text("versioning");
    if !STRATEGIES.contains(&strategy) {
        return Err(refused(&format!("Parameter versioning: unknown value: {strategy}")));
    }
    let package =
        given.files.iter().find(|file| file.part == "package").ok_or_else(|| refused("File package is required"))?;
    if !package.bytes.starts_with(b"PK") {
        return Err(refused(&format!("{} is not a content package", package.name)));
    }
    let id = package.name.trim_end_matches(".zip");
    let revision = match (call.held.get(MODULES, id), strategy) {
        (Some(_), "none") => return Err(refused(&format!("There is a package {id} already"))),
        (Some(module), "newRevision") => module["effectiveRevision"].as_u64().unwrap_or_default() + 1,
        (Some(module), _) => module["effectiveRevision"].as_u64().unwrap_or_default(),
        (None, _) => 0,
    };
    let module = json!({"id": id, "title": id, "type": "onlineModule", "typeLabel": "Online", "effectiveRevision": revision,
        "language": "English", "description": format!("Imported, {} bytes", package.bytes.len()), "archived": false});
    call.held.put(MODULES, id, module);
    Ok(Reply::One("module", json!({"id": id, "revision": revision})))
}
