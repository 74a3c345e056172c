//! After a night that did not go well: rejects are replayed, held records settled, state looked at, changed and moved.

use rusqlite::params;
use serde_json::{Value, json};
use towpath_tests::{HUMAN_FOCUS, Ran, Scratch, World, node};

/// Makes a user for each row of `people.csv`; the year has to be a number. MORE are further keys of the sink.
const PIPELINE: &str = r#"
version: 1
pipeline: users
params:
  title: {type: text, default: ""}
HUMAN_FOCUS
sources:
  people: {connector: csv, path: people.csv, columns: {person: text, name: text, year: text}}
transforms:
  ready:
    input: people
    steps:
      - filter: person != 'nobody'
      - set: {year: "{{ year | int }}", name: "{{ params.title }}{{ name }}"}
      - lookup: {connection: hf, stream: GetOrganID, take: {organ_id: OrganID}, missing: fail}
sinks:
  users:
    input: ready
    connection: hf
    operation: AddUser
    key: [person]
    record: {OrganID: "{{ organ_id }}", PersonIdentifier: "{{ person }}", TraineeName: "{{ name }}", SuperUser: 1}
    MORE
"#;

struct Night {
    world: World,
}

impl Night {
    fn new() -> Self {
        Self { world: World::new() }
    }

    fn write(&self, people: &str, replace: &[(&str, &str)]) -> String {
        self.world.scratch.write("people.csv", format!("person,name,year\n{people}"));
        let whole = PIPELINE.replace("HUMAN_FOCUS\n", HUMAN_FOCUS);
        let pipeline = replace.iter().fold(whole, |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replace(old, new)
        });
        self.world.scratch.write("users.yaml", pipeline.replace("    MORE\n", "")).display().to_string()
    }

    fn run(&self, people: &str, replace: &[(&str, &str)]) -> Ran {
        let file = self.write(people, replace);
        self.towpath("run").args([file]).run()
    }

    fn towpath(&self, line: &str) -> towpath_tests::Towpath {
        self.world.towpath(line)
    }

    fn sent(&self) -> u64 {
        World::requests(&self.world.hf, "AddUser")
    }

    /// Open rejects, as node and reason.
    fn open(&self) -> Vec<Value> {
        self.towpath("rejects list --format json").run().ended(0).json_lines()
    }

    fn last(&self) -> String {
        self.world.last_run()["run"].as_str().expect("a run").to_owned()
    }

    /// Delivered, skipped, rejected, of unknown outcome, by the latest run.
    fn counts(&self) -> [u64; 4] {
        let run = self.world.last_run();
        ["rows_out", "skipped", "rejected", "unknown"].map(|name| node(&run, "users")[name].as_u64().expect(name))
    }

    fn names(&self) -> Vec<String> {
        let books = self.world.hf.books();
        let users = books["users"].as_array().expect("users");
        let ours =
            users.iter().filter(|user| user["PersonIdentifier"].as_str().is_some_and(|id| id.starts_with("new-")));
        let mut names: Vec<String> =
            ours.map(|user| user["TraineeName"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }

    /// As if another machine had taken the lock of the pipeline, and been heard of so many seconds ago.
    fn lock_from_elsewhere(&self, seconds_ago: i64) {
        let state = rusqlite::Connection::open(self.world.scratch.at("state/state.db")).expect("the state");
        let heartbeat = chrono::Utc::now().timestamp_millis() - seconds_ago * 1000;
        let changed = state
            .execute(
                "UPDATE lock SET held = 1, token = token + 1, pid = 4711, host = 'elsewhere', machine = 'another',
                 born = '1', since = ?1, heartbeat = ?1",
                params![heartbeat],
            )
            .expect("a lock");
        assert_eq!(changed, 1);
    }
}

#[test]
fn what_a_transform_rejected_is_delivered_after_the_mapping_is_mended() {
    let night = Night::new();
    night.run("new-1,Ada,1815\nnew-2,Bob,about 1900\nnew-3,Eve,1950\n", &[]).ended(0).says("rejects replay");
    let first = night.last();
    assert_eq!((night.sent(), night.open().len()), (2, 1));
    let before = night.open().remove(0);
    assert_eq!((&before["node"], &before["step"], &before["state"]), (&json!("ready"), &json!(2), &json!("open")));

    // The source holds other rows by now: none of them is read.
    let mended = ("\"{{ year | int }}\"", "\"{{ year | int(0) }}\"");
    night.write("new-4,Zoe,1990\n", &[mended]);
    let replayed = night.towpath(&format!("rejects replay {first}")).run().ended(0);
    assert!(!replayed.stderr.contains("not replayed"), "{}", replayed.stderr);
    assert_eq!((night.sent(), night.counts()), (3, [1, 0, 0, 0]));
    assert_eq!(night.names(), ["Ada", "Bob", "Eve"]);
    assert_eq!(night.world.last_run()["replays"], json!(first));

    assert_eq!(night.open(), Vec::<Value>::new());
    let all = night.towpath("rejects list --all --format json").run().ended(0).json_lines();
    assert_eq!((all.len(), &all[0]["closed_by"], &all[0]["row"]), (1, &json!(night.last()), &before["row"]));
    night.towpath(&format!("rejects replay {first}")).run().ended(2).says("no open rejects");
    assert_eq!(night.sent(), 3, "nothing is sent twice");
}

#[test]
fn rejects_of_several_places_go_in_each_at_its_own() {
    let night = Night::new();
    let by_hand =
        ("missing: fail}", "missing: fail}\n      - check: [{name: short, expect: name | length < 9, else: reject}]");
    night.world.hf_faults("refuse:op=AddUser:nth=1:message=no seat");
    // The first is refused by the system, one fails a conversion, one a check that comes after the lookup.
    let people = "new-1,Ada,1815\nnew-2,Bob,soon\nnew-3,Eve the Great,1950\nnew-4,Zoe,1990\n";
    night.run(people, &[by_hand, ("    MORE", "    concurrency: 1")]).ended(0);
    let mut places: Vec<String> = night.open().iter().map(|it| format!("{} {}", it["node"], it["step"])).collect();
    places.sort();
    assert_eq!(places, ["\"ready\" 2", "\"ready\" 4", "\"users\" null"]);
    night.world.hf_faults("");
    let longer =
        ("missing: fail}", "missing: fail}\n      - check: [{name: short, expect: name | length < 99, else: reject}]");
    night.write("", &[longer, ("\"{{ year | int }}\"", "\"{{ year | int(0) }}\"")]);
    night.towpath("rejects replay last").run().ended(0);
    assert_eq!((night.counts(), night.open().len()), ([3, 0, 0, 0], 0));
    assert_eq!(night.names(), ["Ada", "Bob", "Eve the Great", "Zoe"]);
    let run = night.world.last_run();
    assert_eq!((&node(&run, "ready")["rows_in"], &node(&run, "ready")["rows_out"]), (&json!(2), &json!(2)));
}

#[test]
fn rows_of_a_join_are_replayed_against_all_of_the_other_side() {
    let scratch = Scratch::new();
    let pipeline = |cast: &str| {
        format!(
            "version: 1\npipeline: sales\nconnections:\n  dw: {{connector: sqlite, path: dw.db}}\nsources:\n  \
             sales: {{connector: csv, path: sales.csv, columns: {{who: text, sum: text}}}}\n  \
             people: {{connector: csv, path: people.csv, columns: {{who: text, name: text}}}}\ntransforms:\n  \
             named:\n    input: sales\n    steps:\n      - set: {{sum: \"{{{{ sum | {cast} }}}}\"}}\n      \
             - join: {{with: people, on: [who], how: left}}\nsinks:\n  \
             load: {{input: named, connection: dw, table: sales, mode: append}}\n"
        )
    };
    scratch.write("sales.yaml", pipeline("int"));
    scratch.write("sales.csv", "who,sum\na,1\nb,two\nc,3\n");
    scratch.write("people.csv", "who,name\na,Ann\nb,Bob\n");
    scratch.run("run sales.yaml").ended(0);
    scratch.write("sales.yaml", pipeline("replace('two', '2') | int"));
    scratch.run("rejects replay last").ended(0).says("1 written");
    scratch.run("rejects replay --pipeline sales.yaml").ended(0).says("has no open rejects");
    let db = rusqlite::Connection::open(scratch.at("dw.db")).expect("a database");
    let mut rows = db.prepare("SELECT who || sum || ifnull(name, '-') FROM sales ORDER BY who").expect("a query");
    let rows: Vec<String> = rows.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("text")).collect();
    assert_eq!(rows, ["a1Ann", "b2Bob", "c3-"]);
}

