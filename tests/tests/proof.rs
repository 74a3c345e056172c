//! The proof: runs that die at every boundary and at random moments, and what is there when others have gone on.
//!
//! Each trial starts a world of its own, has runs of a pipeline die in it, every other time with a loss of power, lets runs
//! go on until one comes to its end, and compares the other system's own books, the file or the table with what an
//! undisturbed run leaves. What is neither there nor named as held is lost; what is there too often is doubled.
//!
//! `TOWPATH_PROOF_TRIALS=1000 cargo test -p towpath-tests --test proof -- --nocapture` is the long form; trial `N` alone, and
//! just as it was, is `TOWPATH_PROOF_SEED=N`.

use fastrand::Rng;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use towpath_connector::BOUNDARIES;
use towpath_sandbox::{Options, Seed};
use towpath_tests::{HUMAN_FOCUS, Power, Scratch, Systems, Towpath};

/// Trials in the short form.
const SHORT: usize = 48;

/// How often a run comes by a boundary at the least, so that it dies at one of those times.
fn passes(boundary: &str) -> u64 {
    match boundary {
        "before-send" | "after-answer" => 40,
        "before-journal" | "after-journal" => 12,
        "segment-written" => 3,
        "checkpoint-written" => 2,
        _ => 1,
    }
}

/// What is run in a world.
const JOB: &str = "run job.yaml";

/// A pipeline into some kind of sink.
struct Route {
    name: &'static str,
    /// The stand-ins it talks to.
    systems: &'static [&'static str],
    pipeline: &'static str,
    /// What goes wrong beside the deaths: all of these passes, or is answered by the system itself.
    faults: &'static [(&'static str, &'static str)],
    /// Whether state is on a PostgreSQL server, which keeps its power.
    on_server: bool,
    /// Whether other records wait for one that is held, and are named with it.
    waits: bool,
    /// What arrived, as sorted lines.
    arrived: fn(&Systems) -> Vec<String>,
}

const UPLOAD: Route = Route {
    name: "Human Focus upload (creates, is looked up)",
    systems: &["peoplefluent", "human-focus"],
    pipeline: include_str!("../../pipelines/peoplefluent-to-human-focus.yaml"),
    faults: &[
        ("human-focus", ""),
        ("human-focus", "cut:when=after:op=UploadExternalTraining:nth=7"),
        ("human-focus", "503:op=UploadExternalTraining:nth=9"),
        ("human-focus", "429:nth=5:retry_after=0"),
    ],
    on_server: false,
    waits: true,
    arrived: |world| {
        list(&world.books("human-focus")["uploads"], &["PersonIdentifier", "TrainingTitle", "CompletionDate"])
    },
};

const CSV: Route = Route {
    name: "PeopleFluent CSV (batches, idempotent)",
    systems: &["peoplefluent"],
    pipeline: PEOPLEFLUENT,
    faults: &[("peoplefluent", ""), ("peoplefluent", "cut:when=after:nth=2"), ("peoplefluent", "503:nth=2")],
    on_server: false,
    waits: false,
    arrived: |world| list(&world.books("peoplefluent")["held"]["external"], &["id", "title", "startDate"]),
};

const ROUTES: [Route; 8] = [
    UPLOAD,
    Route { name: "Human Focus upload, state in PostgreSQL", on_server: true, ..UPLOAD },
    Route {
        name: "Human Focus trainings (batches of creates)",
        systems: &["human-focus"],
        pipeline: TRAININGS,
        faults: &[
            ("human-focus", ""),
            ("human-focus", "cut:when=after:op=AddExternalTrainingDetails:nth=3"),
            ("human-focus", "429:nth=3:retry_after=0"),
        ],
        on_server: false,
        waits: false,
        arrived: |world| {
            let trainings = &world.books("human-focus")["trainings"];
            list(trainings, &["TrainingCourse"]).into_iter().filter(|title| title.contains("Of the proof")).collect()
        },
    },
    CSV,
    Route { name: "PeopleFluent CSV, state in PostgreSQL", on_server: true, ..CSV },
    Route {
        name: "Parquet",
        systems: &["enabley"],
        pipeline: PARQUET,
        faults: &READING,
        on_server: false,
        waits: false,
        arrived: |world| {
            let ran = world
                .towpath("preview")
                .args([world.scratch.write("look.yaml", LOOK)])
                .line("out --format json --limit 100000")
                .run();
            lines(ran.ended(0).stdout.lines())
        },
    },
    Route {
        name: "SQLite, append",
        systems: &["enabley"],
        pipeline: APPEND,
        faults: &READING,
        on_server: false,
        waits: false,
        arrived: table,
    },
    Route {
        name: "SQLite, merge",
        systems: &["enabley"],
        pipeline: MERGE,
        faults: &READING,
        on_server: false,
        waits: false,
        arrived: table,
    },
];

const READING: [(&str, &str); 3] = [("enabley", ""), ("enabley", "cut-body:nth=3:bytes=100"), ("enabley", "503:nth=4")];

