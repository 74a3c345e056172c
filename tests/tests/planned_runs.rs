//! Plans that are kept and carried out: what is sent is what was planned, and what has changed since is refused by name.

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use towpath_tests::{HUMAN_FOCUS, Ran, Scratch, Towpath, World, node, until};

const PIPELINE: &str = r#"
version: 1
pipeline: users
params:
  title: {type: text, default: ""}
HUMAN_FOCUS
sources:
  people: {connector: csv, path: people.csv, columns: {person: text, name: text}}
transforms:
  ready:
    input: people
    steps:
      - check: [{name: has a name, expect: name is not none, else: reject}]
      - lookup: {connection: hf, stream: GetOrganID, take: {organ_id: OrganID}, missing: fail}
sinks:
  users:
    input: ready
    connection: hf
    operation: AddUser
    key: [person]
    record:
      OrganID: "{{ organ_id }}"
      PersonIdentifier: "{{ person }}"
      TraineeName: "{{ params.title }}{{ name }}"
      SuperUser: 1
    MORE
"#;

/// A pipeline that makes users of the rows of a file.
struct Job {
    world: World,
}

impl Job {
    fn new(people: &str, more: &str) -> Self {
        let job = Self { world: World::new() };
        job.people(people);
        job.pipeline(more);
        job
    }

    fn people(&self, people: &str) {
        self.world.scratch.write("people.csv", format!("person,name\n{people}"));
    }

    fn pipeline(&self, more: &str) {
        let text = PIPELINE.replace("HUMAN_FOCUS\n", HUMAN_FOCUS).replace("MORE", more);
        self.world.scratch.write("users.yaml", text);
    }

    fn command(&self, line: &str) -> Towpath {
        self.world.towpath(line).args([self.world.scratch.at("users.yaml")])
    }

    fn with_file(&self, line: &str, option: &str) -> Towpath {
        self.command(line).args([option.into(), self.world.scratch.at("plan.json").into_os_string()])
    }

    /// Keeps a plan; gives what it says of the sink.
    #[track_caller]
    fn plan(&self) -> Value {
        self.with_file("plan", "--out").run().ended(0);
        let plan: Value = serde_json::from_str(&self.world.scratch.read("plan.json")).expect("JSON");
        plan["sinks"][0].clone()
    }

    fn carry_out(&self, line: &str) -> Ran {
        self.with_file(&format!("run {line}"), "--plan").run()
    }

    fn sent(&self) -> u64 {
        World::requests(&self.world.hf, "AddUser")
    }

    /// Delivered, skipped, rejected, of unknown outcome, left for a later run.
    fn counts(&self) -> [u64; 5] {
        let run = self.world.last_run();
        ["rows_out", "skipped", "rejected", "unknown", "filtered"]
            .map(|name| node(&run, "users")[name].as_u64().expect(name))
    }
}

#[test]
fn what_is_planned_is_sent_and_what_came_since_is_left() {
    let job = Job::new("new-1,Ada\nnew-2,Bob\nnew-3,Eve\n", "");
    assert_eq!(job.plan()["create"], 3);
    let mode = std::fs::metadata(job.world.scratch.at("plan.json")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "samples are other people's data");
    // One has another name by now, one is gone, one is new.
    job.people("new-1,Ada\nnew-2,Robert\nnew-4,Zoe\n");
    let ran = job.carry_out("").ended(3);
    ran.says("2 records not in the plan: left for a later run").says("2 of the records that were planned did not come");
    assert_eq!((job.sent(), job.counts()), (1, [1, 0, 0, 0, 2]));
    // The plan is used up; the next run sends what was left.
    job.carry_out("").ended(1).says("the state of pipeline `users` is not what it was when the plan was made");
    assert_eq!(job.sent(), 1);
    job.command("run").run().ended(0);
    assert_eq!((job.sent(), job.counts()), (3, [2, 1, 0, 0, 0]));
}

