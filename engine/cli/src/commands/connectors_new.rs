//! `towpath connectors new`: a first definition from an OpenAPI or Swagger document.

use crate::args::Shared;
use crate::documents::{PROJECT, project_folder, shown};
use crate::failure::{Ended, Failure, diagnostics_to};
use crate::registry;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use towpath_connector::Error;
use towpath_spec::Files;

/// Guesses and omissions that are told one by one; the rest is counted.
const TOLD: usize = 20;

/// Writes `connectors/NAME.yaml`, or the file that is named; one that is there is never written over.
pub fn new(name: &str, from: &Path, out: Option<&Path>, shared: &Shared) -> Ended {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.chars().all(is_name) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let message = format!("`{name}` is not a name for a connector");
        return Err(Failure::usage(message, "use small letters, digits and dashes, e.g. `my-system`"));
    }
    if registry::built_in().get(name).is_some() && out.is_none() {
        return Err(Failure::usage(
            format!("`{name}` is a connector that comes with Towpath"),
            "choose another name; a definition of the same name would take its place",
        ));
    }
    let text = std::fs::read(from).map_err(|error| Error::from(error).at(format!("cannot read {}", from.display())))?;
    let text = towpath_spec::read_text(text).map_err(|reason| Error::user(format!("{}: {reason}", from.display())))?;
    let source = from.file_name().unwrap_or_default().to_string_lossy();
    let made = towpath_openapi::generate(name, &text, &source)
        .map_err(|reason| Error::user(format!("{}: {reason}", from.display())))?;
    let path = out.map_or_else(|| place(name), Path::to_owned);
    write_new(&path, &made.text)?;
    eprintln!("wrote {}: {} streams, {} operations", shown(&path).display(), made.streams, made.operations);
    tell("guessed, to be checked", &made.guessed);
    tell("left out", &made.left_out);
    let mut files = Files::new();
    if let Err(problems) = towpath_http::from_definition(&mut files, &shown(&path), &made.text) {
        eprintln!("\nto be mended by hand before it can be used:");
        diagnostics_to(shared, &files, &problems);
        return Ok(ExitCode::from(78));
    }
    let in_project = path.parent().and_then(Path::parent).is_some_and(|folder| folder.join(PROJECT).exists());
    if !in_project {
        eprintln!("\na connector is found in the folder `connectors` of a project, beside its `{PROJECT}`");
    }
    eprintln!("\nnow:\n  towpath connectors show {name}");
    Ok(ExitCode::SUCCESS)
}

/// In the project around the working directory, else here.
fn place(name: &str) -> PathBuf {
    project_folder(Path::new(".")).unwrap_or_default().join("connectors").join(format!("{name}.yaml"))
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let at = |error: std::io::Error| Error::from(error).at(format!("cannot write {}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at)?;
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::usage(
            format!("{} is there already, and is not written over", shown(path).display()),
            "name another file with `--out FILE`, or move that one away",
        )),
        opened => Ok(opened.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())).map_err(at)?),
    }
}

fn tell(what: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    eprintln!("{what}:");
    for line in lines.iter().take(TOLD) {
        eprintln!("  {line}");
    }
    if lines.len() > TOLD {
        eprintln!("  and {} more", lines.len() - TOLD);
    }
}
