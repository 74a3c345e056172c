//! The sources of the repository, as the rules of the house see them.

use crate::repository;
use std::path::{Path, PathBuf};

/// A Rust source file.
#[derive(Debug)]
pub struct Source {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// Every Rust file of the repository.
pub fn sources() -> Vec<Source> {
    let root = repository();
    let mut found = Vec::new();
    for folder in ["engine", "connectors", "tests", "benches"] {
        collect(&root, &root.join(folder), &mut found);
    }
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            found.push(Source { path: path.strip_prefix(root).expect("below the root").to_owned(), text });
        }
    }
}

/// Lines that are neither empty nor comments.
pub fn code_lines(text: &str) -> usize {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}
