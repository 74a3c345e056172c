//! The definitions that come with Towpath, and those that users bring.

use crate::compile::compile;
use crate::connector::HttpConnector;
use std::path::Path;
use std::sync::Arc;
use towpath_connector::Connector;
use towpath_spec::definition::decode_definition;
use towpath_spec::{Diagnostic, Files, parse_yaml};

/// The definitions compiled in, by file name and text.
pub const BUILTIN: [(&str, &str); 5] = [
    ("enabley.yaml", include_str!("../../definitions/enabley.yaml")),
    ("healthier-business.yaml", include_str!("../../definitions/healthier-business.yaml")),
    ("human-focus.yaml", include_str!("../../definitions/human-focus.yaml")),
    ("onefile.yaml", include_str!("../../definitions/onefile.yaml")),
    ("peoplefluent.yaml", include_str!("../../definitions/peoplefluent.yaml")),
];

/// The connectors that come with Towpath. A test holds that none of them is left out.
pub fn builtin() -> Vec<Arc<dyn Connector>> {
    let mut files = Files::new();
    BUILTIN
        .iter()
        .filter_map(|(path, text)| match from_definition(&mut files, Path::new(path), text) {
            Ok(connector) => Some(connector),
            Err(problems) => {
                for problem in problems {
                    tracing::error!(definition = path, at = files.position(problem.span), "{}", problem.message);
                }
                None
            }
        })
        .collect()
}

/// A connector from a definition's text, such as a file of a project's `connectors/`.
///
/// # Errors
/// Everything that is wrong with it, at its place in `files`.
pub fn from_definition(files: &mut Files, path: &Path, text: &str) -> Result<Arc<dyn Connector>, Vec<Diagnostic>> {
    let file = files.add(path, text);
    let tree = parse_yaml(files, file)?;
    let mut problems = Vec::new();
    let definition = decode_definition(file, &tree, &mut problems);
    match definition {
        Some(definition) if !problems.iter().any(Diagnostic::is_error) => {
            Ok(Arc::new(HttpConnector::new(compile(&definition, files)?)))
        }
        Some(definition) => {
            // Both kinds of problems at once: what could be read is checked further.
            if let Err(more) = compile(&definition, files) {
                let new = more.into_iter().filter(|problem| !problems.iter().any(|known| known.span == problem.span));
                let new: Vec<Diagnostic> = new.collect();
                problems.extend(new);
            }
            problems.sort_by_key(|problem| problem.span);
            Err(problems)
        }
        None => Err(problems),
    }
}
