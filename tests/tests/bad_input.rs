//! Bad input: each kind has an exit code, words that say what is wrong and where, and no half-written result.
//!
//! What can be said in files is in `tests/cases/bad`, a folder a case; what needs a big file, a full disk or a second
//! process is here.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use towpath_tests::{Ran, Scratch, World, case_files, deliverable, difference, expected_files, until};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// One after the other in the same folder.
    runs: Vec<Run>,
    /// Files that must not be there at the end.
    #[serde(default)]
    absent: Vec<String>,
    /// Files that must be there.
    #[serde(default)]
    present: Vec<String>,
    /// Rejects of the last run of a pipeline.
    #[serde(default)]
    rejects: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    args: String,
    exit: i32,
    /// Parts of stderr.
    #[serde(default)]
    says: Vec<String>,
    /// Parts of stdout.
    #[serde(default)]
    prints: Vec<String>,
}

fn wrong(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("case.yaml")).expect("case.yaml");
    let case: Case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let scratch = Scratch::copy_of(folder);
    std::fs::remove_dir_all(scratch.at("expected")).ok();
    let mut wrong = Vec::new();
    for run in &case.runs {
        let towpath =
            case.env.iter().fold(scratch.towpath(&run.args), |towpath, (name, value)| towpath.env(name, value));
        let ran = towpath.run();
        let before = wrong.len();
        if ran.code != Some(run.exit) {
            wrong.push(format!("ended with {:?}, not {}", ran.code, run.exit));
        }
        let unsaid = run.says.iter().filter(|words| !ran.stderr.contains(words.as_str()));
        wrong.extend(unsaid.map(|words| format!("does not say {words:?}")));
        let unprinted = run.prints.iter().filter(|words| !ran.stdout.contains(words.as_str()));
        wrong.extend(unprinted.map(|words| format!("does not print {words:?}")));
        if ran.stderr.contains("panicked") {
            wrong.push("panicked".to_owned());
        }
        if wrong.len() > before {
            wrong.push(format!("`{}`\n--- stdout\n{}\n--- stderr\n{}", run.args, ran.stdout, ran.stderr));
        }
    }
    let there = case.absent.iter().filter(|path| scratch.at(path).exists());
    wrong.extend(there.map(|path| format!("{path} is there")));
    let not_there = case.present.iter().filter(|path| !scratch.at(path).is_file());
    wrong.extend(not_there.map(|path| format!("{path} is not there")));
    if scratch.at(".towpath").exists() && scratch.rejects().len() != case.rejects {
        wrong.push(format!("{} rejects were expected: {:?}", case.rejects, scratch.rejects()));
    }
    let expected = folder.join("expected");
    if expected.is_dir() {
        wrong.extend(expected_files(&expected, &scratch).differences);
    }
    wrong
}

