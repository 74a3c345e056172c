//! Where state is kept.

use crate::args::Shared;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use towpath_state::Store;

/// The folder of state, when nothing else is said.
pub const FOLDER: &str = ".towpath";

/// The state folder: `--state`, else what the project says, else `.towpath` beside the project, else in the working
/// directory.
pub fn folder(shared: &Shared, project: Option<&str>, project_folder: Option<&Path>) -> Result<PathBuf, Failure> {
    let written = shared.state.as_deref().map(|state| (state, None)).or(project.map(|state| (state, project_folder)));
    let Some((state, base)) = written else {
        return Ok(project_folder.unwrap_or(Path::new(".")).join(FOLDER));
    };
    if let Some((scheme, _)) = state.split_once("://") {
        let message = format!("state in `{scheme}` is not available; state is kept in a folder");
        return Err(Failure::usage(message, "write a path, e.g. `--state .towpath`"));
    }
    Ok(base.unwrap_or(Path::new("")).join(state))
}

/// Opens state for reading; a folder without state is an answer of its own.
pub fn open_existing(folder: &Path) -> Result<Option<Store>, Failure> {
    if !folder.join("state.db").is_file() {
        return Ok(None);
    }
    Ok(Some(Store::open(folder)?))
}
