//! Documents nobody would write: read to a document or to diagnostics with places in the text, soon and without a panic.
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use std::path::PathBuf;
use towpath_fuzz::{damaged, fuzz, soup};
use towpath_spec::definition::decode_definition;
use towpath_spec::document::{read_pipeline, read_project};
use towpath_spec::{Files, parse_yaml, render_github, render_human, render_json};

const PIECES: &[&str] = &[
    "version: 1\n",
    "pipeline: p\n",
    "project: p\n",
    "connector: c\n",
    "sources:\n",
    "transforms:\n",
    "sinks:\n",
    "steps:\n",
    "config:\n",
    "streams:\n",
    "  ",
    "    ",
    "\n",
    "\t",
    "- ",
    ": ",
    ":",
    "a:",
    "b: ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!int ",
    "!x ",
    "| \n",
    "> \n",
    "'",
    "\"",
    "{{ x }}",
    "{% if %}",
    "# c\n",
    "---\n",
    "...\n",
    "? ",
    "%YAML 1.2\n",
    "1e999",
    "0x1F",
    "null",
    "~",
    "true",
    ".inf",
    "12345678901234567890123",
    "x-a: ",
    "\\",
    "\u{feff}",
    "\r\n",
    "\0",
    "ü",
    "filter: a > 1\n",
    "input: a\n",
    "key: [a]\n",
    "limits: {memory: 1GB}\n",
    "P1DT2H",
    "10%",
];

fn documents() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for folder in ["pipelines", "connectors/definitions", "engine/plan/tests/cases"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                texts.push(std::fs::read_to_string(path).unwrap().chars().take(6_000).collect());
            }
        }
    }
    assert!(texts.len() > 10);
    texts
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let mut files = Files::new();
    let id = files.add("fuzz.yaml", text);
    let (pipeline, mut problems) = read_pipeline(&files, id);
    prop_assert!(pipeline.is_some() || !problems.is_empty(), "neither a document nor a reason");
    problems.extend(read_project(&files, id).1);
    if let Ok(tree) = parse_yaml(&files, id) {
        decode_definition(id, &tree, &mut problems);
    }
    for problem in &problems {
        let place = &text[problem.span.start..problem.span.end];
        prop_assert!(place.len() <= text.len());
        prop_assert!(!problem.message.is_empty());
    }
    problems.truncate(20);
    render_human(&files, &problems, true);
    render_json(&files, &problems);
    render_github(&files, &problems);
    Ok(())
}

#[test]
fn fuzz_documents_of_pieces() {
    fuzz("documents of pieces", 1_500, soup(PIECES, 60), |text| check(&text));
}

#[test]
fn fuzz_documents_that_are_damaged() {
    fuzz("damaged documents", 100, damaged(documents()), |text| check(&text));
}
