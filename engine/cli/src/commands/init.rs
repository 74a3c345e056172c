//! `towpath init`.

use crate::args::InitArgs;
use crate::failure::{Ended, Failure};
use std::path::Path;
use std::process::ExitCode;
use towpath_connector::Error;

/// What a new project is made of: path and text.
const FILES: [(&str, &str); 4] = [
    ("towpath.yaml", include_str!("../../templates/towpath.yaml")),
    ("pipelines/first.yaml", include_str!("../../templates/first.yaml")),
    ("data/people.csv", include_str!("../../templates/people.csv")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

/// Makes a project that runs as it is. Files that are there already are left alone.
pub fn init(args: &InitArgs) -> Ended {
    if args.dir.join("towpath.yaml").exists() {
        let message = format!("{} is a project already", args.dir.display());
        return Err(Failure::usage(message, "name another folder: `towpath init DIR`"));
    }
    for (path, text) in FILES {
        let path = args.dir.join(path);
        if path.exists() {
            eprintln!("left alone: {}", path.display());
            continue;
        }
        write(&path, text).map_err(|error| Error::from(error).at(path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    let pipeline = args.dir.join("pipelines/first.yaml");
    eprintln!("\nnow:\n  towpath validate {0}\n  towpath run {0}", crate::documents::shown(&pipeline).display());
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
