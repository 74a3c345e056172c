//! `towpath validate`.

use crate::args::{Format, Shared, ValidateArgs};
use crate::documents::{PROJECT, Workspace, shown};
use crate::failure::{Ended, Failure, diagnostics_to};
use crate::fields;
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
    let mut errors = 0;
    let mut checked = 0;
    for path in paths {
        if path.is_dir() {
            for file in yaml_files(&path)? {
                if let Some(found) = file_in_folder(&file, args, shared)? {
                    checked += 1;
                    errors += found;
                }
            }
        } else {
            checked += 1;
            errors += named_file(&path, args, shared)?;
        }
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
fn file_in_folder(path: &Path, args: &ValidateArgs, shared: &Shared) -> Result<Option<usize>, Failure> {
    let ours = |line: &str| ["pipeline:", "project:", "connector:"].iter().any(|key| line.starts_with(key));
    let is_ours = std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).lines().any(ours));
    if is_ours { named_file(path, args, shared).map(Some) } else { Ok(None) }
}

/// Checks one file; gives the number of errors, which are told.
fn named_file(path: &Path, args: &ValidateArgs, shared: &Shared) -> Result<usize, Failure> {
    let (workspace, problems) = match check(path, args, shared) {
        Ok(checked) => checked,
        Err(Failure::Invalid(files, problems)) => {
            diagnostics_to(shared, &files, &problems);
            return Ok(problems.iter().filter(|problem| problem.is_error()).count());
        }
        Err(other) => return Err(other),
    };
    diagnostics_to(shared, &workspace.files, &problems);
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
            if path.parent().is_none_or(|folder| !folder.join(PROJECT).exists()) {
                problems.extend(std::mem::take(&mut workspace.problems));
            }
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