#[test]
fn what_has_changed_since_is_refused_by_name_before_anything_is_read() {
    let job = Job::new("new-1,Ada\n", "");
    let people = "new-1,Ada\n";
    let refused = |line: &str, why: &str| {
        let asked = job.world.hf.books()["requests"]["total"].clone();
        job.carry_out(line).ended(1).says(why).says("make the plan again");
        assert_eq!(job.world.hf.books()["requests"]["total"], asked, "{why}");
    };
    job.plan();
    refused("--param title=Dr", "the parameter `title` has another value");
    refused("--sandbox", "it was made without `--sandbox`");
    job.pipeline("concurrency: 2");
    refused("", "users.yaml has changed");
    job.pipeline("");
    job.world.scratch.write("towpath.yaml", "version: 1\nproject: p\nenvironments: {night: {}}\n");
    refused("", "towpath.yaml is new");
    std::fs::remove_file(job.world.scratch.at("towpath.yaml")).expect("it is there");
    let elsewhere = World::new();
    let ran = job.with_file("run", "--plan").env("HUMAN_FOCUS_URL", elsewhere.hf.url()).run().ended(1);
    ran.says("the environment variable HUMAN_FOCUS_URL has another value");
    assert_eq!(elsewhere.hf.books()["requests"]["total"], 0);
    // A run that delivers something else, and a command on state.
    job.people("new-9,Ann\n");
    job.command("run").run().ended(0);
    job.people(people);
    refused("", "the state of pipeline `users` is not what it was");
    job.plan();
    job.world.towpath("state clear users --journal users --yes").run().ended(0);
    refused("", "the state of pipeline `users` is not what it was");
    job.plan();
    job.carry_out("").ended(0);
    job.carry_out("--limit 3").ended(2);
    job.world.scratch.write("plan.json", "{}");
    job.carry_out("").ended(2).says("this is no plan");
}

#[test]
fn counts_of_a_plan_are_those_of_the_run() {
    let people: String = (0..23).map(|at| format!("new-{at},Person {at}\n")).collect();
    let job = Job::new(&format!("{people}new-0,Person 0\nnew-1,Another\nnameless,\n"), "rate: 10/s");
    let check = |job: &Job, expected: [(&str, u64); 5]| {
        let plan = job.plan();
        for (name, count) in expected {
            assert_eq!(plan[name], count, "{name} of {plan}");
        }
        job.carry_out("");
        let [delivered, skipped, rejected, unknown, left] = job.counts();
        let held = plan["held"].as_u64().expect("a number");
        let sent = plan["create"].as_u64().expect("a number") + plan["update"].as_u64().expect("a number");
        assert_eq!((delivered, unknown, left), (sent, held, 0), "{plan}");
        assert_eq!((plan["unchanged"].as_u64(), plan["reject"].as_u64()), (Some(skipped), Some(rejected)), "{plan}");
        plan
    };
    // Two of one key: once with the same content, once with other content, which cannot be updated.
    let first = check(&job, [("create", 23), ("update", 0), ("unchanged", 1), ("reject", 1), ("calls", 23)]);
    assert_eq!(first["seconds"], 2.2, "the first call does not wait");
    check(&job, [("create", 0), ("update", 0), ("unchanged", 24), ("reject", 1), ("calls", 0)]);
}

#[test]
fn records_of_unknown_outcome_are_planned_as_a_run_would_treat_them() {
    for (more, expected) in [("on_unknown: hold", ("held", 0)), ("on_unknown: resend", ("create", 1))] {
        let job = Job::new("new-1,Ada\n", more);
        job.world.hf_faults("cut:when=before:op=AddUser");
        job.command("run").run().ended(3);
        job.world.hf_faults("");
        let plan = job.plan();
        assert_eq!(plan[expected.0], 1, "{plan}");
        let before = job.sent();
        job.carry_out("");
        assert_eq!(job.sent() - before, expected.1);
    }
}

#[test]
fn a_plan_that_is_interrupted_says_so_and_leaves_no_file() {
    let job = Job::new("new-1,Ada\n", "");
    job.world.hf_faults("hold:op=GetOrganID");
    let running = job.with_file("plan", "--out").start();
    until("the lookup is held", || job.world.hf.faults().met()[0] > 0);
    running.signal("INT");
    running.wait().ended(130).says("interrupted");
    assert!(!job.world.scratch.at("plan.json").exists());
}

/// A pipeline of one file into a file and a table.
fn tables(scratch: &Scratch, people: &str, load: &str) {
    scratch.write("people.csv", people);
    scratch.write(
        "job.yaml",
        format!(
            "version: 1\npipeline: job\nconnections: {{dw: {{connector: sqlite, path: dw.db}}}}\n\
             sources: {{people: {{connector: csv, path: people.csv}}}}\nsinks:\n  \
             out: {{input: people, connector: json, path: out.jsonl}}\n  \
             kept: {{input: people, connection: dw, table: kept, {load}}}\n"
        ),
    );
}

fn sink(scratch: &Scratch, name: &str) -> Value {
    let before: Vec<_> =
        scratch.files().iter().map(|file| (file.clone(), std::fs::read(file).expect("a file"))).collect();
    let plan = scratch.run("plan job.yaml --format json").ended(0).json_lines().remove(0);
    let after: Vec<_> =
        scratch.files().iter().map(|file| (file.clone(), std::fs::read(file).expect("a file"))).collect();
    assert!(before == after, "a plan leaves every file as it is");
    plan["sinks"].as_array().expect("sinks").iter().find(|sink| sink["sink"] == name).expect(name).clone()
}