const PEOPLEFLUENT: &str = r#"
version: 1
pipeline: external
connections:
  lms: {connector: peoplefluent, base_url: "{{ env.PEOPLEFLUENT_URL }}", system_key: "{{ env.PEOPLEFLUENT_KEY }}"}
sources:
  records: {connector: csv, path: records.csv, columns: {id: text, person: text, title: text}}
sinks:
  out:
    input: records
    connection: lms
    operation: externalTrainingCsv
    key: id
    batch: 7
    record:
      action: upsert
      record_id: "{{ id }}"
      user_id: "{{ person }}"
      title: "{{ title }}"
      course_type: onlineModule
      start_date: "{{ '2026-03-01T10:00:00Z' | to_datetime }}"
      end_date: "{{ '2026-03-02T10:00:00Z' | to_datetime }}"
      status: completed
      language: en
      vendor: us
"#;

const TRAININGS: &str = r#"
version: 1
pipeline: trainings
HUMAN_FOCUS
sources:
  titles: {connector: csv, path: records.csv, columns: {id: text}}
sinks:
  out:
    input: titles
    connection: hf
    operation: AddExternalTrainingDetails
    key: id
    batch: 7
    concurrency: 2
    record: {ExtTrainTitle: "Of the proof {{ id }}", ExtTrainPrvID: 249, ExtTrainDuration: 1, CreatedBy: 0}
"#;

const ENABLEY: &str = r#"
version: 1
pipeline: people
connections:
  enabley: {connector: enabley, base_url: "{{ env.ENABLEY_URL }}", client_key: "{{ env.ENABLEY_CLIENT_KEY }}", secret: "{{ env.ENABLEY_SECRET }}"}
  dw: {connector: sqlite, path: dw.db}
sources:
  users: {connection: enabley, stream: users}
"#;
const PARQUET: &str = "sinks: {out: {input: users, connector: parquet, path: people.parquet}}\n";
const APPEND: &str = "sinks: {out: {input: users, connection: dw, table: people}}\n";
const MERGE: &str = "sinks: {out: {input: users, connection: dw, table: people, mode: merge, key: username}}\n";
const LOOK: &str = "{version: 1, pipeline: look, sources: {out: {connector: parquet, path: people.parquet}}, sinks: {x: {input: out, connector: json, path: x.json}}}";

fn world_of(route: &Route) -> Systems {
    let people = if route.systems.contains(&"enabley") { 450 } else { 8 };
    let options = Options { seed: Seed { people, records: 40, ..Seed::default() }, ..Options::default() };
    let mut world = Systems::start(route.systems, &options, Scratch::new());
    world.state = route.on_server.then(towpath_postgres::database);
    let is_whole = route.pipeline.contains("pipeline:");
    let text = if is_whole {
        route.pipeline.replace("HUMAN_FOCUS\n", HUMAN_FOCUS)
    } else {
        format!("{ENABLEY}{}", route.pipeline)
    };
    // A fault that stays ends soon.
    world.scratch.write("job.yaml", format!("{text}\nlimits: {{retries: 2}}\n"));
    let people = if world.has("peoplefluent") { list(&world.books("peoplefluent")["users"], &["id"]) } else { vec![] };
    let person = |id: usize| people.get(id % people.len().max(1)).map_or("", String::as_str);
    let records = (0..60).map(|id| format!("r{id},{},Title {id}\n", person(id)));
    world.scratch.write("records.csv", format!("id,person,title\n{}", records.collect::<String>()));
    world
}

fn lines<T: Into<String>>(lines: impl Iterator<Item = T>) -> Vec<String> {
    let mut lines: Vec<String> = lines.map(Into::into).collect();
    lines.sort();
    lines
}

/// Some members of each of the things in a part of the books.
fn list(things: &Value, members: &[&str]) -> Vec<String> {
    let things: Vec<&Value> = match things {
        Value::Array(things) => things.iter().collect(),
        Value::Object(things) => things.values().collect(),
        _ => Vec::new(),
    };
    let line = |thing: &Value| members.iter().map(|member| thing[*member].to_string()).collect::<Vec<_>>().join(" ");
    lines(things.into_iter().map(line))
}

fn table(world: &Systems) -> Vec<String> {
    let file = world.scratch.at("dw.db");
    let database = Connection::open(file).expect("a database");
    let Ok(mut rows) = database.prepare("SELECT * FROM people") else { return Vec::new() };
    let width = rows.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        (0..width).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<rusqlite::Result<Vec<_>>>()
    };
    lines(rows.query_map([], row).expect("rows").map(|row| row.expect("a row").join(" ")))
}

/// What an undisturbed run leaves, and how long it takes.
static EXPECTED: LazyLock<Vec<(Vec<String>, Duration)>> = LazyLock::new(|| {
    let undisturbed = |route: &Route| {
        let world = world_of(route);
        let ran = world.towpath(JOB).run().ended(0);
        let arrived = (route.arrived)(&world);
        assert!(arrived.len() > 20, "{}: next to nothing arrives", route.name);
        (arrived, ran.took)
    };
    ROUTES.iter().map(undisturbed).collect()
});