#[test]
fn a_run_against_stand_ins_is_replayed_against_stand_ins() {
    let scratch = Scratch::new();
    let job = towpath_tests::repository().join(towpath_tests::MAIN_JOB).display().to_string();
    scratch.run(&format!("run {job} --sandbox")).ended(0);
    let open = scratch.run("rejects list --format json").ended(0).json_lines().len();
    assert!(open > 0, "a world worth the test");
    scratch.run("rejects replay last").ended(2).says("--sandbox");
    scratch.run("rejects replay last --sandbox").ended(0);
    // Nobody has made these people known meanwhile: the same rows are rejects of the replay.
    assert_eq!(scratch.run("rejects list --format json").ended(0).json_lines().len(), open);
    assert_eq!(scratch.run("rejects list last --format json").ended(0).json_lines().len(), open);
}

#[test]
fn a_parameter_of_the_run_is_that_of_its_replay() {
    let night = Night::new();
    let file = night.write("new-1,Ada,soon\n", &[]);
    night.towpath("run --param title=Dr.").args([file]).run().ended(0);
    night.write("", &[("\"{{ year | int }}\"", "\"{{ year | int(0) }}\"")]);
    night.towpath("rejects replay last").run().ended(0);
    assert_eq!(night.names(), ["Dr.Ada"]);
}

