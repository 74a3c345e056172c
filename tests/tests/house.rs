//! The order of the house: which crate may know which, and how files look.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use towpath_tests::{code_lines, repository, sources};

/// The crates of the product with those each may depend on, in the order of the design.
const ORDER: &[(&str, &[&str])] = &[
    ("towpath-spec", &[]),
    ("towpath-mapping", &["towpath-spec"]),
    ("towpath-connector", &["towpath-spec", "towpath-mapping"]),
    // Plan knows the contract but no connector.
    ("towpath-plan", &["towpath-spec", "towpath-mapping", "towpath-connector"]),
    ("towpath-state", &["towpath-spec", "towpath-mapping", "towpath-connector", "towpath-plan"]),
    ("towpath-run", &["towpath-spec", "towpath-mapping", "towpath-connector", "towpath-plan", "towpath-state"]),
    // A connector of its own, and runs carried out with it.
    (
        "towpath-simulation",
        &["towpath-spec", "towpath-mapping", "towpath-connector", "towpath-plan", "towpath-state", "towpath-run"],
    ),
    ("towpath-files", &["towpath-spec", "towpath-mapping", "towpath-connector"]),
    ("towpath-databases", &["towpath-spec", "towpath-mapping", "towpath-connector", "towpath-files"]),
    ("towpath-http", &["towpath-spec", "towpath-mapping", "towpath-connector", "towpath-files"]),
    ("towpath-fuzz", &[]),
    ("towpath-postgres", &[]),
    ("towpath-openapi", &[]),
    ("towpath-sandbox", &[]),
];
/// Whoever puts the pieces together: these may depend on all of the above, and nothing depends on them.
const TOP: &[&str] = &["towpath", "towpath-tests", "towpath-benches"];
const MOST_CODE_LINES: usize = 500;
/// Names that say nothing about what is in them.
const NO_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

/// Package name → names of the workspace's packages it depends on, tests' own dependencies left out.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(args).current_dir(repository()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let of = |package: &Value| -> Vec<String> {
        let all = package["dependencies"].as_array().expect("dependencies").iter();
        all.filter(|dependency| dependency["path"].is_string() && dependency["kind"] != "dev")
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    packages.iter().map(|package| (text(&package["name"]), of(package))).collect()
}

#[test]
fn a_crate_depends_only_on_those_before_it() {
    let mut wrong = Vec::new();
    for (package, depends) in dependencies() {
        let allowed: Vec<&str> = match ORDER.iter().find(|(name, _)| *name == package) {
            Some((_, allowed)) => allowed.to_vec(),
            None if TOP.contains(&package.as_str()) => ORDER.iter().map(|(name, _)| *name).collect(),
            None => {
                wrong.push(format!("{package} has no place in the order of the house: give it one"));
                continue;
            }
        };
        let too_far = depends.iter().filter(|dependency| !allowed.contains(&dependency.as_str()));
        wrong.extend(too_far.map(|dependency| format!("{package} depends on {dependency}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_of_the_order_exists() {
    let found = dependencies();
    for name in ORDER.iter().map(|(name, _)| name).chain(TOP) {
        assert!(found.contains_key(*name), "{name} is not in the workspace");
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for source in sources() {
        let path = source.path.display();
        let lines = code_lines(&source.text);
        if lines > MOST_CODE_LINES {
            wrong.push(format!("{path} has {lines} lines of code, more than {MOST_CODE_LINES}"));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("{path} does not open with `//!`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_say_what_is_inside() {
    let mut wrong = Vec::new();
    for source in sources() {
        for part in source.path.iter() {
            let name = part.to_string_lossy();
            let name = name.strip_suffix(".rs").unwrap_or(&name);
            if NO_NAMES.contains(&name) {
                wrong.push(format!("{} is named {name}", source.path.display()));
            }
        }
        let inline = source.text.lines().filter_map(|line| {
            let line = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            line.strip_prefix("mod ")?.split([' ', ';', '{']).next()
        });
        let inline = inline.filter(|name| NO_NAMES.contains(name));
        wrong.extend(inline.map(|name| format!("{} declares a module {name}", source.path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comments_are_not_counted_as_code() {
    assert_eq!(code_lines("//! what\n\nfn f() {\n    // why\n    g();\n}\n"), 3);
}
