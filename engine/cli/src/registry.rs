//! The connectors: one line for each native one, and all definitions.

use crate::documents::shown;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use towpath_connector::Registry;
use towpath_spec::{Diagnostic, Files};

static BUILT_IN: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::new();
    towpath_files::connectors().into_iter().for_each(|connector| registry.register(connector));
    towpath_databases::connectors().into_iter().for_each(|connector| registry.register(connector));
    towpath_http::builtin_by_name().for_each(|(name, connector)| registry.register_as(name, connector));
    registry
});

/// All connectors that come with Towpath; a definition is read when it is first asked for.
pub fn built_in() -> Registry {
    BUILT_IN.clone()
}

/// The definitions in a project's folder `connectors`, in the order of their names.
pub fn definitions(project: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project.join("connectors")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    paths.sort();
    paths
}

/// Adds a project's own definitions.
pub fn add_project(registry: &mut Registry, files: &mut Files, project: &Path) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for path in definitions(project) {
        let text = match std::fs::read(&path).map_err(|error| error.to_string()).and_then(towpath_spec::read_text) {
            Ok(text) => text,
            Err(reason) => {
                tracing::warn!("{}: {reason}", path.display());
                continue;
            }
        };
        match towpath_http::from_definition(files, &shown(&path), &text) {
            Ok(connector) => registry.register(connector),
            Err(found) => {
                problems.extend(found);
                names(&path, &text).into_iter().for_each(|name| registry.register_broken(name));
            }
        }
    }
    problems
}

/// The names a definition that cannot be read may have been meant to have.
fn names(path: &Path, text: &str) -> Vec<String> {
    let said = text.lines().find_map(|line| line.strip_prefix("connector:"));
    let said = said.map(|name| name.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned());
    said.into_iter().chain(path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).collect()
}
