//! `towpath validate`.

use crate::args::{Format, Shared, ValidateArgs};
use crate::documents::{Workspace, shown};
use crate::failure::{Ended, Failure, diagnostics_to};
use crate::fields;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use towpath_plan::Plan;
use towpath_spec::document::{DocumentKind, document_kind, read_project};
use towpath_spec::{Diagnostic, parse_yaml};

/// Exit code for invalid files.
const INVALID: u8 = 78;

/// Checks files: all problems at once.
pub fn validate(args: &ValidateArgs, shared: &Shared) -> Ended {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(yaml_files(&path)?.into_iter().filter(|file| is_ours(file)));
        } else {
            files.push(path);
        }
    }
    let (checked, mut errors, mut told) = (files.len(), 0, HashSet::new());
    for file in files {
        errors += one_file(&file, args, shared, &mut told)?;
    }
    if checked == 0 {
        return Err(Failure::usage(
            "there is nothing to check here: no project, pipeline or connector",
            "name a file, or make a project with `towpath init`",
        ));
    }
    if shared.format == Format::Human && !shared.quiet {
        let files = if checked == 1 { "1 file".to_owned() } else { format!("{checked} files") };
        match errors {
            0 => eprintln!("{files} checked: all well"),
            1 => eprintln!("{files} checked: 1 error"),
            errors => eprintln!("{files} checked: {errors} errors"),
        }
    }
    Ok(ExitCode::from(if errors == 0 { 0 } else { INVALID }))
}

/// YAML files of a folder and below, without hidden folders and build output.
fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut out = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            out.extend(yaml_files(&path)?);
        } else if path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml") {
            out.push(path);
        }
    }
    Ok(out)
}

/// A file found in a folder counts only when it is one of ours.
fn is_ours(path: &Path) -> bool {
    let ours = |line: &str| ["pipeline:", "project:", "connector:"].iter().any(|key| line.starts_with(key));
    std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).lines().any(ours))
}

/// Checks one file; gives the number of errors, which are told. What is wrong with a project is wrong for all of its
/// pipelines, and told once.
fn one_file(path: &Path, args: &ValidateArgs, shared: &Shared, told: &mut HashSet<String>) -> Result<usize, Failure> {
    let (files, mut problems) = match check(path, args, shared) {
        Ok((workspace, problems)) => (workspace.files, problems),
        Err(Failure::Invalid(files, problems)) => (*files, problems),
        Err(other) => return Err(other),
    };
    problems.retain(|problem| told.insert(format!("{} {}", files.position(problem.span), problem.message)));
    diagnostics_to(shared, &files, &problems);
    Ok(problems.iter().filter(|problem| problem.is_error()).count())
}

fn check(path: &Path, args: &ValidateArgs, shared: &Shared) -> Result<(Workspace, Vec<Diagnostic>), Failure> {
    let mut workspace = Workspace::around(path)?;
    let id = workspace.read(path)?;
    let kind = match parse_yaml(&workspace.files, id).map(|tree| document_kind(&tree)) {
        Ok(Ok(kind)) => kind,
        Ok(Err(problem)) => return Ok((workspace, vec![problem])),
        Err(problems) => return Ok((workspace, problems)),
    };
    let problems = match kind {
        DocumentKind::Project => read_project(&workspace.files, id).1,
        DocumentKind::Connector => {
            let text = workspace.files.get(id).map(|file| file.text.clone()).unwrap_or_default();
            let name = shown(path);
            towpath_http::from_definition(&mut workspace.files, &name, &text).err().unwrap_or_default()
        }
        DocumentKind::Pipeline => {
            let (plan, mut problems) = workspace.plan(path, shared, None)?;
            problems.extend(std::mem::take(&mut workspace.problems));
            if let Some(plan) = &plan {
                tell(plan, args, shared)?;
            }
            problems
        }
    };
    Ok((workspace, problems))
}

fn tell(plan: &Plan, args: &ValidateArgs, shared: &Shared) -> Result<(), Failure> {
    if let Some(node) = &args.schema {
        fields::schema(plan, node, shared.format)?;
    }
    if args.explain {
        fields::explain(plan, shared.format);
    }
    Ok(())
}
