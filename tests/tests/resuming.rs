//! Runs that do not come to their end leave what they read to the next one.

use serde_json::{Value, json};
use towpath_sandbox::{Options, Seed, System};
use towpath_tests::{Ran, Running, Scratch, Systems, Towpath, node, until};

const PIPELINE: &str = r#"
version: 1
pipeline: people
connections:
  enabley: {connector: enabley, base_url: "{{ env.ENABLEY_URL }}", client_key: "{{ env.ENABLEY_CLIENT_KEY }}", secret: "{{ env.ENABLEY_SECRET }}"}
sources:
  users: {connection: enabley, stream: users}
sinks:
  out: {input: users, connector: json, path: people.jsonl}
limits: {retries: 0}
"#;

/// Pages that are answered before the others are held.
const ANSWERED: u64 = 2;

/// What the stand-in calls the operation.
const USERS: &str = "getUsersV3";

/// Enabley with some pages of users.
struct World {
    systems: Systems,
}

impl World {
    fn new() -> Self {
        let options = Options { seed: Seed { people: 450, ..Seed::default() }, ..Options::default() };
        let systems = Systems::start(&["enabley"], &options, Scratch::new());
        systems.scratch.write("people.yaml", PIPELINE);
        Self { systems }
    }

    fn towpath(&self, line: &str) -> Towpath {
        self.systems.towpath(line)
    }

    fn enabley(&self) -> &System {
        self.systems.system("enabley")
    }

    fn run(&self, more: &str) -> Ran {
        self.towpath(&format!("run people.yaml {more}")).run()
    }

    /// Pages asked for so far.
    fn pages(&self) -> u64 {
        self.enabley().books()["requests"]["operations"][USERS]["count"].as_u64().unwrap_or(0)
    }

    fn faults(&self, rules: &str) {
        self.enabley().faults().set_text(rules).expect("rules");
    }

    /// A run whose next page never comes; what came before it is on disk.
    fn held(&self) -> Running {
        self.faults(&format!("hold:op={USERS}:skip={ANSWERED}"));
        let running = self.towpath("run people.yaml").start();
        until("a page is held and those before it are on disk", || {
            let is_manifest = |file: &std::path::PathBuf| file.ends_with("manifest.json");
            self.systems.scratch.files().iter().any(is_manifest)
        });
        running
    }

    /// The rows that arrived.
    fn people(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.systems.scratch.at("people.jsonl")).expect("the file");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// What a run gives that is not disturbed, and how many pages that are.
fn undisturbed() -> (Vec<Value>, u64) {
    let world = World::new();
    world.run("").ended(0);
    assert!(world.pages() > ANSWERED + 1, "{}: {}", world.pages(), world.enabley().books()["requests"]);
    (world.people(), world.pages())
}

#[test]
fn after_a_kill_reading_goes_on_behind_the_last_page() {
    let (expected, pages) = undisturbed();
    let world = World::new();
    let running = world.held();
    running.signal("KILL");
    running.wait();
    world.enabley().faults().clear();
    let asked = world.pages();
    let ran = world.run("").ended(0).says("before it ended: goes on behind them");
    assert_eq!(world.people(), expected, "{}", ran.stderr);
    assert_eq!(world.pages() - asked, pages - ANSWERED, "what was there was not asked for again");
    assert_eq!(node(&world.systems.last_run(), "users")["rows_in"], expected.len(), "all of them are in the books");
    // What came to its end is not gone on with.
    let asked = world.pages();
    world.run("").ended(0);
    assert_eq!(world.pages() - asked, pages);
    assert_eq!(world.people(), expected);
}

#[test]
fn a_chain_of_stops_loses_and_doubles_nothing() {
    let (expected, pages) = undisturbed();
    let world = World::new();
    let running = world.held();
    running.signal("INT");
    running.wait().ended(130);
    // The next one is stopped before a single page comes, and passes on what it was left.
    world.faults(&format!("hold:op={USERS}"));
    let running = world.towpath("run people.yaml").start();
    until("a page is held", || world.enabley().faults().met()[0] > 0);
    running.signal("KILL");
    running.wait();
    world.faults(&format!("503:op={USERS}:skip=1"));
    world.run("").ended(75);
    world.enabley().faults().clear();
    let asked = world.pages();
    world.run("").ended(0).says("goes on behind them");
    assert_eq!(world.people(), expected);
    assert_eq!(world.pages() - asked, pages - ANSWERED - 1);
}

#[test]
fn what_was_left_is_not_gone_on_with_when_something_else_is_read_or_all_is_wanted() {
    let (expected, pages) = undisturbed();
    for (change, more) in [("stream: users}", "--full-refresh"), ("stream: users, with: {lastNameSubstring: ar}}", "")]
    {
        let world = World::new();
        let running = world.held();
        running.signal("KILL");
        running.wait();
        world.enabley().faults().clear();
        world.systems.scratch.write("people.yaml", PIPELINE.replace("stream: users}", change));
        let asked = world.pages();
        world.run(more).ended(0);
        let read = world.pages() - asked;
        if more.is_empty() {
            assert!(world.people().len() < expected.len(), "others are asked for");
        } else {
            assert_eq!((world.people(), read), (expected.clone(), pages));
        }
    }
}

#[test]
fn a_place_the_system_does_not_know_any_more_has_all_read_anew() {
    let (expected, pages) = undisturbed();
    let world = World::new();
    let running = world.held();
    running.signal("KILL");
    running.wait();
    world.faults(&format!("404:op={USERS}:first=1"));
    let asked = world.pages();
    world.run("").ended(0).says("cannot be gone on with, all is read anew");
    assert_eq!(world.people(), expected);
    assert_eq!(world.pages() - asked, pages + 1);
}

#[test]
fn a_run_that_failed_for_good_is_gone_on_with_when_that_is_asked_for() {
    let (expected, pages) = undisturbed();
    let world = World::new();
    world.faults(&format!("403:op={USERS}:skip={ANSWERED}"));
    world.run("").ended(1);
    let failed = world.systems.last_run()["run"].clone();
    let failed = failed.as_str().expect("a name").to_owned();
    world.enabley().faults().clear();
    world.run("--resume 7zzz").ended(1).says("7zzz");
    let asked = world.pages();
    world.run(&format!("--resume {failed}")).ended(0).says("goes on behind them");
    assert_eq!(world.people(), expected);
    assert_eq!(world.pages() - asked, pages - ANSWERED);
    world.run(&format!("--resume {failed}")).ended(1).says("nothing is left of run");
    world.run(&format!("--resume {failed} --limit 3")).ended(2);
    assert_eq!(json!(world.people().len()), json!(expected.len()));
}