#[test]
fn what_the_system_refused_is_a_reject_until_it_is_taken_and_never_twice() {
    let night = Night::new();
    let people: String = (0..6).map(|number| format!("new-{number},Person {number},1900\n")).collect();
    night.world.hf_faults("refuse:op=AddUser:every=2:message=no seat");
    night.run(&people, &[("    MORE", "    concurrency: 1")]).ended(0);
    let first = night.last();
    assert_eq!((night.sent(), night.open().len()), (6, 3));

    // It fails again: the rejects are those of the replay now, and there are no more of them.
    night.world.hf_faults("refuse:op=AddUser:message=still no seat");
    night.towpath(&format!("rejects replay {first}")).run().ended(0);
    let second = night.last();
    let open = night.open();
    assert_eq!(open.len(), 3);
    assert!(open.iter().all(|reject| reject["run"] == second.as_str()), "{open:?}");
    assert!(open[0]["reason"].as_str().is_some_and(|reason| reason.contains("still no seat")), "{open:?}");

    // It cannot be told for a passing reason: nothing is closed, nothing is added.
    night.world.hf_faults("503:op=GetOrganID");
    let file = night.write(&people, &[("    MORE\n", "limits: {retries: 0}\n")]);
    let still = night.open();
    night.world.hf_faults("429:op=AddUser");
    let failed = night.towpath(&format!("rejects replay {second}")).run();
    assert!(matches!(failed.code, Some(1 | 75)), "{:?}\n{}", failed.code, failed.stderr);
    assert_eq!(night.open(), still);

    night.world.hf_faults("");
    night.towpath(&format!("rejects replay --pipeline={file}")).run().ended(0);
    assert_eq!((night.open().len(), night.names().len()), (0, 6));
    night.run(&people, &[]).ended(0);
    assert_eq!((night.counts(), night.names().len()), ([0, 6, 0, 0], 6));
}