/// A half of the cases, so that two cores have something to do.
fn carry_out(half: usize) {
    let cases = case_files("bad");
    let mut failed = Vec::new();
    for folder in cases.iter().skip(half).step_by(2) {
        let wrong = wrong(folder);
        if !wrong.is_empty() {
            failed.push(format!("{}:\n  {}", folder.display(), wrong.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{} cases\n{}", failed.len(), failed.join("\n\n"));
}

#[test]
fn cases_of_even_number() {
    carry_out(0);
}

#[test]
fn cases_of_odd_number() {
    carry_out(1);
}

const CSV_TO_JSON: &str = "
version: 1
pipeline: copy
sources:
  in: {connector: csv, path: in.csv}
sinks:
  out: {input: in, connector: json, path: out/out.jsonl}
";

#[test]
fn a_field_of_fifty_megabytes_is_a_field() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", CSV_TO_JSON);
    let big = "x".repeat(50 << 20);
    scratch.write("in.csv", format!("id,text\n1,small\n2,\"{big}\"\n3,last\n"));
    let ran = scratch.run("run pipeline.yaml");
    if ran.code == Some(0) {
        let text = scratch.read("out/out.jsonl");
        let lengths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lengths.len(), 3);
        assert!(lengths[1] > 50 << 20, "{lengths:?}");
    } else {
        // A limit is as good an answer when it is named.
        let ran = ran.ended(1).says("in.csv");
        assert!(ran.stderr.contains("MB") || ran.stderr.contains("MiB"), "the limit is named: {}", ran.stderr);
        assert!(!scratch.at("out/out.jsonl").exists());
    }
}

#[test]
fn a_quote_that_swallows_fifty_megabytes_ends_the_run() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", CSV_TO_JSON);
    let mut text = String::from("id,text\n1,\"never closed\n");
    let line = format!("2,{}\n", "y".repeat(1000));
    (0..52_000).for_each(|_| text.push_str(&line));
    scratch.write("in.csv", text);
    scratch.run("run pipeline.yaml").ended(1).says("in.csv").says("line 2");
    assert!(!scratch.at("out/out.jsonl").exists());
}

/// The names of the runs on record.
fn runs(world: &World) -> Vec<String> {
    let runs = world.towpath("runs list --format json").run().ended(0).json_lines();
    runs.iter().map(|run| run["run"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_second_run_while_one_is_going_is_turned_away_and_names_it() {
    let world = World::new();
    world.lms_faults("slow:ms=60000");
    let first = world.job().start();
    until("the first run is on record", || runs(&world).len() == 1);
    let name = runs(&world).remove(0);
    let second = world.run().ended(75);
    assert!(second.stderr.contains(&name), "names the run {name}: {}", second.stderr);
    assert_eq!(runs(&world), [name], "the second one never began");
    // Another pipeline is not held up.
    let other = world.scratch.write(
        "other.yaml",
        "version: 1\npipeline: other\nsources:\n  in: {connector: csv, path: in.csv}\nsinks:\n  out: {input: in, \
         connector: json, path: out.jsonl}\n",
    );
    world.scratch.write("in.csv", "id\n1\n");
    world.towpath("run").args([other]).run().ended(0);
    first.signal("INT");
    first.wait().ended(130);
    world.lms.faults().clear();
    world.run().ended(0);
    assert_eq!(difference(&deliverable(&world.seed), &world.uploads()), (vec![], vec![]));
}

#[test]
fn a_run_that_was_killed_does_not_lock_others_out() {
    let world = World::new();
    world.lms_faults("slow:ms=20000");
    let first = world.job().start();
    until("the first run is on record", || runs(&world).len() == 1);
    first.signal("KILL");
    first.wait();
    world.lms.faults().clear();
    world.run().ended(0);
    assert_eq!(difference(&deliverable(&world.seed), &world.uploads()), (vec![], vec![]));
}

/// A small disk. Without the right to mount one there is none, and a limit on file sizes has to serve instead.
struct SmallDisk {
    scratch: Scratch,
    mounted: bool,
}

impl SmallDisk {
    fn new(size: &str) -> Self {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.at("disk")).expect("a folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(scratch.at("disk"))
            .output();
        let mounted = mount.is_ok_and(|mount| mount.status.success());
        Self { scratch, mounted }
    }

    /// What makes a file end early where no disk does: so many blocks of 512 bytes and no signal, only the error.
    fn limit(&self, blocks: u32) -> String {
        if self.mounted { "true".to_owned() } else { format!("trap '' XFSZ; ulimit -f {blocks}") }
    }
}

impl SmallDisk {
    /// What a user has to be told: that the disk is full and what to do, or that the file met its limit.
    #[track_caller]
    fn is_told(&self, ran: &Ran) {
        let said = &ran.stderr;
        assert!(!said.contains("panicked"), "{said}");
        if self.mounted {
            assert!(said.contains("disk") && said.contains("help: "), "{said}");
            assert!(said.contains("free") || said.contains("space"), "says what to do: {said}");
        } else {
            assert!(said.to_lowercase().contains("too large"), "{said}");
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            // Left mounted it would only keep the temporary folder from being removed.
            let _ = Command::new("umount").arg(self.scratch.at("disk")).status();
        }
    }
}

/// Many rows that do not compress well.
fn many_rows(rows: u32) -> String {
    let mut text = String::from("id,text\n");
    let mut state = 1u64;
    for id in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{id},{state:x}").expect("a string");
        for part in 0..8u64 {
            write!(text, "{:x}", state.rotate_left(part as u32 * 7) ^ part.wrapping_mul(state)).expect("a string");
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_full_disk_while_staging_is_told() {
    let disk = SmallDisk::new("1m");
    let scratch = &disk.scratch;
    scratch.write("in.csv", many_rows(40_000));
    // Two readers: the node is staged.
    scratch.write(
        "pipeline.yaml",
        "version: 1\npipeline: staged\nsources:\n  in: {connector: csv, path: in.csv}\ntransforms:\n  \
         t: {input: in, steps: [{filter: id >= 0}]}\nsinks:\n  a: {input: t, connector: json, path: out/a.jsonl}\n  \
         b: {input: t, connector: json, path: out/b.jsonl}\n",
    );
    // The state itself has to fit: 1 MiB for the database.
    let ran = scratch.towpath("run pipeline.yaml --state disk/state").through(&disk.limit(2_000)).run();
    disk.is_told(&ran.ended(1));
    let left: Vec<_> = scratch.files().into_iter().filter(|file| file.starts_with(scratch.at("out"))).collect();
    assert!(left.is_empty(), "{left:?}");
    let left: Vec<_> =
        scratch.files().into_iter().filter(|file| file.starts_with(scratch.at("disk/state/stages"))).collect();
    assert!(left.is_empty(), "what was staged takes room for nothing: {left:?}");
}

#[track_caller]
fn full_disk_at_the_sink(connector: &str, name: &str) {
    let disk = SmallDisk::new("512k");
    let scratch = &disk.scratch;
    scratch.write("in.csv", many_rows(40_000));
    scratch.write(
        "pipeline.yaml",
        format!(
            "version: 1\npipeline: full\nsources:\n  in: {{connector: csv, path: in.csv}}\nsinks:\n  \
             out: {{input: in, connector: {connector}, path: disk/{name}}}\n"
        ),
    );
    scratch.write(&format!("disk/{name}"), "the one before");
    let ran = scratch.towpath("run pipeline.yaml").through(&disk.limit(2_000)).run();
    disk.is_told(&ran.ended(1).says("`out`"));
    assert_eq!(scratch.read(&format!("disk/{name}")), "the one before", "a failed run does not touch the target");
    let left: Vec<_> = scratch.files().into_iter().filter(|file| file.starts_with(scratch.at("disk"))).collect();
    assert_eq!(left, [scratch.at(&format!("disk/{name}"))], "nothing half-written is left");
}

#[test]
fn a_full_disk_while_writing_csv_is_told() {
    full_disk_at_the_sink("csv", "out.csv");
}

#[test]
fn a_full_disk_while_writing_parquet_is_told() {
    full_disk_at_the_sink("parquet", "out.parquet");
}

#[test]
fn a_full_disk_while_writing_json_lines_is_told() {
    full_disk_at_the_sink("json", "out.jsonl");
}

#[test]
fn output_nobody_can_write_to_is_told() {
    // `/dev/full` is a disk without room for a single byte; where there is none, there is nothing to test it with.
    if !Path::new("/dev/full").exists() {
        return;
    }
    let scratch = Scratch::new();
    let ran = scratch.towpath("connectors list").through("exec > /dev/full").run().ended(1);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut command = Command::new(towpath_tests::towpath_binary());
    command.args(["connectors", "show", "human-focus"]).env_clear();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the binary ends");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{:?} {stderr}", ended.status);
    assert!(!stderr.contains("panicked"), "{stderr}");
}
