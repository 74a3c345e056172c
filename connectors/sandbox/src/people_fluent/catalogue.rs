//! The catalogue: modules, programmes, their sessions. Those of the history are computed from their id, others are held.

use serde_json::{Value, json};

use super::{
    functions::Call,
    held::{Held, text},
    history::type_of,
    news::{Entry, feed},
    query::refused,
    reply::{Answer, Reply},
    start::DAY_MS,
    xml::timestamp,
};
use crate::seed::{HISTORY_END_MS, Seed};

/// Modules that were made or changed.
pub(super) const MODULES: &str = "modules";
/// So many of the modules that can be asked for by id are found by a search.
const SEARCHED: u64 = 60;
/// More than any history has.
const MOST_MODULES: u64 = 1_000_000;
const CATALOGUES: [(&str, &str); 2] = [("safety", "Safety"), ("office", "Office & IT")];

/// A module or programme.
pub(super) fn find(held: &Held, seed: &Seed, id: &str) -> Option<Value> {
    if let Some(module) = held.get(MODULES, id) {
        return Some(module.clone());
    }
    let (programme, rest) = match id.strip_prefix("prog-") {
        Some(rest) => (true, rest),
        None => (false, id.strip_prefix("mod-")?.trim_end_matches("-b")),
    };
    let number = rest.parse().ok().filter(|number| *number < MOST_MODULES)?;
    Some(module_of(seed, id, number, programme))
}

fn module_of(seed: &Seed, id: &str, number: u64, programme: bool) -> Value {
    let kind = if programme { "learningProgram" } else { type_of(number) };
    let led = matches!(kind, "classroom" | "virtualClassroom" | "workshopSeminar" | "learningProgram");
    let sessions: Vec<Value> = (1..=2).filter(|_| led).map(|part| session(number, part)).collect();
    json!({
        "id": id, "title": seed.title(number), "effectiveRevision": 0, "type": kind, "typeLabel": kind,
        "subject": if number.is_multiple_of(2) { "Safety" } else { "Office" }, "language": "English",
        "description": format!("About {}", seed.title(number)),
        "objective": ["Know the rules", "Apply the rules"], "info": "", "duration": "PT2H",
        "price": {"currency": "GBP", "amount": "25.00"}, "archived": false,
        "attribute": [{"code": "cpds", "value": "2"}], "session": sessions,
        "prerequisites": {"operator": "all", "condition": "completed"},
        "_created": HISTORY_END_MS - number as i64 * DAY_MS,
    })
}

fn session(number: u64, part: i64) -> Value {
    let start = HISTORY_END_MS + (number as i64 % 50 + 30 * part) * DAY_MS;
    json!({
        "id": format!("S-{number}-{part}"), "start": timestamp(start, 0), "end": timestamp(start + DAY_MS / 4, 0),
        "instructor": [{"id": "amara.okafor", "family": "Okafor", "given": "Amara"}], "location": "Leeds",
        "facility": {"trainingCenter": {"name": "Leeds Training Centre"}}, "seats": 12, "status": "active",
        "code": format!("CODE-{number}-{part}"), "_start": start,
    })
}

/// A session of a module by its id or code.
pub(super) fn session_named<'a>(module: &'a Value, name: &str) -> Option<&'a Value> {
    let sessions = module["session"].as_array()?;
    sessions.iter().find(|session| text(session, "id") == name || text(session, "code") == name)
}

/// Modules a search goes over: the first ones of the seed, and those made since.
fn searched(call: &Call<'_>) -> Vec<Value> {
    let seed = &call.system.seed;
    let ids = (0..SEARCHED).map(|number| format!("mod-{number}"));
    let seeded = ids.filter_map(|id| find(call.held, seed, &id));
    let made = call.held.shelf(MODULES).filter(|module| !text(module, "id").starts_with("mod-"));
    seeded.chain(made.cloned()).collect()
}

fn brief(call: &Call<'_>, module: &Value) -> Value {
    let id = text(module, "id");
    let link = json!([{"@rel": "self", "@type": "application/xml", "@href": format!("{}/api/module?id={id}", call.system.base_url)}]);
    json!({"id": id, "title": module["title"], "link": link, "type": module["type"], "typeLabel": module["typeLabel"],
        "language": module["language"], "description": module["description"]})
}

pub(super) fn catalog(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let children = |ids: &[(&str, &str)]| -> Vec<Value> {
        ids.iter().map(|(id, title)| json!({"id": id, "title": title})).collect()
    };
    if id == "*ROOT*" {
        return Ok(Reply::One("catalog", json!({"id": id, "title": "Catalogue", "child": children(&CATALOGUES)})));
    }
    let Some((at, (_, title))) = (0..).zip(CATALOGUES).find(|(_, (known, _))| *known == id) else {
        return Err(refused(&format!("No such catalog: {id}")));
    };
    let modules = searched(call);
    let within = (0..).zip(&modules).filter(|(number, _)| number % 2 == at).map(|(_, module)| brief(call, module));
    let modules: Vec<Value> = within.collect();
    let parent = json!({"id": "*ROOT*", "title": "Catalogue"});
    Ok(Reply::One("catalog", json!({"id": id, "title": title, "parent": parent, "module": modules})))
}

pub(super) fn module(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let module = find(call.held, &call.system.seed, id).ok_or_else(|| refused(&format!("No such module: {id}")))?;
    let mut shown = brief(call, &module);
    if let (Some(shown), Some(all)) = (shown.as_object_mut(), module.as_object()) {
        shown.extend(all.clone());
    }
    Ok(Reply::One("module", shown))
}

pub(super) fn modules(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let (from, to) = (day(given.get("sessionOnOrAfter")), day(given.get("sessionBefore")));
    let scheduled = |module: &Value| {
        let mut starts = module["session"].as_array().into_iter().flatten().filter_map(|one| one["_start"].as_i64());
        let within = |start: i64| from.is_none_or(|from| start >= from) && to.is_none_or(|to| start < to);
        (from.is_none() && to.is_none()) || starts.any(within)
    };
    let mut found = searched(call);
    found.retain(|module| {
        given.finds(&format!("{} {}", text(module, "title"), text(module, "id"))) && scheduled(module)
    });
    if given.text("sort") == "created" {
        found.sort_by_key(|module| std::cmp::Reverse(module["_created"].as_i64()));
    }
    found.truncate(given.max());
    let format = given.text("format");
    if format == "xml" {
        return Ok(Reply::Many("modules", "module", found.iter().map(|module| brief(call, module)).collect()));
    }
    let entries = found.iter().map(|module| Entry {
        id: text(module, "id"),
        title: text(module, "title"),
        summary: text(module, "description"),
        content: text(module, "description"),
        category: text(module, "type"),
        author: "",
        published: module["_created"].as_i64().unwrap_or_default(),
    });
    Ok(feed(call.system, format, "module", entries))
}

/// Midnight of a date that was checked, in milliseconds since 1970.
fn day(date: Option<&str>) -> Option<i64> {
    let date: chrono::NaiveDate = date?.parse().ok()?;
    Some(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

pub(super) fn preload(call: &mut Call<'_>) -> Answer {
    let loaded = searched(call).len();
    Ok(Reply::One("result", json!({"status": "ok", "loaded": loaded})))
}