#[test]
fn a_replay_does_not_undo_what_was_delivered_since() {
    let night = Night::new();
    night.world.hf_faults("refuse:op=AddUser:message=no seat");
    night.run("new-1,Ada,1815\n", &[]).ended(0);
    let first = night.last();
    night.world.hf_faults("");
    night.run("new-1,Countess,1815\n", &[]).ended(0);
    assert_eq!((night.names(), night.sent()), (vec!["Countess".to_owned()], 2));
    night.towpath(&format!("rejects replay {first}")).run().ended(0);
    assert_eq!((night.sent(), night.counts(), night.open().len()), (2, [0, 1, 0, 0], 0));
}

#[test]
fn rows_rejected_every_night_are_open_once() {
    let night = Night::new();
    for _ in 0..3 {
        night.run("new-1,Ada,soon\nnew-2,Bob,later\n", &[]).ended(0);
    }
    let open = night.open();
    assert_eq!(open.len(), 2);
    assert!(open.iter().all(|reject| reject["run"] == night.last()), "{open:?}");
    let all = night.towpath("rejects list --all --format json --node ready").run().ended(0).json_lines();
    assert_eq!(all.len(), 6);
}

#[test]
fn what_cannot_be_replayed_is_named_with_the_reason_and_stays_open() {
    let night = Night::new();
    let copy = ("    MORE\n", "  copy: {input: ready, connector: json, path: out.jsonl}\n");
    night.run("new-1,Ada,soon\n", &[copy]).ended(0);
    let limited = ("      - lookup:", "      - limit: 9\n      - lookup:");
    let renamed = ("      - filter: person != 'nobody'", "      - set: {more: \"{{ person }}\"}");
    let cases = [
        (vec![copy], "`copy`, a file, which is written as a whole"),
        (vec![limited], "the step `limit` of `ready`, which needs all rows"),
        (vec![renamed], "other columns now"),
    ];
    for (change, says) in cases {
        night.write("new-1,Ada,1815\n", &change);
        night.towpath("rejects replay last").run().ended(3).says(says).says("run the pipeline again");
        assert_eq!((night.open().len(), night.sent()), (1, 0), "{says}");
    }
    night.write("", &[]);
    night.towpath("rejects replay last --node users").run().ended(2).says("no open rejects of `users`");
}

#[test]
fn a_run_whose_rejects_cannot_go_in_holds_up_no_other() {
    let night = Night::new();
    // The first run's reject is one of the source, which reads its rows itself; the second run's is one of a step.
    night.run("new-1,Ada,nil\n", &[("year: text", "year: int")]).ended(0);
    night.run("new-2,Bob,about 1900\n", &[]).ended(0);
    let file = night.write("", &[("\"{{ year | int }}\"", "\"{{ year | int(0) }}\"")]);
    night.towpath(&format!("rejects replay --pipeline={file} --sandbox")).run().ended(0).says("has no open rejects");
    night
        .towpath(&format!("rejects replay --pipeline={file}"))
        .run()
        .ended(3)
        .says("1 reject is not replayed, of `people`");
    assert_eq!((night.names(), night.open().len()), (vec!["Bob".to_owned()], 1));
}

