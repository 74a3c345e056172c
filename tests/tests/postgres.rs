//! State on a PostgreSQL server: for jobs that run on machines which are thrown away.

use serde_json::Value;
use towpath_tests::{HUMAN_FOCUS, Scratch, Towpath, World, node, until};

const PIPELINE: &str = r#"
version: 1
pipeline: users
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
    concurrency: 2
    on_unknown: resend
    record: {OrganID: "{{ organ_id }}", PersonIdentifier: "{{ person }}", TraineeName: "{{ name }}", SuperUser: 1}
"#;

/// A machine that is new each time: nothing is on it but the pipeline.
struct Machine {
    scratch: Scratch,
}

impl Machine {
    fn new() -> Self {
        let scratch = Scratch::new();
        scratch.write("users.yaml", PIPELINE.replace("HUMAN_FOCUS\n", HUMAN_FOCUS));
        let people: String = (0..6).map(|at| format!("new-{at},Person {at}\n")).collect();
        scratch.write("people.csv", format!("person,name\n{people}nameless,\n"));
        Self { scratch }
    }

    /// A command that knows the stand-ins of a world, and this server's state.
    fn towpath(&self, world: &World, state: &str, line: &str) -> Towpath {
        let settings = world.hf.settings();
        let of = |name: &str| settings.iter().find(|(known, _)| known == name).expect("a setting").1.clone();
        self.scratch
            .towpath(line)
            .args(["--state", state])
            .env("HUMAN_FOCUS_URL", of("base_url"))
            .env("HUMAN_FOCUS_ORGANISATION", of("organisation"))
            .env("HUMAN_FOCUS_USER", of("username"))
            .env("HUMAN_FOCUS_PASSWORD", of("password"))
    }
}

/// A database of a server, for a user with a password.
fn state() -> (String, &'static str) {
    let address = towpath_postgres::database();
    let password = "a-password-marker";
    (address.replacen("postgres://towpath@", &format!("postgres://towpath:{password}@"), 1), password)
}

#[test]
fn what_one_machine_delivered_another_does_not_send_again() {
    let world = World::new();
    let (state, password) = state();
    let sent = || World::requests(&world.hf, "AddUser");
    let first = Machine::new();
    let ran = first.towpath(&world, &state, "run users.yaml").run().ended(0);
    assert_eq!(sent(), 6);
    assert!(!ran.stderr.contains(password) && !first.scratch.at(".towpath/state.db").exists(), "{}", ran.stderr);

    let second = Machine::new();
    second.towpath(&world, &state, "run users.yaml").run().ended(0).says("6 unchanged");
    assert_eq!(sent(), 6);
    let run = second.towpath(&world, &state, "runs show last --format json").run().ended(0).json_lines().remove(0);
    assert_eq!(node(&run, "users")["skipped"], 6);
    let rejects = second.towpath(&world, &state, "rejects list --format json").run().ended(0).json_lines();
    assert_eq!(rejects.len(), 1, "the same row is open once");
    let plan = second.towpath(&world, &state, "plan users.yaml --format json").run().ended(0).json_lines().remove(0);
    assert_eq!(plan["sinks"][0]["unchanged"], 6);
}

#[test]
fn a_machine_that_dies_leaves_nothing_lost_and_nothing_doubled() {
    let world = World::new();
    let (state, _) = state();
    world.hf_faults("hold:op=AddUser:skip=2");
    let first = Machine::new();
    let running = first.towpath(&world, &state, "run users.yaml").start();
    until("an upload is held", || world.hf.faults().met()[0] > 0);
    // Who comes second is told who runs.
    let other = Machine::new();
    other.towpath(&world, &state, "run users.yaml").run().ended(75).says("is going on pipeline `users`");
    running.signal("KILL");
    running.wait();
    world.hf_faults("");
    // On the same machine it is seen at once that the process is dead.
    other.towpath(&world, &state, "run users.yaml").run().ended(0);
    let users = world.hf.books()["users"].as_array().expect("users").clone();
    let name = |user: &Value| user["PersonIdentifier"].as_str().unwrap_or_default().to_owned();
    let mut ours: Vec<String> = users.iter().map(name).filter(|name| name.starts_with("new-")).collect();
    ours.sort();
    assert_eq!(ours, ["new-0", "new-1", "new-2", "new-3", "new-4", "new-5"]);
}

#[test]
fn a_state_moves_from_a_folder_to_a_server_and_back() {
    let world = World::new();
    let (state, _) = state();
    let machine = Machine::new();
    machine.towpath(&world, "kept", "run users.yaml").run().ended(0);
    machine.towpath(&world, "kept", "state export moved.jsonl").run().ended(0);
    machine.towpath(&world, &state, "state import moved.jsonl").run().ended(0);
    machine.towpath(&world, &state, "run users.yaml").run().ended(0).says("6 unchanged");
    machine.towpath(&world, &state, "state export back.jsonl").run().ended(0);
    machine.towpath(&world, "again", "state import back.jsonl").run().ended(0);
    machine.towpath(&world, "again", "run users.yaml").run().ended(0).says("6 unchanged");
    assert_eq!(World::requests(&world.hf, "AddUser"), 6);
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let world = World::new();
    let machine = Machine::new();
    let state = "postgres://towpath:a-password-marker@127.0.0.1:1/state?sslmode=disable";
    let ran = machine.towpath(&world, state, "run users.yaml").run();
    assert!(matches!(ran.code, Some(1 | 75)), "{:?}", ran.code);
    assert!(ran.stderr.contains("127.0.0.1") && !ran.stderr.contains("a-password-marker"), "{}", ran.stderr);
    let ran = machine.towpath(&world, "mysql://u:p@h/d", "run users.yaml").run().ended(2);
    ran.says("a folder or in PostgreSQL");
}
