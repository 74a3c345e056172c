//! Batch reports: what there is, and the bytes of one.

use super::{
    functions::Call,
    held::text,
    query::refused,
    reply::{Answer, Reply},
};

const REPORTS: &str = "reports";

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let (from, before) = (given.time("createdOnOrAfter"), given.time("createdBefore"));
    let found = call.held.shelf(REPORTS).filter(|report| {
        let created = report["_created"].as_i64().unwrap_or_default();
        given.get("name").is_none_or(|name| text(report, "name") == name)
            && from.is_none_or(|from| created >= from)
            && before.is_none_or(|before| created < before)
    });
    Ok(Reply::Many("reports", "report", found.cloned().collect()))
}

pub(super) fn content(call: &mut Call<'_>) -> Answer {
    let pathname = call.given.text("pathname");
    let report = call.held.get(REPORTS, pathname).ok_or_else(|| refused(&format!("No such report: {pathname}")))?;
    let name = pathname.rsplit('/').next().unwrap_or_default().to_owned();
    let bytes = format!("report,created\r\n\"{}\",{}\r\n", text(report, "name"), text(report, "created")).into_bytes();
    Ok(Reply::File { kind: "text/csv", name, bytes })
}
