//! The pipelines that come with Towpath, each against stand-ins of its systems: what arrives, and that a second run does nothing
//! over again.

use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;
use towpath_sandbox::Options;
use towpath_tests::{Ran, Scratch, Systems, Towpath, node, repository};

/// Stand-ins, and a copy of the pipelines to run, so that what they write is written there.
struct World {
    systems: Systems,
}

impl World {
    fn of(names: &[&'static str]) -> Self {
        let pipelines = Scratch::copy_of(&repository().join("pipelines"));
        Self { systems: Systems::start(names, &Options::default(), pipelines) }
    }

    fn towpath(&self, line: &str) -> Towpath {
        self.systems.towpath(line)
    }

    fn run(&self, pipeline: &str) -> Ran {
        // The vendors' own limits would make the tests slow, and a connection can have another.
        let file = format!("{pipeline}.yaml");
        let text = self.systems.scratch.read(&file);
        let hurried = text
            .replace("    connector: healthier-business\n", "    connector: healthier-business\n    rate: 10000/s\n");
        if !text.contains("rate: 10000/s") {
            self.systems.scratch.write(&file, hurried);
        }
        self.towpath(&format!("run {file}")).run()
    }

    fn books(&self, name: &str) -> Value {
        self.systems.books(name)
    }

    fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let database = Connection::open(self.systems.scratch.at("out/warehouse.db")).expect("a database");
        let mut statement = database.prepare(query).expect("a query");
        let width = statement.column_count();
        let text = |value: rusqlite::types::Value| match value {
            rusqlite::types::Value::Null => "-".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(bytes) => format!("{} bytes", bytes.len()),
        };
        let rows = statement.query_map([], |row| {
            (0..width).map(|at| row.get::<_, rusqlite::types::Value>(at).map(text)).collect::<Result<Vec<_>, _>>()
        });
        rows.expect("rows").map(|row| row.expect("a row")).collect()
    }

    /// A count of a node in the latest run.
    fn count(&self, name: &str, what: &str) -> u64 {
        node(&self.systems.last_run(), name)[what].as_u64().expect("a count")
    }
}

fn list<'a>(books: &'a Value, kind: &str) -> &'a Vec<Value> {
    books[kind].as_array().unwrap_or_else(|| panic!("no {kind} in the books"))
}

