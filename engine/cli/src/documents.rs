//! Files of a project: found, read, decoded.

use crate::args::{Format, Shared};
use crate::failure::Failure;
use crate::registry;
use crate::secrets::Secrets;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use towpath_connector::Registry;
use towpath_plan::{Documents, Outside, Plan};
use towpath_spec::document::{Pipeline, Project, read_pipeline, read_project};
use towpath_spec::{Diagnostic, FileId, Files, Span, Text};

/// The name of a project's file.
pub const PROJECT: &str = "towpath.yaml";

/// The folder of macros.
const MACROS: &str = "macros";

/// A project, or the lack of one, with everything that does not depend on a pipeline.
pub struct Workspace {
    /// All files read.
    pub files: Files,
    /// The project's document.
    pub project: Option<Project>,
    /// Its folder.
    pub folder: Option<PathBuf>,
    /// The connectors.
    pub registry: Registry,
    /// Problems of the project's file and of its connectors.
    pub problems: Vec<Diagnostic>,
    /// Whether nodes that nobody reads are worth a warning.
    pub tells_unread: bool,
}

impl Workspace {
    /// The workspace around a path: the nearest folder upward that has a `towpath.yaml`.
    pub fn around(path: &Path) -> Result<Self, Failure> {
        let mut workspace = Self {
            files: Files::new(),
            project: None,
            folder: None,
            registry: registry::built_in(),
            problems: Vec::new(),
            tells_unread: true,
        };
        let Some(folder) = project_folder(path) else { return Ok(workspace) };
        let id = workspace.read(&folder.join(PROJECT))?;
        let (project, problems) = read_project(&workspace.files, id);
        workspace.project = project;
        workspace.problems = problems;
        let found = registry::add_project(&mut workspace.registry, &mut workspace.files, &folder);
        workspace.problems.extend(found);
        workspace.folder = Some(folder);
        Ok(workspace)
    }

    /// Reads a file; one that cannot be read at all is a failure.
    pub fn read(&mut self, path: &Path) -> Result<FileId, Failure> {
        let shown = shown(path);
        let bytes = std::fs::read(path).map_err(|error| {
            let error = towpath_connector::Error::from(error).at(format!("cannot read {}", shown.display()));
            Failure::Usage(error.message, error.help)
        })?;
        match towpath_spec::read_text(bytes) {
            Ok(text) => Ok(self.files.add(shown, text)),
            Err(reason) => {
                let id = self.files.add(&shown, String::new());
                let span = Span::new(id, 0, 0);
                let problem = Diagnostic::error(towpath_spec::codes::YAML_SYNTAX, span, reason);
                Err(Failure::Invalid(Box::new(std::mem::take(&mut self.files)), vec![problem]))
            }
        }
    }

    /// Reads a pipeline.
    pub fn pipeline(&mut self, path: &Path) -> Result<(Option<Pipeline>, Vec<Diagnostic>), Failure> {
        let id = self.read(path)?;
        Ok(read_pipeline(&self.files, id))
    }

    /// The folder relative paths of a pipeline start from: the project's, else the pipeline's own.
    pub fn base(&self, pipeline: &Path) -> PathBuf {
        match &self.folder {
            Some(folder) => folder.clone(),
            None => parent(pipeline),
        }
    }

    /// The files of macros beside the project, or beside a pipeline without one, in the order of their names.
    fn macros(&mut self, base: &Path) -> Result<Vec<Text>, Failure> {
        let folder = base.join(MACROS);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                let error = towpath_connector::Error::from(error).at(format!("cannot read {}", folder.display()));
                return Err(Failure::Usage(error.message, error.help));
            }
        };
        let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|ext| ext == "jinja"));
        paths.sort();
        let mut texts = Vec::with_capacity(paths.len());
        for path in paths {
            let id = self.read(&path)?;
            let text = self.files.get(id).map(|file| file.text.clone()).unwrap_or_default();
            let span = Span::new(id, 0, text.len());
            texts.push(Text::new(text, span));
        }
        Ok(texts)
    }

    /// Plans a pipeline, or says all that is wrong with it.
    pub fn plan(
        &mut self,
        path: &Path,
        shared: &Shared,
        outside: Option<Outside<'_>>,
    ) -> Result<(Option<Plan>, Vec<Diagnostic>), Failure> {
        let (pipeline, mut problems) = self.pipeline(path)?;
        let Some(pipeline) = pipeline else { return Ok((None, problems)) };
        let params: BTreeMap<String, String> = shared.params.iter().cloned().collect();
        let base = self.base(path);
        let macros = self.macros(&base)?;
        let documents = Documents {
            files: &self.files,
            project: self.project.as_ref(),
            pipeline: &pipeline,
            environment: shared.env.as_deref(),
            params: &params,
            base: &base,
            macros: &macros,
            outside,
        };
        let broken = problems.iter().any(Diagnostic::is_error);
        let (plan, found) = towpath_plan::build(&documents, &self.registry);
        problems.extend(found);
        Ok((plan.filter(|_| !broken), problems))
    }

    /// Plans a pipeline that is to be carried out: problems of any file are the end, warnings are told.
    pub fn plan_or_fail(&mut self, path: &Path, shared: &Shared) -> Result<Plan, Failure> {
        let secrets = Secrets::read(shared.secrets.as_deref())?;
        let outside = Outside {
            env: &|name| std::env::var(name).ok(),
            secret: &|name| secrets.get(name),
            now: shared.now.unwrap_or_else(chrono::Utc::now),
        };
        let (plan, mut problems) = self.plan(path, shared, Some(outside))?;
        problems.extend(std::mem::take(&mut self.problems));
        match plan {
            Some(plan) if !problems.iter().any(Diagnostic::is_error) => {
                // A node that nobody reads is just what one likes to preview.
                problems.retain(|problem| problem.code != towpath_spec::codes::UNREAD_NODE || self.tells_unread);
                if !shared.quiet && !problems.is_empty() {
                    // What the command gives has its output to itself: warnings are for people.
                    let people = Shared { format: Format::Human, ..shared.clone() };
                    crate::failure::diagnostics_to(&people, &self.files, &problems);
                }
                Ok(plan)
            }
            _ => Err(Failure::Invalid(Box::new(std::mem::take(&mut self.files)), problems)),
        }
    }
}

/// The nearest folder upward from a file or folder that has a `towpath.yaml`.
pub fn project_folder(path: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(path).ok()?;
    let found = start.ancestors().find(|folder| folder.join(PROJECT).is_file())?;
    Some(shown(found))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The path as a person would name it: relative to the working directory where it is inside of it.
pub fn shown(path: &Path) -> PathBuf {
    if let Ok(rest) = path.strip_prefix(".") {
        return if rest.as_os_str().is_empty() { PathBuf::from(".") } else { rest.to_owned() };
    }
    let Ok(here) = std::env::current_dir() else { return path.to_owned() };
    match path.strip_prefix(&here) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => path.to_owned(),
    }
}
