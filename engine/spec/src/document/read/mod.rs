//! Trees to documents: the shape of what was written is checked, every problem of a file reported in one go.

mod join;
mod nodes;
mod reshape;
mod shared;
mod steps;

pub use steps::STEPS;

use super::kind::{DocumentKind, open_document};
use super::pipeline::{Environment, LimitsDoc, Pipeline, Project};
use super::tree::Tree;
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::Diagnostic;
use crate::source_text::{FileId, Files, Text};
use crate::yaml::{MAX_PROBLEMS, parse_yaml};

/// Reads a pipeline file. With errors among the problems, the pipeline holds what could be read; `None` when the text
/// is not YAML or not a pipeline.
pub fn read_pipeline(files: &Files, id: FileId) -> (Option<Pipeline>, Vec<Diagnostic>) {
    read(files, id, pipeline)
}

/// Reads a project file, like [`read_pipeline`].
pub fn read_project(files: &Files, id: FileId) -> (Option<Project>, Vec<Diagnostic>) {
    read(files, id, project)
}

fn read<T>(
    files: &Files,
    id: FileId,
    decode: impl FnOnce(&Tree, &mut Problems) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    let tree = match parse_yaml(files, id) {
        Ok(tree) => tree,
        Err(problems) => return (None, problems),
    };
    let mut problems = Vec::new();
    let document = decode(&tree, &mut problems);
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    if let Some(first_cut) = problems.get(MAX_PROBLEMS) {
        let message = format!("{} more problems are not shown", problems.len() - MAX_PROBLEMS);
        let cut = Diagnostic::error(codes::TOO_MANY_PROBLEMS, first_cut.span, message);
        problems.truncate(MAX_PROBLEMS);
        problems.push(cut.help("mend the first ones, they are often of one kind"));
    }
    (document, problems)
}

fn pipeline(tree: &Tree, problems: &mut Problems) -> Option<Pipeline> {
    let mut reader = open_document(tree, DocumentKind::Pipeline, problems)?;
    let mut pipeline = Pipeline {
        file: tree.span.file,
        name: reader.required("pipeline", decode::name).unwrap_or_default(),
        description: reader.optional_text("description"),
        params: reader.optional("params", shared::params).unwrap_or_default(),
        connections: reader.optional("connections", shared::connections).unwrap_or_default(),
        limits: reader.optional("limits", limits).unwrap_or_default(),
        tests: reader.optional("tests", decode::any),
        ..Pipeline::default()
    };
    let sources = reader.required("sources", nodes::sources).unwrap_or_default();
    let transforms = reader.optional("transforms", nodes::transforms).unwrap_or_default();
    let sinks = reader.optional("sinks", nodes::sinks).unwrap_or_default();
    reader.finish();
    let names = sources.names().chain(transforms.names()).chain(sinks.names());
    unique(names, problems);
    pipeline.unreadable =
        [&sources.unreadable, &transforms.unreadable, &sinks.unreadable].into_iter().flatten().cloned().collect();
    (pipeline.sources, pipeline.transforms, pipeline.sinks) = (sources.read, transforms.read, sinks.read);
    Some(pipeline)
}

/// Node names are unique over sources, transforms and sinks.
fn unique<'a>(names: impl Iterator<Item = &'a Text>, problems: &mut Problems) {
    let mut seen = std::collections::HashMap::new();
    for name in names {
        match seen.get(name.as_str()) {
            None => {
                seen.insert(name.as_str(), name.span);
            }
            Some(first) => {
                let message = format!("the name `{name}` is taken by another node");
                let problem = Diagnostic::error(codes::DUPLICATE_NAME, name.span, message);
                problems.push(problem.label(*first, "first used here").help("give one of the two another name"));
            }
        }
    }
}

fn limits(tree: &Tree, problems: &mut Problems) -> Option<LimitsDoc> {
    let mut reader = MapReader::of(tree, "`limits`", problems)?;
    let limits = LimitsDoc {
        memory: reader.bytes("memory"),
        concurrency: shared::count(&mut reader, "concurrency", 1, 1024),
        retries: shared::count(&mut reader, "retries", 0, 1000),
    };
    reader.finish();
    Some(limits)
}

fn project(tree: &Tree, problems: &mut Problems) -> Option<Project> {
    let mut reader = open_document(tree, DocumentKind::Project, problems)?;
    let project = Project {
        file: tree.span.file,
        name: reader.required("project", decode::name).unwrap_or_default(),
        state: reader.optional_text("state"),
        connections: reader.optional("connections", shared::connections).unwrap_or_default(),
        environments: reader.optional("environments", environments).unwrap_or_default(),
        params: reader.optional("params", shared::params).unwrap_or_default(),
    };
    reader.finish();
    Some(project)
}

fn environments(tree: &Tree, problems: &mut Problems) -> Option<Vec<Environment>> {
    shared::named(tree, problems, |name, tree, problems| {
        let mut reader = MapReader::of(tree, format!("the environment `{name}`"), problems)?.at(name.span);
        let environment = Environment {
            name: name.clone(),
            state: reader.optional_text("state"),
            connections: reader.optional("connections", shared::overrides).unwrap_or_default(),
            params: reader.map("params", decode::any),
        };
        reader.finish();
        Some(environment)
    })
    .map(|environments| environments.read)
}
