//! From file to file: what is poured batch by batch is what a stage would have given, and a source that breaks off leaves
//! nothing behind.

use serde_json::Value;
use std::fmt::Write;
use towpath_tests::{Scratch, node};

const RECORDS: usize = 70_000;

const PIPELINE: &str = r#"
version: 1
pipeline: NAME
sources:
  history:
    connector: SOURCE
    path: history.SOURCE
    SETTINGS
    columns: {id: int, person: text, ended: datetime}
transforms:
  kept:
    input: history
    steps:
      - filter: id % 7 != 3
      - map: {id: "{{ id }}", person: "{{ person | trim | lower }}", day: "{{ ended | to_date }}", code: "{{ person | trim | substring(6) | int }}"}
  named:
    input: kept
    steps:
      - set: {label: "{{ person }} {{ day }}"}
sinks:
  out: {input: named, connector: SINK, path: NAME.SINK}
  MORE
"#;

const XML: &str = "records: //record\n    fields: {id: '@id', person: person, ended: ended}";

/// Every so many records something does not fit: a number, a date, what the mapping makes of the person.
fn records() -> impl Iterator<Item = (String, String, String)> {
    (0..RECORDS).map(|number| {
        let id = if number % 9_001 == 5 { "none".to_owned() } else { number.to_string() };
        let person = if number % 10_007 == 9 { " PERSON".to_owned() } else { format!(" Person{number} ") };
        let ended = match number % 8_009 {
            2 => "some day".to_owned(),
            _ if number % 5 == 0 => String::new(),
            _ => format!("20{:02}-0{}-1{}T10:00:00Z", number % 30, 1 + number % 9, number % 10),
        };
        (id, person, ended)
    })
}

fn xml() -> String {
    let mut text = "<list>\n".to_owned();
    for (id, person, ended) in records() {
        writeln!(text, "<record id='{id}'><person>{person}</person><ended>{ended}</ended></record>").expect("text");
    }
    text + "</list>\n"
}

fn pipeline(name: &str, source: &str, settings: &str, sink: &str, more: &str) -> String {
    let text = PIPELINE.replace("NAME", name).replace("SOURCE", source).replace("SETTINGS", settings);
    text.replace("SINK", sink).replace("MORE", more)
}

fn run(scratch: &Scratch, text: &str, code: i32) -> towpath_tests::Ran {
    let file = scratch.write("pipeline.yaml", text);
    scratch.towpath("run").args([file]).run().ended(code)
}

/// Node, field, value and reason of the rejects of the latest run.
fn rejects(scratch: &Scratch) -> Vec<[Value; 5]> {
    let told = |reject: &Value| ["node", "field", "value", "reason", "row"].map(|name| reject[name].clone());
    let mut all: Vec<_> = scratch.rejects().iter().map(told).collect();
    all.sort_by_key(|reject| format!("{reject:?}"));
    all
}

#[test]
fn poured_is_what_staged_would_be() {
    let scratch = Scratch::new();
    scratch.write("history.xml", xml());
    run(&scratch, &pipeline("poured", "xml", XML, "json", ""), 0);
    let (poured, run_poured) = (rejects(&scratch), scratch.last_run());
    // What two nodes read is staged.
    let more = "also: {input: kept, connector: json, path: also.json}";
    run(&scratch, &pipeline("staged", "xml", XML, "json", more), 0);
    let (staged, run_staged) = (rejects(&scratch), scratch.last_run());

    let out = scratch.read("poured.json");
    assert!(out.lines().count() > RECORDS / 2, "a test worth its name");
    assert_eq!(out, scratch.read("staged.json"));
    assert!(poured.len() > 10, "{poured:#?}");
    assert_eq!(poured, staged);
    for name in ["history", "kept", "named", "out"] {
        for figure in ["rows_in", "rows_out", "filtered", "rejected"] {
            let of = |run: &Value| node(run, name)[figure].clone();
            assert_eq!(of(&run_poured), of(&run_staged), "{figure} of {name}");
        }
    }
}

#[test]
fn parquet_holds_what_was_poured() {
    let scratch = Scratch::new();
    scratch.write("history.xml", xml());
    run(&scratch, &pipeline("poured", "xml", XML, "json", ""), 0);
    run(&scratch, &pipeline("packed", "xml", XML, "parquet", ""), 0);
    let back = "version: 1\npipeline: back\nsources: {packed: {connector: parquet, path: packed.parquet}}\n\
        sinks: {out: {input: packed, connector: json, path: back.json}}\n";
    run(&scratch, back, 0);
    assert_eq!(scratch.read("back.json"), scratch.read("poured.json"));
}

#[test]
fn a_source_that_breaks_off_leaves_what_was_there() {
    let scratch = Scratch::new();
    let text = xml();
    scratch.write("history.xml", &text[..text.len() - 20]);
    for (sink, before) in [("json", "old"), ("parquet", "old"), ("csv", "old")] {
        let file = format!("broken.{sink}");
        scratch.write(&file, before);
        let ran = run(&scratch, &pipeline("broken", "xml", XML, sink, ""), 1);
        assert!(ran.stderr.contains("history.xml, line 7000"), "{}", ran.stderr);
        assert_eq!(scratch.read(&file), before);
    }
    let left = scratch.files().into_iter().filter(|file| file.extension().is_some_and(|suffix| suffix == "part"));
    assert_eq!(left.count(), 0, "nothing half written stays");
}

/// The first rows of a CSV file are looked at before it is scanned; this one is wrong far behind them.
#[test]
fn a_scan_that_takes_a_wrong_file_for_a_right_one_leaves_what_was_there() {
    let scratch = Scratch::new();
    let mut text = "id,person,ended\n".to_owned();
    let long = "x".repeat(200);
    for number in 0..100_000 {
        writeln!(text, "{number},Person{number}{long},").expect("text");
    }
    text.push_str("1,2\n");
    scratch.write("history.csv", text);
    scratch.write("wrong.json", "old");
    let text = pipeline("wrong", "csv", "", "json", "").replace(" | trim | substring(6) | int", "");
    let ran = run(&scratch, &text, 1);
    assert!(ran.stderr.contains("history.csv, line 100002: 2 fields, expected 3"), "{}", ran.stderr);
    assert_eq!(scratch.read("wrong.json"), "old");
}