#[test]
fn a_file_is_planned_with_its_rows_and_what_it_replaces() {
    let scratch = Scratch::new();
    tables(&scratch, "who\na\nb\n", "mode: replace");
    assert_eq!(sink(&scratch, "out")["replaces"], false);
    scratch.run("plan job.yaml --out plan.json").ended(0);
    scratch.run("run job.yaml --plan plan.json").ended(0).says("4 written");
    let out = sink(&scratch, "out");
    assert_eq!((&out["rows"], &out["replaces"]), (&2.into(), &true.into()));
}

#[test]
fn a_merge_is_compared_with_the_table_by_its_key() {
    let scratch = Scratch::new();
    let merge = "mode: merge, key: who";
    tables(&scratch, "who,town\na,Ulm\nb,Bonn\nc,Kiel\n", merge);
    let first = sink(&scratch, "kept");
    assert_eq!(first["differences"]["makes_table"], true, "{first}");
    assert_eq!(first["differences"]["insert"], 3);
    scratch.run("run job.yaml").ended(0);
    let same = sink(&scratch, "kept")["differences"].clone();
    assert_eq!((&same["insert"], &same["update"], &same["unchanged"]), (&0.into(), &0.into(), &3.into()), "{same}");

    // A database with a write-ahead log gets no files beside it by a look.
    let database = rusqlite::Connection::open(scratch.at("dw.db")).expect("a database");
    database.execute_batch("PRAGMA journal_mode = WAL").expect("it is changed");
    drop(database);
    assert_eq!(sink(&scratch, "kept")["differences"]["unchanged"], 3);

    tables(&scratch, "who,town,since\na,Ulm,\nb,Bern,2024\nd,Graz,2025\n", &format!("{merge}, schema: evolve"));
    let found = sink(&scratch, "kept")["differences"].clone();
    assert_eq!(found["new_columns"], json!(["since"]), "{found}");
    assert_eq!((&found["insert"], &found["update"], &found["unchanged"]), (&1.into(), &1.into(), &1.into()), "{found}");
    assert_eq!(found["changed"], json!([["town", 1], ["since", 1]]));
    assert_eq!(found["samples"][0]["key"], json!({"who": "b"}));
    assert_eq!(found["samples"][0]["fields"][0], json!(["town", "Bonn", "Bern"]));
    let text = scratch.run("plan job.yaml --detailed-exitcode").ended(4).stdout;
    assert!(text.contains("`town` changes in 1 row") && text.contains(r#"town: "Bonn" → "Bern""#), "{text}");
    // The run does just that.
    scratch.run("run job.yaml").ended(0);
    let after = sink(&scratch, "kept")["differences"].clone();
    assert_eq!((&after["insert"], &after["update"], &after["unchanged"]), (&0.into(), &0.into(), &3.into()), "{after}");
}

#[test]
fn an_append_and_a_replacement_are_planned_as_what_they_are() {
    let scratch = Scratch::new();
    tables(&scratch, "who\na\nb\nc\n", "mode: append");
    scratch.run("run job.yaml").ended(0);
    assert_eq!(sink(&scratch, "kept")["differences"]["insert"], 3);
    tables(&scratch, "who\na\n", "mode: replace");
    let found = sink(&scratch, "kept")["differences"].clone();
    let counts = |found: &Value| ["insert", "unchanged", "delete"].map(|name| found[name].as_u64().expect(name));
    assert_eq!(counts(&found), [0, 1, 2], "{found}");
    // Rows that come twice are there twice or not; a column that is new, or does not come any more, is null.
    tables(
        &scratch,
        "who
a
a
d
",
        "mode: replace",
    );
    assert_eq!(counts(&sink(&scratch, "kept")["differences"]), [2, 1, 2]);
    scratch.run("run job.yaml").ended(0);
    assert_eq!(counts(&sink(&scratch, "kept")["differences"]), [0, 3, 0]);
    tables(
        &scratch,
        "who,age
a,
a,7
",
        "mode: replace",
    );
    assert_eq!(counts(&sink(&scratch, "kept")["differences"]), [1, 1, 2]);
    scratch.run("run job.yaml").ended(0);
    tables(
        &scratch,
        "who
a
a
",
        "mode: replace",
    );
    assert_eq!(counts(&sink(&scratch, "kept")["differences"]), [1, 1, 1]);
    tables(&scratch, "other\na\n", "mode: append, schema: freeze");
    scratch.run("plan job.yaml").ended(1).says("`other` is no column of the table");
}

#[test]
fn fields_that_an_update_changes_are_named_with_what_they_would_be() {
    let job = Job::new("new-1,Ada\nnew-2,Bob\nnew-3,Eve\n", "on_unknown: resend");
    let text = job.world.scratch.read("users.yaml").replace("AddUser", "SaveUser");
    let write = |line: &str| job.world.scratch.write("users.yaml", text.replace("      SuperUser: 1\n", line));
    write("      SuperUser: 1\n      Department: Yard\n      Password: first-marker\n");
    job.command("run").run().ended(0);
    // Two have another name, all have another password, and nobody has a department any more.
    job.people("new-1,Ada L.\nnew-2,Bob\nnew-3,Eve K.\nnew-4,Zoe\n");
    write("      SuperUser: 1\n      Password: second-marker\n");
    let plan = job.plan();
    assert_eq!((&plan["create"], &plan["update"], &plan["unchanged"]), (&json!(1), &json!(3), &json!(0)));
    assert_eq!(plan["changed"], json!([["TraineeName", 2]]));
    let run = job.world.last_run()["run"].clone();
    let name = |name: &str| json!([["TraineeName", name]]);
    let fields = [name("Ada L."), json!([]), name("Eve K.")];
    for (at, fields) in fields.iter().enumerate() {
        let update = &plan["updates"][at];
        assert_eq!(update["key"], json!({"person": format!("new-{}", at + 1)}), "{plan}");
        assert_eq!((&update["fields"], &update["gone"]), (fields, &json!(1)), "{plan}");
        assert_eq!(update["delivered_by"], run, "{plan}");
    }
    let told = job.command("plan").run().ended(0);
    let all = format!("{}{}{}", told.stdout, told.stderr, job.world.scratch.read("plan.json"));
    assert!(!all.contains("second-marker") && all.contains("•••"), "a password of the record is shown: {all}");
    for line in ["~ update", "`TraineeName` changes in 2 records", "TraineeName: … → \"Ada L.\", one field less"] {
        assert!(told.stdout.contains(line), "{line} in {}", told.stdout);
    }
    job.carry_out("").ended(0);
    assert_eq!((job.counts(), job.plan()["unchanged"].clone()), ([4, 0, 0, 0, 0], json!(4)));
}

#[test]
fn a_secret_field_of_a_record_is_shown_nowhere() {
    // Without a key a record is known by all of itself.
    for (key, fault) in [("key: [person]", ""), ("", "cut:when=after:op=AddUser")] {
        let job = Job::new("new-1,Ada\nnew-2,Bob\n", "on_unknown: hold");
        let text = job.world.scratch.read("users.yaml").replace("key: [person]", key);
        let text = text.replace("      SuperUser: 1\n", "      SuperUser: 1\n      Password: \"{{ name }}-marker\"\n");
        job.world.scratch.write("users.yaml", text);
        let planned = job.with_file("plan", "--out").run().ended(0);
        let shown = job.world.scratch.read("plan.json") + &planned.stdout;
        assert!(shown.contains("•••") && !shown.contains("-marker"), "{shown}");
        job.world.hf_faults(fault);
        let ran = job.command("run").run();
        let held = job.world.towpath("state held users").run();
        let told = [ran.stdout, ran.stderr, held.stdout, held.stderr].concat();
        assert!(!told.contains("-marker"), "{told}");
        for file in job.world.scratch.files() {
            let bytes = std::fs::read(&file).expect("a file");
            let is_input = file.ends_with("users.yaml");
            assert!(is_input || !bytes.windows(7).any(|part| part == b"-marker"), "it is in {}", file.display());
        }
    }
}

#[test]
fn an_environment_and_a_definition_of_ones_own_belong_to_a_plan() {
    let job = Job::new("new-1,Ada\n", "");
    job.world.scratch.write("towpath.yaml", "version: 1\nproject: p\nenvironments: {night: {}}\n");
    job.plan();
    job.carry_out("--env night").ended(1).says("its environment was none, and is `night`");
    let definition = |description: &str| {
        let config = "config:\n  base_url: {type: text, required: true, doc: address}\n";
        let streams =
            "streams:\n  things: {doc: Things., request: {path: /things}, schema: {id: {type: int, doc: number}}}\n";
        format!("version: 1\nconnector: own\ndescription: {description}\n{config}{streams}")
    };
    job.world.scratch.write("connectors/own.yaml", definition("Ours."));
    job.carry_out("").ended(1).says("connectors/own.yaml is new");
    job.plan();
    job.world.scratch.write("connectors/own.yaml", definition("Ours, too."));
    job.carry_out("").ended(1).says("connectors/own.yaml has changed");
    assert_eq!(job.sent(), 0);
    job.plan();
    job.carry_out("").ended(0);
}
