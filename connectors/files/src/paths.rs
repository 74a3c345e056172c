//! From the `path` of a source to files.

use std::path::{Path, PathBuf};
use towpath_connector::{Error, Problem, Result};

/// The files a path or glob means, sorted by name; hidden files only when they are named.
///
/// # Errors
/// The path is a folder or no valid pattern. No file at all is no error here.
pub(crate) fn find(base: &Path, written: &str) -> std::result::Result<Vec<PathBuf>, Problem> {
    let problem = |message: String| Problem::with("path", message);
    let path = base.join(written);
    if path.is_dir() {
        return Err(problem(format!("`{written}` is a folder, expected a file"))
            .help(format!("name the files in it, e.g. `{}/*`", written.trim_end_matches('/'))));
    }
    if path.exists() || !is_pattern(written) {
        return Ok(path.exists().then_some(path).into_iter().collect());
    }
    let pattern = if Path::new(written).is_absolute() {
        written.to_owned()
    } else {
        format!("{}/{written}", glob::Pattern::escape(&base.to_string_lossy()))
    };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let found = glob::glob_with(&pattern, options)
        .map_err(|error| problem(format!("`{written}` is no valid pattern: {error}")))?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|error| problem(format!("`{written}`: {error}")))?;
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_pattern(written: &str) -> bool {
    written.contains(['*', '?', '['])
}

/// What to say when there is no file.
pub(crate) fn none_found(base: &Path, written: &str) -> Problem {
    let message = if is_pattern(written) {
        format!("no file matches `{written}` in {}", base.display())
    } else {
        format!("there is no file `{written}` in {}", base.display())
    };
    Problem::with("path", message).help(
        "check the path; it starts from the project's folder, or from the pipeline's own where there is no project",
    )
}

/// Problems as one error of the user's.
pub(crate) fn error(problems: &[Problem]) -> Error {
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let error = Error::user(messages.join("; "));
    match problems.iter().find_map(|problem| problem.help.clone()) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The size of all files in bytes.
pub(crate) fn size(files: &[PathBuf]) -> Option<u64> {
    files.iter().map(|file| std::fs::metadata(file).ok().map(|data| data.len())).sum()
}

/// A path as Polars takes it.
pub(crate) fn for_polars(path: &Path) -> Result<polars::prelude::PlRefPath> {
    match path.to_str() {
        Some(text) => Ok(polars::prelude::PlRefPath::new(text)),
        None => Err(Error::user(format!("the path {} is not UTF-8", path.display()))),
    }
}
