//! Every operation the vendors document is defined, and exercised over real HTTP against a stateful stand-in.
//!
//! The documented operations are rows of `connectors/definitions/operations/*.csv`; the exchanges are lists in
//! `tests/cases/exchanges/*.yaml`, carried out from top to bottom through the contract a run uses.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use support::{World, drain, object};
use towpath_connector::{Answer, Record};
use towpath_sandbox::Options;

/// How many operations each vendor documents, the login among them.
const DOCUMENTED: [(&str, usize); 5] =
    [("enabley", 47), ("healthier-business", 47), ("human-focus", 27), ("onefile", 49), ("peoplefluent", 82)];

/// Keys an entry of a case file can have; a misspelt one must not go unnoticed.
const KEYS: [&str; 13] = [
    "read", "send", "with", "record", "records", "config", "count", "at_least", "rows", "results", "refused", "save",
    "doc",
];

fn file(folder: &str, name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One vendor's case file while it is carried out.
struct Case {
    system: towpath_sandbox::System,
    saved: Map<String, Json>,
    /// `stream:NAME` and `operation:NAME` that gave what was expected of them.
    exercised: BTreeSet<String>,
}

impl Case {
    async fn carry_out(&mut self, at: usize, entry: &Json) {
        let entry = object(self.filled(entry));
        if let Some(key) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
            panic!("entry {at}: no key `{key}`, expected one of {}", KEYS.join(", "));
        }
        let asked_before = self.system.books()["requests"]["total"].as_u64().unwrap();
        // What a vendor asks of its customers' manners would make the test slow.
        let mut more = Map::from_iter([("rate".to_owned(), Json::from("100000/s"))]);
        more.extend(entry.get("config").and_then(Json::as_object).cloned().unwrap_or_default());
        let world = World::of(&self.system, Json::Object(more));
        match (entry.get("read"), entry.get("send")) {
            (Some(Json::String(stream)), None) => self.read(at, &world, stream, &entry).await,
            (None, Some(Json::String(operation))) => self.send(at, &world, operation, &entry).await,
            _ => panic!("entry {at}: expected `read: STREAM` or `send: OPERATION`"),
        }
        let books = &self.system.books()["requests"];
        // A record can be turned down for what it is before it is sent.
        let was_asked = books["total"].as_u64().unwrap() > asked_before || entry.contains_key("refused");
        assert!(was_asked, "entry {at}: nothing was asked over HTTP: {entry:?}");
        assert!(books["operations"]["unknown"].is_null(), "entry {at}: the stand-in does not know what was asked");
    }

    async fn read(&mut self, at: usize, world: &World, stream: &str, entry: &Record) {
        let with = entry.get("with").cloned().unwrap_or_else(|| Json::Object(Map::new()));
        let described = world.connector.descriptor().stream(stream);
        let schema = &described.unwrap_or_else(|| panic!("entry {at}: no stream `{stream}`")).schema;
        let mut source = world.source(stream, with, None);
        let (frame, rejects, _) =
            drain(source.as_mut()).await.unwrap_or_else(|error| panic!("entry {at}, {stream}: {error:?}"));
        assert!(rejects.is_empty(), "entry {at}, {stream}: {rejects:?}");
        let rows = match frame.height() {
            0 => Vec::new(),
            _ => towpath_mapping::frame_to_json_rows(&frame, schema).unwrap(),
        };
        let said = || {
            format!(
                "entry {at}, {stream}: {} rows, the first are {:?}",
                rows.len(),
                rows.iter().take(3).collect::<Vec<_>>()
            )
        };
        let mut expected = false;
        if let Some(count) = entry.get("count") {
            assert_eq!(Some(rows.len() as u64), count.as_u64(), "{}", said());
            expected = true;
        }
        if let Some(least) = entry.get("at_least") {
            assert!(rows.len() as u64 >= least.as_u64().unwrap().max(1), "{}", said());
            expected = true;
        }
        for (index, wanted) in entry.get("rows").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let row = rows.get(index).unwrap_or_else(|| panic!("row {index} is not there; {}", said()));
            assert_holds(&format!("entry {at}, {stream}, row {index}"), row, wanted);
            expected = true;
        }
        assert!(expected, "entry {at}, {stream}: nothing is expected of it; give `count`, `at_least` or `rows`");
        self.save(at, entry, rows.first());
        self.exercised.insert(format!("stream:{stream}"));
    }

    async fn send(&mut self, at: usize, world: &World, name: &str, entry: &Record) {
        assert!(world.connector.descriptor().operation(name).is_some(), "entry {at}: no operation `{name}`");
        let operation = world.operation(name);
        let answers = match entry.get("records").and_then(Json::as_array) {
            Some(records) => operation.send_batch(&records.iter().cloned().map(object).collect::<Vec<_>>()).await,
            None => vec![operation.send(&object(entry.get("record").cloned().unwrap_or_default())).await],
        };
        for answer in answers {
            let answer = answer.unwrap_or_else(|error| panic!("entry {at}, {name}: {error:?}"));
            match (answer, entry.get("refused")) {
                (Answer::Confirmed { fields }, None) => {
                    let wanted = entry.get("results").cloned().unwrap_or_else(|| Json::Object(Map::new()));
                    assert_holds(&format!("entry {at}, {name}"), &fields, &wanted);
                    self.save(at, entry, Some(&fields));
                    self.exercised.insert(format!("operation:{name}"));
                }
                (Answer::Refused { message }, Some(wanted)) => {
                    let wanted = wanted.as_str().unwrap();
                    assert!(message.contains(wanted), "entry {at}, {name}: refused with {message:?}");
                }
                (answer, _) => panic!("entry {at}, {name}: {answer:?}"),
            }
        }
    }

    fn save(&mut self, at: usize, entry: &Record, row: Option<&Record>) {
        for (name, column) in entry.get("save").and_then(Json::as_object).into_iter().flatten() {
            let value = row.and_then(|row| row.get(column.as_str().unwrap())).filter(|value| !value.is_null());
            let value = value.unwrap_or_else(|| panic!("entry {at}: there is no {column} to save in {row:?}"));
            self.saved.insert(name.clone(), value.clone());
        }
    }

    /// The entry with `{{ saved.NAME }}` filled in; alone in a text it keeps its type.
    fn filled(&self, value: &Json) -> Json {
        match value {
            Json::Object(members) => members.iter().map(|(key, value)| (key.clone(), self.filled(value))).collect(),
            Json::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Json::String(text) => self.filled_text(text),
            other => other.clone(),
        }
    }

    fn filled_text(&self, text: &str) -> Json {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("{{ saved.") {
            let (name, after) = behind.split_once(" }}").unwrap_or_else(|| panic!("no end of the name in {text:?}"));
            let value = self.saved.get(name).unwrap_or_else(|| panic!("nothing was saved as `{name}`"));
            if before.is_empty() && after.is_empty() && filled.is_empty() {
                return value.clone();
            }
            filled += before;
            filled += &value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rest = after;
        }
        Json::from(filled + rest)
    }
}

