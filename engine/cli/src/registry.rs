//! The connectors: one line for each native one, and all definitions.

use std::path::Path;
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

/// Adds the definitions of a project's `connectors` folder.
pub fn add_project(registry: &mut Registry, files: &mut Files, project: &Path) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let Ok(entries) = std::fs::read_dir(project.join("connectors")) else { return problems };
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"))
        .collect();
    paths.sort();
    for path in paths {
        let text = match std::fs::read(&path).map_err(|error| error.to_string()).and_then(towpath_spec::read_text) {
            Ok(text) => text,
            Err(reason) => {
                tracing::warn!("{}: {reason}", path.display());
                continue;
            }
        };
        match towpath_http::from_definition(files, &path, &text) {
            Ok(connector) => registry.register(connector),
            Err(found) => problems.extend(found),
        }
    }
    problems
}
