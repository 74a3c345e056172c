//! Steps over more rows than memory holds give what they give in memory, row by row and in the same order.

use std::fmt::Write;
use towpath_tests::Scratch;

/// Rows of the larger input: some batches of them.
const ROWS: u64 = 60_000;

/// A number that looks like chance and is the same at every run.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

/// People with keys that repeat, are missing, and differ only in how they are written.
fn people() -> String {
    let mut out = String::from("id,team,score,name\n");
    for id in 0..ROWS {
        let chance = mixed(id);
        let team = if chance.is_multiple_of(11) { String::new() } else { format!("team {}", chance % 30_000) };
        let score = match chance % 7 {
            0 => String::new(),
            1 => "0.0".into(),
            2 => "-0.0".into(),
            3 => "nan".into(),
            other => format!("{}.{}", chance % 5_000, other),
        };
        writeln!(out, "{id},{team},{score},{}", if chance.is_multiple_of(5) { "Ångström" } else { "b" })
            .expect("a line");
    }
    out
}

/// Teams: some of them twice, some nobody is in.
fn teams() -> String {
    let mut out = String::from("team,boss\n");
    for at in 0..40_000_u64 {
        let team = if at.is_multiple_of(97) { String::new() } else { format!("team {}", mixed(at) % 36_000) };
        writeln!(out, "{team},{at}").expect("a line");
    }
    out
}

const STEPS: [(&str, &str); 12] = [
    ("by text", "aggregate: {by: [team], values: {n: count(), total: sum(id), best: max(score), names: collect(id)}}"),
    ("by float", "aggregate: {by: [score], values: {n: count(), first: first(id), last: last(id)}}"),
    ("by two", "aggregate: {by: [team, name], values: {n: count(), some: count_distinct(score)}}"),
    ("distinct rows", "distinct: {on: []}"),
    ("distinct first", "distinct: {on: [team]}"),
    ("distinct last", "distinct: {on: [team, name], keep: last}"),
    ("distinct by order", "distinct: {on: [team], order_by: [-score, name, id]}"),
    ("sort", "sort: [name, -team, score]"),
    ("inner", "join: {with: teams, on: [team], how: inner}"),
    ("left", "join: {with: teams, on: [team], how: left}"),
    ("full", "join: {with: teams, on: [team], how: full}"),
    ("anti", "join: {with: teams, on: [team], how: anti}"),
];

fn pipeline(step: &str, limits: &str, out: &str) -> String {
    let step = step.replace("distinct: {on: []}", "distinct: {}");
    format!(
        "version: 1
pipeline: out-of-core
{limits}sources:
  people:
    connector: csv
    path: people.csv
    columns: {{id: int, team: text, score: float, name: text}}
  teams: {{connector: csv, path: teams.csv, columns: {{team: text, boss: int}}}}
transforms:
  done:
    input: people
    steps:
      - {step}
sinks:
  out: {{input: done, connector: json, path: {out}}}
"
    )
}

#[test]
fn in_parts_and_in_memory_are_the_same() {
    let scratch = Scratch::new();
    scratch.write("people.csv", people());
    scratch.write("teams.csv", teams());
    for (name, step) in STEPS {
        scratch.write("memory.yaml", pipeline(step, "", "memory.jsonl"));
        scratch.write("parts.yaml", pipeline(step, "limits: {memory: 2MiB}\n", "parts.jsonl"));
        scratch.towpath("run memory.yaml").run().ended(0);
        let ran = scratch.towpath("run parts.yaml").run().ended(0);
        assert!(ran.stderr.contains("in parts on disk"), "{name}: it was done in memory\n{}", ran.stderr);
        let (memory, parts) = (scratch.read("memory.jsonl"), scratch.read("parts.jsonl"));
        let differs = memory.lines().zip(parts.lines()).position(|(memory, parts)| memory != parts);
        if let Some(at) = differs {
            let line = |text: &str| text.lines().nth(at).unwrap_or_default().to_owned();
            panic!("{name}: line {} is\n{}\nin memory and in parts\n{}", at + 1, line(&memory), line(&parts));
        }
        assert_eq!(memory.lines().count(), parts.lines().count(), "{name}");
        assert!(memory.lines().count() > 1_000, "{name}: hardly anything came out");
    }
}