/// Each member that is wanted is there and equal; others may be there, too.
#[track_caller]
fn assert_holds(place: &str, found: &Record, wanted: &Json) {
    for (name, value) in wanted.as_object().unwrap_or_else(|| panic!("{place}: expected a mapping, found {wanted}")) {
        let there = found.get(name);
        let equal = there.is_some_and(|there| {
            there == value || matches!((there.as_f64(), value.as_f64()), (Some(there), Some(value)) if there == value)
        });
        assert!(equal, "{place}: `{name}` is {there:?}, expected {value}; all of it: {found:?}");
    }
}

async fn carry_out(vendor: &str) -> BTreeSet<String> {
    let text = file("tests/cases/exchanges", &format!("{vendor}.yaml"));
    let entries: Vec<Json> = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{vendor}.yaml: {error}"));
    let system = towpath_sandbox::start(vendor, Options::default()).await.unwrap();
    let mut case = Case { system, saved: Map::new(), exercised: BTreeSet::new() };
    for (index, entry) in entries.iter().enumerate() {
        case.carry_out(index + 1, entry).await;
    }
    case.exercised
}

/// Carries out a vendor's exchanges and compares them with the list of what the vendor documents.
async fn all_of(vendor: &str) {
    let exercised = carry_out(vendor).await;
    let connector = support::builtin(vendor);
    let page = connector.descriptor();
    let list = file("connectors/definitions/operations", &format!("{vendor}.csv"));
    let mut reader = csv::Reader::from_reader(list.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (operation, definition) = (column("operation"), column("definition"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let documented = DOCUMENTED.iter().find(|(name, _)| *name == vendor).unwrap().1;
    assert_eq!(rows.len(), documented, "{vendor}: the list is not the vendor's");
    let mut problems = Vec::new();
    for row in &rows {
        let (name, defined) = (&row[operation], &row[definition]);
        let (kind, what) = defined.split_once(':').unwrap_or((defined, ""));
        let is_there = match kind {
            "stream" => page.stream(what).is_some(),
            "operation" => page.operation(what).is_some(),
            "auth" => page.logins.iter().any(|(login, _)| login == what),
            "none" => !what.trim().is_empty(),
            _ => false,
        };
        if !is_there {
            problems.push(format!("{name}: `{defined}` is not in the definition"));
        } else if matches!(kind, "stream" | "operation") && !exercised.contains(defined) {
            problems.push(format!("{name}: `{defined}` is never exercised"));
        }
    }
    // What is defined beyond the list is exercised as well.
    let names = page.streams.iter().map(|stream| format!("stream:{}", stream.name));
    let names = names.chain(page.operations.iter().map(|operation| format!("operation:{}", operation.name)));
    problems.extend(names.filter(|name| !exercised.contains(name)).map(|name| format!("`{name}` is never exercised")));
    assert!(problems.is_empty(), "{vendor}:\n{}", problems.join("\n"));
}

#[tokio::test]
async fn every_operation_of_enabley_is_defined_and_exercised() {
    all_of("enabley").await;
}

#[tokio::test]
async fn every_operation_of_healthier_business_is_defined_and_exercised() {
    all_of("healthier-business").await;
}

#[tokio::test]
async fn every_operation_of_human_focus_is_defined_and_exercised() {
    all_of("human-focus").await;
}

#[tokio::test]
async fn every_operation_of_onefile_is_defined_and_exercised() {
    all_of("onefile").await;
}

#[tokio::test]
async fn every_operation_of_peoplefluent_is_defined_and_exercised() {
    all_of("peoplefluent").await;
}

/// Nothing is left out in silence: what cannot be called is what the vendor sends to its customers' own servers.
#[test]
fn only_pushes_are_left_out() {
    let mut left_out = Vec::new();
    for (vendor, _) in DOCUMENTED {
        let list = file("connectors/definitions/operations", &format!("{vendor}.csv"));
        left_out.extend(list.lines().filter(|line| line.contains(",none:")).map(str::to_owned));
    }
    assert!(left_out.len() <= 2 && left_out.iter().all(|line| line.contains("push")), "{left_out:#?}");
}
