//! A folder that is gone after the test.

use crate::{Ran, Towpath};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder for the files and the state of one test.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("towpath-test-").tempdir().expect("a temporary folder") }
    }

    /// One with a copy of a folder's files.
    pub fn copy_of(folder: &Path) -> Self {
        let scratch = Self::new();
        copy(folder, scratch.path());
        scratch
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Writes a file; folders are made.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.at(path);
        std::fs::create_dir_all(file.parent().expect("a file in a folder")).expect("folders are made");
        std::fs::write(&file, content).expect("a file is written");
        file
    }

    /// Reads a file as text.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let file = self.at(path);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The command with its working directory here; state is kept in `.towpath`.
    pub fn towpath(&self, line: &str) -> Towpath {
        Towpath::in_folder(self.path()).line(line)
    }

    /// Runs a command line here.
    pub fn run(&self, line: &str) -> Ran {
        self.towpath(line).run()
    }

    /// The record of the latest run.
    #[track_caller]
    pub fn last_run(&self) -> Value {
        self.run("runs show last --format json").ended(0).json_lines().remove(0)
    }

    /// The rejects of the latest run.
    #[track_caller]
    pub fn rejects(&self) -> Vec<Value> {
        self.run("rejects list last --all --limit 1000000 --format json").ended(0).json_lines()
    }

    /// Every file here, at any depth.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files(self.path(), &mut found);
        found
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folders are made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { std::fs::copy(&from, &to).map(drop).expect("a file is copied") }
    }
}
