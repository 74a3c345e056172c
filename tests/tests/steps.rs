//! Every step of a transform: rows in, rows and rejects out, and every row accounted for.
//!
//! The cases are in `tests/cases/steps`, one file a step. Rows go in as JSON lines with declared columns; every expected
//! node gets a sink of its own, so that nodes with several readers are among them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use towpath_tests::{Scratch, case_files, node, repository};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    inputs: BTreeMap<String, Input>,
    transforms: serde_yaml::Value,
    /// Rows of nodes, in order.
    #[serde(default)]
    expect: BTreeMap<String, Vec<Map<String, Value>>>,
    /// The order of rows is not promised.
    #[serde(default)]
    unordered: bool,
    /// Rejects of nodes: those facts of each that matter. Nodes that are not named have none.
    #[serde(default)]
    rejects: BTreeMap<String, Vec<Map<String, Value>>>,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    says: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// In the order of the file.
    columns: serde_yaml::Mapping,
    rows: Vec<Value>,
}

impl Case {
    fn write(&self, scratch: &Scratch) {
        let mut sources = serde_yaml::Mapping::new();
        for (name, input) in &self.inputs {
            let lines: String = input.rows.iter().map(|row| format!("{row}\n")).collect();
            scratch.write(&format!("in/{name}.jsonl"), lines);
            let source = json!({"connector": "json", "path": format!("in/{name}.jsonl")});
            let mut source: serde_yaml::Mapping = yaml(source);
            source.insert("columns".into(), input.columns.clone().into());
            sources.insert(name.as_str().into(), source.into());
        }
        let mut sinks = serde_yaml::Mapping::new();
        let nodes: Vec<&str> = match self.expect.is_empty() {
            true => vec!["out"],
            false => self.expect.keys().map(String::as_str).collect(),
        };
        for name in nodes {
            let sink = json!({"input": name, "connector": "json", "path": format!("out/{name}.jsonl")});
            sinks.insert(format!("write_{name}").into(), yaml::<serde_yaml::Mapping>(sink).into());
        }
        let mut pipeline = yaml::<serde_yaml::Mapping>(json!({"version": 1, "pipeline": "case"}));
        pipeline.insert("sources".into(), sources.into());
        pipeline.insert("transforms".into(), self.transforms.clone());
        pipeline.insert("sinks".into(), sinks.into());
        scratch.write("case.yaml", serde_yaml::to_string(&pipeline).expect("YAML"));
    }

    fn wrong(&self) -> Vec<String> {
        let scratch = Scratch::new();
        self.write(&scratch);
        let ran = scratch.run("run case.yaml");
        let mut wrong = Vec::new();
        if ran.code != Some(self.exit) {
            return vec![format!("ended with {:?}, not {}\n{}", ran.code, self.exit, ran.stderr)];
        }
        let silent = self.says.iter().filter(|words| !ran.stderr.contains(words.as_str()));
        wrong.extend(silent.map(|words| format!("does not say {words:?}\n{}", ran.stderr)));
        if self.exit != 0 {
            let written = scratch.files().iter().filter(|file| file.starts_with(scratch.at("out"))).count();
            if written > 0 {
                wrong.push(format!("{written} files were written by a run that failed"));
            }
            return wrong;
        }
        for (name, expected) in &self.expect {
            wrong.extend(self.rows_wrong(name, expected, &scratch.read(&format!("out/{name}.jsonl"))));
        }
        wrong.extend(self.rejects_wrong(&scratch.rejects()));
        wrong.extend(books_wrong(&scratch.last_run(), self));
        wrong
    }

    fn rows_wrong(&self, name: &str, expected: &[Map<String, Value>], text: &str) -> Option<String> {
        // As text, so that the order of columns counts.
        let expected: Vec<String> = expected.iter().map(|row| Value::Object(row.clone()).to_string()).collect();
        let mut wanted: Vec<&str> = expected.iter().map(String::as_str).collect();
        let mut found: Vec<&str> = text.lines().collect();
        if self.unordered {
            wanted.sort_unstable();
            found.sort_unstable();
        }
        (wanted != found).then(|| {
            format!(
                "`{name}` differs\n  expected:\n    {}\n  found:\n    {}",
                wanted.join("\n    "),
                found.join("\n    ")
            )
        })
    }

    fn rejects_wrong(&self, found: &[Value]) -> Vec<String> {
        let mut left: Vec<&Value> = found.iter().collect();
        let mut wrong = Vec::new();
        for (name, expected) in &self.rejects {
            for facts in expected {
                let fits = |reject: &&Value| {
                    reject["node"] == name.as_str() && facts.iter().all(|(fact, value)| reject[fact] == *value)
                };
                match left.iter().position(fits) {
                    Some(at) => drop(left.remove(at)),
                    None => wrong.push(format!("no reject of `{name}` with {}", Value::Object(facts.clone()))),
                }
            }
        }
        wrong.extend(left.iter().map(|reject| format!("a reject nobody expected: {reject}")));
        wrong
    }
}

/// The books of every node: each row that came in went somewhere, and what was counted is what is there.
fn books_wrong(run: &Value, case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    for report in run["nodes"].as_array().expect("nodes") {
        let count = |name: &str| report[name].as_u64().expect("a count");
        let went: u64 = ["rows_out", "filtered", "rejected", "merged", "skipped", "unknown"].map(count).iter().sum();
        if count("rows_in") + count("added") != went {
            wrong.push(format!("the books do not balance: {report}"));
        }
        let name = report["node"].as_str().expect("a name");
        let rejects = case.rejects.get(name).map_or(0, Vec::len) as u64;
        if count("rejected") != rejects {
            wrong.push(format!("{rejects} rejects were expected of `{name}`, {} are booked", count("rejected")));
        }
    }
    for (name, rows) in &case.expect {
        for (report, counter) in [(format!("write_{name}"), "rows_out"), (name.clone(), "rows_out")] {
            let booked = &node(run, &report)[counter];
            if *booked != rows.len() {
                wrong.push(format!("`{report}` booked {booked} rows out, {} came", rows.len()));
            }
        }
    }
    wrong
}

fn yaml<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_yaml::from_value(serde_yaml::to_value(value).expect("YAML")).expect("the shape")
}

fn carry_out(step: &str) {
    let file = repository().join(format!("tests/cases/steps/{step}.yaml"));
    let text = std::fs::read_to_string(&file).expect("the cases");
    let cases: Vec<Case> = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in &cases {
        let found = case.wrong();
        wrong.extend(found.iter().map(|words| format!("{step}: {}: {words}", case.case)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A test for each file, so that they run side by side, and one that all files have a test.
macro_rules! steps {
    ($($step:ident)*) => {
        $(#[test] fn $step() { carry_out(stringify!($step)); })*

        #[test]
        fn every_file_of_cases_is_carried_out() {
            let names: Vec<String> = case_files("steps").iter().map(|file| stem(file)).collect();
            let mut tested = vec![$(stringify!($step)),*];
            tested.sort_unstable();
            assert_eq!(names, tested);
        }
    };
}

fn stem(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}

steps! {
    aggregate asof cast check columns distinct explode filter join limit map nodes pivot set sort sql union unnest unpivot window
}