/// What came of a trial.
#[derive(Default, Clone, Copy)]
struct Tally {
    trials: usize,
    deaths: usize,
    /// Losses of power.
    losses: usize,
    held: usize,
    lost: usize,
    doubled: usize,
}

/// Has a run die, and every other time power be lost with it; its exit code when it ended before that.
fn die(world: &Systems, rng: &mut Rng, took: Duration, tally: &mut Tally) -> Option<i32> {
    if rng.bool() {
        return die_by(world.towpath(JOB), rng, took);
    }
    let power = Power::supply(&world.scratch);
    let code = die_by(power.under(world.towpath(JOB)), rng, took);
    // What came to its end and is on record is there without power, too.
    power.lose();
    tally.losses += 1;
    code
}

fn die_by(job: Towpath, rng: &mut Rng, took: Duration) -> Option<i32> {
    if rng.bool() {
        let boundary = BOUNDARIES[rng.usize(..BOUNDARIES.len())];
        let death = format!("{boundary}:{}", rng.u64(1..=passes(boundary)));
        let ran = job.env("TOWPATH_DIE_AT", death).run();
        return ran.code;
    }
    let running = job.start();
    // Nothing is waited for here: a death at a moment that has nothing to do with what the run is at is what is tried.
    std::thread::sleep(took.mul_f64(rng.f64()));
    running.signal("KILL");
    running.wait().code
}

/// A trial: deaths, then runs until one comes to its end.
fn trial(seed: usize) -> (usize, Tally, String) {
    let mut rng = Rng::with_seed(seed as u64);
    let at = seed % ROUTES.len();
    let (route, (expected, took)) = (&ROUTES[at], &EXPECTED[at]);
    let world = world_of(route);
    let (system, faults) = route.faults[rng.usize(..route.faults.len())];
    world.system(system).faults().set_text(faults).expect("rules");
    let mut tally = Tally { trials: 1, ..Tally::default() };
    let mut story = format!("trial {seed}: {}, faults {faults:?}", route.name);
    let mut code = None;
    for _ in 0..rng.usize(1..=3) {
        code = die(&world, &mut rng, *took, &mut tally);
        tally.deaths += usize::from(code.is_none());
        writeln!(story, "--- died, or ended with {code:?}").expect("memory");
        // The job is done: another run is another job.
        if code == Some(0) {
            break;
        }
    }
    for _ in 0..6 {
        if code == Some(0) {
            break;
        }
        let ran = world.towpath(JOB).run();
        code = ran.code;
        write!(story, "\n--- ended with {code:?}\n{}", ran.stderr).expect("memory");
        world.system(system).faults().clear();
    }
    let run = world.last_run();
    let nodes = run["nodes"].as_array().expect("nodes");
    tally.held = nodes.iter().filter_map(|node| node["unknown"].as_u64()).sum::<u64>() as usize;
    assert!(code == Some(0) || (code == Some(3) && tally.held > 0), "{story}");
    let arrived = (route.arrived)(&world);
    let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
    expected.iter().for_each(|one| *counts.entry(one).or_default() += 1);
    arrived.iter().for_each(|one| *counts.entry(one).or_default() -= 1);
    let missing: i64 = counts.values().filter(|count| **count > 0).sum();
    let extra: i64 = -counts.values().filter(|count| **count < 0).sum::<i64>();
    tally.doubled = extra as usize;
    let waits = if route.waits && tally.held > 0 { missing as usize } else { tally.held };
    tally.lost = (missing as usize).saturating_sub(waits);
    // Hundreds of databases are gigabytes.
    world.state.iter().for_each(|state| towpath_postgres::drop_database(state));
    (at, tally, story)
}

#[test]
fn whatever_dies_nothing_is_lost_and_nothing_is_doubled() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let seeds: Vec<usize> = match number("TOWPATH_PROOF_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("TOWPATH_PROOF_TRIALS").unwrap_or(SHORT)).collect(),
    };
    LazyLock::force(&EXPECTED);
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new([Tally::default(); ROUTES.len()]));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (route, tally, story) = trial(*seed);
                    let mut tallies = tallies.lock().expect("no panic");
                    let sum = &mut tallies[route];
                    sum.trials += tally.trials;
                    sum.deaths += tally.deaths;
                    sum.losses += tally.losses;
                    sum.held += tally.held;
                    sum.lost += tally.lost;
                    sum.doubled += tally.doubled;
                    if tally.lost + tally.doubled > 0 {
                        let told = format!("{} lost, {} doubled\n{story}", tally.lost, tally.doubled);
                        wrong.lock().expect("no panic").push(told);
                    }
                }
            });
        }
    });
    println!("| sink | trials | deaths | losses of power | lost | doubled | held |\n|---|--:|--:|--:|--:|--:|--:|");
    for (route, tally) in ROUTES.iter().zip(tallies.into_inner().expect("no panic")) {
        let Tally { trials, deaths, losses, held, lost, doubled } = tally;
        println!("| {} | {trials} | {deaths} | {losses} | {lost} | {doubled} | {held} |", route.name);
    }
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