#[test]
fn state_is_where_the_environment_says_also_for_those_who_ask() {
    let scratch = Scratch::new();
    scratch.write(
        "towpath.yaml",
        "version: 1\nproject: p\nstate: plain\nenvironments:\n  prod: {state: \"{{ env.KEPT }}\"}\n",
    );
    scratch.write("people.csv", "who,year\na,1\nb,two\n");
    scratch.write(
        "job.yaml",
        "version: 1\npipeline: job\nsources: {people: {connector: csv, path: people.csv}}\ntransforms:\n  \
         typed: {input: people, steps: [{set: {year: \"{{ year | int }}\"}}]}\n\
         sinks: {out: {input: typed, connector: json, path: out.jsonl}}\n",
    );
    let towpath = |line: &str| scratch.towpath(line).env("KEPT", "of-prod").run();
    towpath("run job.yaml --env prod").ended(0);
    assert!(scratch.at("of-prod/state.db").is_file() && !scratch.at("plain").exists());
    assert_eq!(towpath("rejects list --env prod --format json").ended(0).json_lines().len(), 1);
    assert_eq!(towpath("state list --env prod --format json").ended(0).json_lines()[0]["environment"], "prod");
    towpath("state list").ended(0).says("there is no state yet");
}

#[test]
fn a_held_record_that_arrived_is_settled_and_never_sent_again() {
    let night = Night::new();
    night.world.hf_faults("cut:op=AddUser:nth=2:when=after");
    let people = "new-1,Ada,1815\nnew-2,Bob,1900\n";
    let held = night.run(people, &[("    MORE", "    concurrency: 1")]).ended(3);
    held.says("towpath state held users").says("towpath state settle users");
    night.world.hf_faults("");
    let listed = night.towpath("runs list --format json").run().ended(0).json_lines();
    assert_eq!((&listed[0]["status"], &listed[0]["held"]), (&json!("held"), &json!(1)));

    let records = night.towpath("state held users --format json").run().ended(0).json_lines();
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["sink"], &records[0]["key"]), (&json!("users"), &json!({"person": "new-2"})));
    let shown = night.towpath("state held users").run().ended(0).says("--as not-delivered");
    assert!(shown.stdout.contains("new-2"), "{}", shown.stdout);

    night
        .towpath("state settle users --sink users --key nothing --as delivered")
        .run()
        .ended(2)
        .says("holds no record");
    night.lock_from_elsewhere(1);
    let settle = night.towpath("state settle users --sink users --key new-2 --as delivered");
    settle.run().ended(75).says("process 4711 on elsewhere");
    assert_eq!(night.towpath("state held users --format json").run().json_lines().len(), 1, "nothing was settled");
    night.lock_from_elsewhere(31);
    settle.run().ended(0).says("1 record of `users` count");
    night.run(people, &[]).ended(0);
    assert_eq!((night.sent(), night.counts()), (2, [0, 2, 0, 0]));
}

#[test]
fn held_records_that_did_not_arrive_are_sent_by_the_next_run() {
    let night = Night::new();
    night.world.hf_faults("cut:op=AddUser:first=2");
    let people = "new-1,Ada,1815\nnew-2,Bob,1900\nnew-3,Eve,1950\n";
    night.run(people, &[("    MORE", "    concurrency: 1")]).ended(3);
    night.world.hf_faults("");
    assert_eq!(night.counts(), [1, 0, 0, 2]);
    let id = night.towpath("state held users --format json").run().json_lines()[0]["id"].clone();
    let id = id.as_str().expect("an id");
    night.towpath(&format!("state settle users --sink users --key {id} --as not-delivered")).run().ended(0);
    assert_eq!(night.towpath("state held users --format json").run().json_lines().len(), 1);
    let file = night.world.scratch.at("users.yaml");
    night.towpath("state settle").args([&file]).line("--sink users --all --as not-delivered").run().ended(0);
    night.run(people, &[]).ended(0);
    assert_eq!((night.names().len(), night.counts()), (3, [2, 1, 0, 0]));
}

