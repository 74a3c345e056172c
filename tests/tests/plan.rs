//! Plans tell what a run would do, and leave no trace: neither in the state nor in the other system.

#![allow(missing_docs, clippy::unwrap_used)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use towpath_tests::{Towpath, World};

const JOB: &str = "pipelines/peoplefluent-to-human-focus.yaml";

/// Every file under a folder with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push((path.clone(), std::fs::read(path).unwrap())) }
        }
    }
    found.sort();
    found
}

/// The books without the counts of requests, which reading changes.
fn books(world: &World) -> Value {
    let mut books = world.hf.books();
    let kept = ["uploads", "refused_uploads", "trainings", "providers"];
    books.as_object_mut().unwrap().retain(|name, _| kept.contains(&name.as_str()));
    assert!(books["uploads"].is_array());
    books
}

/// A plan as JSON, which must leave state, stand-in and temporary folder as they are.
#[track_caller]
fn planned(world: &World, command: Towpath, code: i32) -> Value {
    let state = world.scratch.at("state");
    let temporary = world.scratch.at("temporary");
    std::fs::create_dir_all(&temporary).unwrap();
    let before = (files(&state), books(world), state.exists());
    let command =
        command.args(["--format", "json", "--detailed-exitcode"]).env("TMPDIR", temporary.display().to_string());
    let plan = command.run().ended(code).json_lines().remove(0);
    assert!(before == (files(&state), books(world), state.exists()), "a plan leaves everything as it is");
    assert!(std::fs::read_dir(&temporary).unwrap().next().is_none(), "nothing is left behind");
    plan
}

#[track_caller]
fn sink<'a>(plan: &'a Value, name: &str) -> &'a Value {
    plan["sinks"].as_array().unwrap().iter().find(|sink| sink["sink"] == name).expect(name)
}

#[test]
fn before_the_first_run_and_after_it_and_after_a_change() {
    let world = World::new();
    let first = planned(&world, world.towpath(&format!("plan {JOB}")), 4);
    assert_eq!(sink(&first, "create_provider")["create"], 1);
    let sample = &sink(&first, "create_provider")["samples"][0];
    assert_eq!(sample["method"], "POST");
    assert!(sample["body"].as_str().unwrap().contains("PeopleFluent"), "{sample}");
    assert_eq!(sink(&first, "upload")["kind"], "waits", "what is answered is not guessed");

    world.run().ended(0);
    let uploads = world.uploads().len();
    let after = planned(&world, world.towpath(&format!("plan {JOB}")), 0);
    assert_eq!(sink(&after, "upload")["unchanged"], uploads);
    assert_eq!(sink(&after, "upload")["create"], 0);
    let rejects = |plan: &Value| -> u64 {
        plan["nodes"].as_array().unwrap().iter().map(|node| node["rejected"].as_u64().unwrap()).sum()
    };
    assert_eq!(rejects(&after), world.rejects().len() as u64, "what a run rejects a plan rejects");

    let old = "key: [organ_id, person, title, completed_at]";
    let new = "key: [organ_id, person, title, completed_at, record_id]";
    let job = world.copy_of_job(&[(old, new)], "");
    let changed = planned(&world, world.towpath("plan").args([job]), 4);
    assert_eq!(sink(&changed, "upload")["create"], uploads, "under another key everything is new");
    assert_eq!(sink(&changed, "upload")["samples"].as_array().unwrap().len(), 2);
}

#[test]
fn a_plan_explains_its_fields_when_it_is_asked_to() {
    let world = World::new();
    let told = world.towpath(&format!("plan --explain {JOB}")).run().ended(0).stdout;
    assert!(told.contains("compiled") && told.contains("plan: "), "{told}");
    assert!(!world.towpath(&format!("plan {JOB}")).run().ended(0).stdout.contains("compiled"));
}

#[test]
fn secrets_are_not_in_a_plan() {
    let world = World::new();
    world.run().ended(0);
    let out = world.scratch.at("plan.json");
    let ran = world.towpath(&format!("plan {JOB}")).args(["--out".into(), out.clone().into_os_string()]).run().ended(0);
    let text = format!("{}{}", ran.stdout, std::fs::read_to_string(out).unwrap());
    for (name, value) in world.hf.settings().into_iter().chain(world.lms.settings()) {
        if ["password", "system_key"].contains(&name.as_str()) {
            assert!(!text.contains(&value), "{name} is in the plan");
        }
    }
    assert!(ran.stdout.contains("plan: nothing would change"), "{}", ran.stdout);
}

#[test]
fn a_secret_that_is_cut_for_the_screen_does_not_show_its_beginning() {
    let scratch = towpath_tests::Scratch::new();
    let secret = "planted-secret-0123456789-0123456789-0123456789-0123456789";
    scratch.write("secrets", format!("PLANTED={secret}\n"));
    let pipeline = "version: 1\npipeline: job\nconnections: {dw: {connector: sqlite, path: dw.db}}\n\
        sources: {people: {connector: csv, path: people.csv}}\n\
        sinks: {kept: {input: people, connection: dw, table: kept, mode: merge, key: who}}\n";
    scratch.write("job.yaml", pipeline);
    scratch.write("people.csv", "who,said\na,nothing\n");
    scratch.run("run job.yaml --secrets secrets").ended(0);
    for before in [0, 60, 90, 110, 120] {
        scratch.write("people.csv", format!("who,said\na,{}{secret}\n", "x".repeat(before)));
        let ran = scratch.run("plan job.yaml --out plan.json --secrets secrets").ended(0);
        let text = format!("{}{}{}", ran.stdout, ran.stderr, scratch.read("plan.json"));
        assert!(text.contains("•••") && !text.contains("planted"), "{before}: {text}");
    }
}
