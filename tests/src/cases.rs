//! Cases kept as files: a folder or a file a case, outputs compared with what is kept beside them.

use crate::{Scratch, repository};
use std::path::{Path, PathBuf};

/// Set to anything, it has outputs written over what was expected instead of compared with it.
const REWRITE: &str = "TOWPATH_REWRITE_EXPECTED";

/// What is in a folder of this crate's cases, sorted. None at all is a mistake in the path.
pub fn case_files(folder: &str) -> Vec<PathBuf> {
    let folder = repository().join("tests/cases").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    assert!(!found.is_empty(), "{} holds no cases", folder.display());
    found
}

/// Files that were expected, and how those that came out differ.
#[derive(Debug, Default)]
pub struct Expected {
    /// One sentence for each difference.
    pub differences: Vec<String>,
}

/// Compares every file of an `expected` folder with the one of the same path in a scratch folder.
pub fn expected_files(expected: &Path, found: &Scratch) -> Expected {
    let mut out = Expected::default();
    let rewrite = std::env::var_os(REWRITE).is_some();
    for file in files_below(expected) {
        let name = file.strip_prefix(expected).expect("below the folder").to_string_lossy().into_owned();
        let came = std::fs::read(found.at(&name));
        if rewrite {
            std::fs::write(&file, came.unwrap_or_else(|error| panic!("{name}: {error}"))).expect("rewritten");
            continue;
        }
        let wanted = std::fs::read(&file).expect("an expected file");
        match came {
            Err(error) => out.differences.push(format!("{name}: {error}")),
            Ok(came) if came != wanted => out.differences.push(format!(
                "{name} differs\n--- expected\n{}\n--- found\n{}",
                String::from_utf8_lossy(&wanted),
                String::from_utf8_lossy(&came)
            )),
            Ok(_) => {}
        }
    }
    out
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