#[test]
fn state_is_shown_set_and_cleared() {
    let night = Night::new();
    night.run("new-1,Ada,1815\n", &[]).ended(0);
    let listed = night.towpath("state list --format json").run().ended(0).json_lines();
    assert_eq!(
        (&listed[0]["pipeline"], &listed[0]["delivered"], &listed[0]["cursors"]),
        (&json!("users"), &json!(1), &json!(0))
    );
    night.towpath("state set users people 2024-01-01").run().ended(0);
    night.towpath("state set users other").args(["{\"page\": 3}"]).run().ended(0);
    let shown = |night: &Night| night.towpath("state show users --format json").run().ended(0).json_lines().remove(0);
    let cursors = shown(&night)["cursors"].as_array().expect("cursors").clone();
    let values: Vec<&Value> = cursors.iter().map(|cursor| &cursor["value"]).collect();
    assert_eq!(values, [&json!({"page": 3}), &json!("2024-01-01")]);

    night.towpath("state clear users --node people").run().ended(2).says("--yes").says("nothing was changed");
    night.towpath("state clear users --node peeple --yes").run().ended(2).says("people");
    night.towpath("state clear users --node people --yes").run().ended(0);
    assert_eq!(shown(&night)["cursors"].as_array().map(Vec::len), Some(1));
    night.towpath("state clear users --journal users").run().ended(2).says("SENDS ALL OF THEM AGAIN");
    night.lock_from_elsewhere(1);
    night.towpath("state clear users --journal users --yes").run().ended(75).says("process 4711 on elsewhere");
    night.towpath("state set users people 2025-01-01").run().ended(75);
    night.lock_from_elsewhere(31);
    night.towpath("state clear users --journal users --yes").run().ended(0);
    assert_eq!(shown(&night)["journal"], json!([]));
    night.towpath("state show nobody").run().ended(2).says("`users`");
}

#[test]
fn a_state_that_is_moved_goes_on_where_it_was() {
    let night = Night::new();
    night.world.hf_faults("refuse:op=AddUser:nth=1:message=no seat");
    let people = "new-1,Ada,1815\nnew-2,Bob,1900\n";
    night.run(people, &[("    MORE", "    concurrency: 1")]).ended(0);
    night.world.hf_faults("");
    let copy = night.world.scratch.at("copy.jsonl").display().to_string();
    night.towpath("state export").args([&copy]).run().ended(0);
    night.towpath("state export").args([&copy]).run().ended(1);
    let printed = night.towpath("state export").run().ended(0).stdout;
    assert_eq!(printed, night.world.scratch.read("copy.jsonl"));
    night.towpath("state import").args([&copy]).run().ended(2).says("--replace");

    // Another machine: the folder is not there any more.
    std::fs::rename(night.world.scratch.at("state"), night.world.scratch.at("gone")).expect("moved");
    night.towpath("state import").args([&copy]).run().ended(0);
    assert_eq!(night.towpath("state export").run().ended(0).stdout, printed);
    night.towpath("rejects replay last").run().ended(0);
    assert_eq!((night.open().len(), night.names().len()), (0, 2));
    night.run(people, &[]).ended(0);
    assert_eq!(night.counts(), [0, 2, 0, 0]);

    night.lock_from_elsewhere(1);
    night.towpath("state import --replace").args([&copy]).run().ended(75).says("holds a lock");
    night.lock_from_elsewhere(31);
    night.towpath("state import --replace").args([&copy]).run().ended(0);
    assert_eq!(night.towpath("state export").run().ended(0).stdout, printed);
}

#[test]
fn a_second_starter_is_told_who_runs_and_a_silent_one_is_followed() {
    let night = Night::new();
    night.run("new-1,Ada,1815\n", &[]).ended(0);
    night.lock_from_elsewhere(29);
    let told = night.run("new-1,Ada,1815\nnew-2,Bob,1900\n", &[]).ended(75);
    told.says("process 4711 on elsewhere, since ").says("30 seconds after its last heartbeat");
    assert_eq!(night.sent(), 1);
    night.lock_from_elsewhere(31);
    night.run("new-1,Ada,1815\nnew-2,Bob,1900\n", &[]).ended(0);
    assert_eq!(night.sent(), 2);
}