fn texts(things: &[Value], member: &str) -> BTreeSet<String> {
    things.iter().map(|thing| thing[member].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_pipeline_validates_and_has_a_picture() {
    for file in std::fs::read_dir(repository().join("pipelines")).expect("pipelines").flatten() {
        let path = file.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let towpath = |line: &str| Towpath::in_folder(&repository()).line(line).args([path.clone()]).run();
            towpath("validate").ended(0).says("all well");
            assert!(towpath("graph").ended(0).stdout.starts_with("flowchart"), "{}", path.display());
        }
    }
}

#[test]
fn candidates_become_learners_once() {
    let world = World::of(&["healthier-business", "onefile"]);
    let learners_before = list(&world.books("onefile"), "User").len();
    world.run("healthier-business-to-onefile").ended(0).says("22 delivered");
    let (hb, onefile) = (world.books("healthier-business"), world.books("onefile"));
    let present: Vec<Value> = list(&hb, "candidate").iter().filter(|one| one["archived"] != "1").cloned().collect();
    let known = texts(list(&onefile, "User"), "MISID");
    assert!(texts(&present, "candidate_ref").is_subset(&known), "every candidate is a learner");
    // One person in three was a learner before, and is changed, not made again.
    let there = (0..24).filter(|number| number % 3 == 0 && number % 11 != 10).count();
    assert_eq!(list(&onefile, "User").len(), learners_before + present.len() - there);
    for user in list(&onefile, "User").iter().filter(|user| user["Role"] == 1 && user["MISID"] != "") {
        assert!(!user["PlacementID"].is_null() && !user["ClassroomID"].is_null(), "{user}");
    }
    let links: Vec<Value> = world
        .systems
        .scratch
        .read("out/onefile-learners.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(links.len(), present.len());
    assert!(links.iter().all(|link| link["ID"].is_i64() && link["outcome"] == "delivered"), "{links:?}");
    world.run("healthier-business-to-onefile").ended(0).says("0 delivered").says("22 unchanged");
    assert_eq!(list(&world.books("onefile"), "User").len(), list(&onefile, "User").len());
}

#[test]
fn courses_arrive_with_their_certificates() {
    let world = World::of(&["healthier-business", "human-focus"]);
    world.run("healthier-business-training-to-human-focus").ended(0);
    let hf = world.books("human-focus");
    let uploads = list(&hf, "uploads");
    assert_eq!(uploads.len() as u64, world.count("upload", "rows_out"));
    assert!(uploads.len() > 10, "{}", uploads.len());
    let files = texts(list(&hf, "files"), "imgPath");
    for upload in uploads {
        let url = upload["CertImageURL"].as_str().unwrap_or_default();
        assert!(
            !url.is_empty() && (files.is_empty() || files.iter().any(|file| url.starts_with(file.as_str()))),
            "{upload}"
        );
    }
    // Who is not known to Human Focus is a reject, and no one else is.
    assert_eq!(world.count("matched", "rejected"), world.count("completed", "rows_out") - uploads.len() as u64);
    world.run("healthier-business-training-to-human-focus").ended(0).says("0 delivered");
    assert_eq!(list(&world.books("human-focus"), "uploads").len(), uploads.len());
}

#[test]
fn certificates_arrive_with_their_documents() {
    let world = World::of(&["enabley", "human-focus"]);
    world.run("enabley-certificates-to-human-focus").ended(0);
    let uploads = list(&world.books("human-focus"), "uploads").clone();
    assert!(uploads.len() > 3 && uploads.iter().all(|upload| upload["CertImageURL"].is_string()), "{uploads:?}");
    world.run("enabley-certificates-to-human-focus").ended(0).says("0 delivered");
    assert_eq!(list(&world.books("human-focus"), "uploads").len(), uploads.len());
}

#[test]
fn certificates_become_a_table() {
    let world = World::of(&["enabley"]);
    world.run("enabley-certificates-to-warehouse").ended(0);
    let held = world.count("held", "rows_out").to_string();
    assert_eq!(
        world
            .rows("SELECT count(*), count(DISTINCT userIdentifier || externalCertificateId) FROM enabley_certificates"),
        [[held.clone(), held.clone()]]
    );
    assert_eq!(
        world.rows("SELECT count(*) FROM enabley_certificates WHERE name IS NULL OR certificate_status IS NULL"),
        [["0"]]
    );
    world.run("enabley-certificates-to-warehouse").ended(0);
    assert_eq!(world.rows("SELECT count(*) FROM enabley_certificates"), [[held]]);
}

#[test]
fn learning_aims_become_a_table() {
    let world = World::of(&["onefile"]);
    for _ in 0..2 {
        world.run("onefile-learning-aims-to-warehouse").ended(0);
        let aims = list(&world.books("onefile"), "LearningAim").len().to_string();
        assert_eq!(world.rows("SELECT count(*) FROM onefile_learning_aims"), [[aims]]);
    }
    let row = world.rows("SELECT learner_id, standard, status, started_on, achieved_on FROM onefile_learning_aims WHERE learning_aim_id = 50000");
    assert_eq!(row, [["2000", "Safe working", "Withdrawn", "2025-09-01", "2025-10-10"]]);
}

#[test]
fn references_become_two_tables() {
    let world = World::of(&["healthier-business"]);
    for _ in 0..2 {
        world.run("healthier-business-references-to-warehouse").ended(0);
        let hb = world.books("healthier-business");
        let counts = [list(&hb, "reference_request").len().to_string(), list(&hb, "reference").len().to_string()];
        assert_eq!(
            world.rows("SELECT (SELECT count(*) FROM hb_reference_requests), (SELECT count(*) FROM hb_references)"),
            [counts]
        );
    }
    let row = world
        .rows("SELECT request_id, referee_name, score, submitted_at FROM hb_references WHERE reference_id = 10500");
    assert_eq!(row[0][..3], ["500", "Ben Weir", "87"]);
    assert!(row[0][3].starts_with("2025-12-03T16:20:00"), "{row:?}");
}

#[test]
fn results_become_external_records() {
    let world = World::of(&["human-focus", "peoplefluent"]);
    world.run("human-focus-results-to-peoplefluent").ended(0);
    let passed = world.count("passed", "rows_out");
    assert!(passed > 3, "{passed}");
    assert_eq!(world.count("records", "rows_out") + world.count("records", "rejected"), passed);
    assert!(world.count("records", "rows_out") > 0);
    world.run("human-focus-results-to-peoplefluent").ended(0).says("0 delivered");
}

#[test]
fn users_become_users_with_a_group() {
    let world = World::of(&["peoplefluent", "human-focus"]);
    world.run("peoplefluent-users-to-human-focus").ended(0);
    let active =
        list(&world.books("peoplefluent"), "users").iter().filter(|user| user["status"] == "active").count() as u64;
    assert_eq!(world.count("accounts", "rows_in"), active);
    assert_eq!(world.count("accounts", "rows_out") + world.count("accounts", "rejected"), active);
    world.run("peoplefluent-users-to-human-focus").ended(0).says("0 delivered");
}

#[test]
fn users_go_both_ways() {
    let world = World::of(&["enabley", "onefile"]);
    let users = |name: &str, kind: &str| list(&world.books(name), kind).len();
    let enabley_before = users("enabley", "users");
    // Learners that Enabley knows by their e-mail address are changed, not made.
    world.run("onefile-users-to-enabley").ended(0);
    assert_eq!(users("enabley", "users"), enabley_before);
    assert_eq!(world.count("enabley_users", "rows_out"), 8);
    world.run("onefile-users-to-enabley").ended(0).says("0 delivered");

    world.run("enabley-users-to-onefile").ended(0);
    let made = world.count("onefile_learners", "rows_out");
    assert!(made > 10, "{made}");
    let after = users("onefile", "User");
    world.run("enabley-users-to-onefile").ended(0).says("0 delivered");
    assert_eq!(users("onefile", "User"), after);
}
