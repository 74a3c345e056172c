//! Every example is run in a copy of its folder and writes what its `expected` folder says.

use std::path::{Path, PathBuf};
use towpath_tests::{Scratch, expected_files, repository};

/// Where a Parquet file is expected, its rows are written down as JSON lines.
const ROWS_OF_PARQUET: &str = ".parquet.jsonl";

fn examples() -> Vec<PathBuf> {
    let folder = repository().join("examples");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("pipeline.yaml").is_file())
        .collect();
    found.sort();
    found
}

/// Pipelines that talk to a system run against its stand-in.
fn talks_to_a_system(pipeline: &str) -> bool {
    towpath_sandbox::names().iter().any(|name| pipeline.contains(&format!("connector: {name}")))
}

/// Writes the rows of a Parquet file beside it.
fn write_rows(scratch: &Scratch, file: &str) -> Result<(), String> {
    scratch.write(
        "rows.yaml",
        format!(
            "version: 1\npipeline: rows\nsources:\n  in: {{connector: parquet, path: \"{file}\"}}\nsinks:\n  out: {{input: \
             in, connector: json, path: \"{file}.jsonl\"}}\n"
        ),
    );
    let ran = scratch.run("run rows.yaml --state rows-state");
    if ran.code == Some(0) { Ok(()) } else { Err(ran.stderr) }
}

fn wrong(example: &Path) -> Vec<String> {
    let scratch = Scratch::copy_of(example);
    let expected = example.join("expected");
    std::fs::remove_dir_all(scratch.at("expected")).ok();
    // What an earlier run by hand left in the folder proves nothing.
    std::fs::remove_dir_all(scratch.at("out")).ok();
    std::fs::remove_dir_all(scratch.at(".towpath")).ok();
    let sandbox = if talks_to_a_system(&scratch.read("pipeline.yaml")) { "--sandbox" } else { "" };
    let validated = scratch.run("validate pipeline.yaml");
    if validated.code != Some(0) {
        return vec![format!("is not valid\n{}", validated.stderr)];
    }
    for time in ["first", "second"] {
        let ran = scratch.run(&format!("run pipeline.yaml {sandbox}"));
        if ran.code != Some(0) {
            return vec![format!("the {time} run ended with {:?}\n{}", ran.code, ran.stderr)];
        }
        let mut wrong = Vec::new();
        for file in Scratch::copy_of(&expected).files() {
            let name = file.to_string_lossy();
            if let Some((_, end)) = name.split_once("/out/").filter(|(_, end)| end.ends_with(ROWS_OF_PARQUET)) {
                let parquet = format!("out/{}", end.trim_end_matches(".jsonl"));
                wrong.extend(write_rows(&scratch, &parquet).err());
            }
        }
        // A second run delivers nothing anew, so what it writes about its deliveries differs.
        if time == "first" {
            wrong.extend(expected_files(&expected, &scratch).differences);
        }
        if !wrong.is_empty() {
            return wrong;
        }
    }
    Vec::new()
}

#[test]
fn every_example_writes_what_it_says() {
    let examples = examples();
    assert!(examples.len() >= 4, "the four lessons: {examples:?}");
    let mut failed = Vec::new();
    for example in examples {
        assert!(example.join("expected").is_dir(), "{} says what it writes", example.display());
        assert!(example.join("README.md").is_file(), "{} says what it teaches", example.display());
        let wrong = wrong(&example);
        if !wrong.is_empty() {
            failed.push(format!("{}:\n{}", example.display(), wrong.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
