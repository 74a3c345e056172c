//! Every file of `tests/cases` and what is said about it.
//!
//! The expected text stands beside each file and is rewritten by
//! `UPDATE_EXPECTED=1 cargo test -p towpath-spec --test cases`. Files named `project-*` are read as projects.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use towpath_spec::document::{read_pipeline, read_project};
use towpath_spec::{Diagnostic, Files, codes, render_human};

/// Codes of inputs that are made, not written: see `hostile.rs`.
const GENERATED: [&str; 5] =
    [codes::FILE_TOO_LARGE, codes::CONTROL_CHARACTER, codes::TOO_DEEP, codes::TOO_MANY_NODES, codes::TOO_MANY_PROBLEMS];

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).expect("the folder of cases");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
}

fn problems(path: &Path) -> (Files, Vec<Diagnostic>) {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let mut files = Files::new();
    let id = files.add(name, std::fs::read_to_string(path).expect("a case"));
    let problems = if name.starts_with("project") { read_project(&files, id).1 } else { read_pipeline(&files, id).1 };
    (files, problems)
}

#[test]
fn every_case_is_told_what_is_expected() {
    let mut wrong = Vec::new();
    for path in cases() {
        let (files, problems) = problems(&path);
        let found = render_human(&files, &problems, false);
        let expected_at = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected_at, &found).expect("write");
        }
        let expected = std::fs::read_to_string(&expected_at).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_of_this_crate_has_a_case() {
    let seen: HashSet<&str> = cases().iter().flat_map(|path| problems(path).1).map(|problem| problem.code).collect();
    let ours = codes::ALL.iter().filter(|entry| entry.by == "spec").map(|entry| entry.code);
    let missing: Vec<&str> = ours.filter(|code| !seen.contains(code) && !GENERATED.contains(code)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn every_problem_points_into_the_file() {
    for path in cases() {
        let (files, problems) = problems(&path);
        assert!(!problems.is_empty(), "{}: nothing wrong with it", path.display());
        for problem in problems {
            let text = &files.get(problem.span.file).expect("the file").text;
            assert!(text.get(problem.span.start..problem.span.end).is_some(), "{}: {problem:?}", path.display());
            assert!(!problem.message.ends_with('.'), "{}: {}", path.display(), problem.message);
        }
    }
}
