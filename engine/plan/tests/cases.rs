//! Pipelines that are wrong in one way each, and what is said about them.
//!
//! A case is `tests/cases/NAME.yaml`, with macros in `NAME.jinja` where it has some, and what the planner says of it in `NAME.expected`; `UPDATE_EXPECTED=1` rewrites
//! the latter, to be reviewed by eye.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use towpath_connector::Registry;
use towpath_plan::{Documents, Plan, build};
use towpath_spec::document::read_pipeline;
use towpath_spec::render::render_human;
use towpath_spec::{Diagnostic, Files, Span, Text, codes};

fn registry() -> Registry {
    let mut registry = Registry::new();
    towpath_files::connectors().into_iter().for_each(|connector| registry.register(connector));
    towpath_databases::connectors().into_iter().for_each(|connector| registry.register(connector));
    towpath_http::builtin().into_iter().for_each(|connector| registry.register(connector));
    registry
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .collect();
    cases.sort();
    cases
}

fn plan(path: &Path, registry: &Registry) -> (Files, Option<Plan>, Vec<Diagnostic>) {
    let mut files = Files::new();
    let name = path.file_name().expect("a name").to_owned();
    let id = files.add(PathBuf::from(name), std::fs::read_to_string(path).expect("a case"));
    let macros: Vec<Text> = std::fs::read_to_string(path.with_extension("jinja"))
        .into_iter()
        .map(|text| {
            let id = files.add(PathBuf::from(path.with_extension("jinja").file_name().expect("a name")), text.as_str());
            let span = Span::new(id, 0, text.len());
            Text::new(text, span)
        })
        .collect();
    let (pipeline, mut problems) = read_pipeline(&files, id);
    let pipeline = pipeline.expect("a pipeline that can be read");
    // `given` stands for parameters of the command line.
    let given = BTreeMap::from([("given".to_owned(), "abc".to_owned())]);
    let none = BTreeMap::new();
    let params = if path.ends_with("params.yaml") { &given } else { &none };
    // Relative, so that what is said is the same everywhere: tests run in the folder of their crate.
    let base = PathBuf::from("tests/cases");
    let environment = path.ends_with("unknown-environment.yaml").then_some("prod");
    let documents = Documents {
        files: &files,
        project: None,
        pipeline: &pipeline,
        environment,
        params,
        base: &base,
        macros: &macros,
        outside: None,
    };
    let (plan, found) = build(&documents, registry);
    problems.extend(found);
    if let Some(plan) = &plan {
        problems.extend(plan.blocked.iter().filter(|blocked| blocked.code == codes::MISSING_PARAM).cloned());
    }
    (files, plan, problems)
}

#[test]
fn what_is_said_is_what_is_expected() {
    let registry = registry();
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (files, _, problems) = plan(&case, &registry);
        let said = render_human(&files, &problems, false);
        let expected = case.with_extension("expected");
        if update {
            std::fs::write(&expected, &said).expect("written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}

#[test]
fn every_code_of_the_planner_has_a_case() {
    let registry = registry();
    let met: BTreeSet<&str> =
        cases().iter().flat_map(|case| plan(case, &registry).2).map(|problem| problem.code).collect();
    // No connector without sources exists so far; xml is the one without sinks.
    let exempt = [codes::CANNOT_READ];
    let missing: Vec<&str> = codes::ALL
        .iter()
        .filter(|entry| entry.by == "plan" && !met.contains(entry.code) && !exempt.contains(&entry.code))
        .map(|entry| entry.code)
        .collect();
    assert!(missing.is_empty(), "no case triggers {missing:?}");
}

#[test]
fn errors_leave_no_plan_and_warnings_do() {
    let registry = registry();
    for case in cases() {
        let (_, plan, problems) = plan(&case, &registry);
        let blocked = problems.iter().any(|problem| problem.is_error() && problem.code != codes::MISSING_PARAM);
        assert_eq!(plan.is_none(), blocked, "{}", case.display());
    }
}

#[test]
fn columns_flow_through_every_step() {
    let (files, plan, problems) = plan(&folder().join("all-steps.yaml"), &registry());
    assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
    let plan = plan.expect("a plan");
    let columns = |node: &str| -> Vec<String> {
        let schema = plan.node(node).and_then(|node| node.schema.clone()).expect("columns");
        schema
            .fields
            .iter()
            .map(|field| format!("{}: {}{}", field.name, field.ty, if field.nullable { "?" } else { "" }))
            .collect()
    };
    assert_eq!(columns("people"), ["id: int?", "name: text?", "city: text?", "joined: date?", "tags: text?"]);
    assert_eq!(columns("shaped"), ["key: text?", "name: text", "joined: date?", "tag: text?"]);
    assert_eq!(
        columns("joined"),
        ["id: int?", "name: text?", "city: text?", "joined: date?", "tags: text?", "name_right: text?"]
    );
    assert_eq!(columns("grouped"), ["city: text?", "people: int", "last: date?", "names: list<text>"]);
    assert_eq!(columns("both"), ["city: text?", "people: int?", "last: date?", "names: list<text>?", "n: int?"]);
    assert_eq!(columns("over_many_rows"), ["id: int?", "city: text?", "known: text", "earlier: text?", "name: text"]);
}
