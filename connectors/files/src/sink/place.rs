//! Where a sink's output is while it is written, and how it gets to its place.
//!
//! The output is written beside its place under a hidden name, brought to disk, and moved: whoever looks sees what was
//! there before or all that is new. A folder that holds anything but earlier output is left alone.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use towpath_connector::{Error, Result, Written};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A target and the hidden place beside it.
#[derive(Debug)]
pub(crate) struct Place {
    target: PathBuf,
    aside: PathBuf,
    folder: bool,
    prepared: bool,
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::from(error).at(format!("cannot {what} {}", path.display()))
}

impl Place {
    /// A place for a file, or for a folder of files.
    ///
    /// # Errors
    /// The path has no name, or there is a folder where a file is to be.
    pub(crate) fn new(target: &Path, folder: bool) -> Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(Error::user(format!("{} is no name for a file", target.display())));
        };
        if !folder && target.is_dir() {
            return Err(Error::user(format!("{} is a folder", target.display())).help("name a file in it"));
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        Ok(Self { aside: target.with_file_name(hidden), target: target.to_owned(), folder, prepared: false })
    }

    /// Where it goes in the end.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where to write; the folders above are made.
    ///
    /// # Errors
    /// The machine's, or a folder that is not ours stands in the way.
    pub(crate) fn prepare(&mut self) -> Result<&Path> {
        if self.folder && self.target.exists() {
            owned(&self.target)?;
        }
        let above = if self.folder { Some(self.aside.as_path()) } else { self.aside.parent() };
        if let Some(above) = above {
            fs::create_dir_all(above).map_err(|error| failed("make", above, error))?;
        }
        self.prepared = true;
        Ok(&self.aside)
    }

    /// Moves what was written into its place.
    ///
    /// # Errors
    /// The machine's; then the target is as it was.
    pub(crate) fn commit(&mut self) -> Result<Vec<Written>> {
        let files = if self.folder { all_files(&self.aside)? } else { vec![self.aside.clone()] };
        let mut written = Vec::with_capacity(files.len());
        for file in &files {
            let synced = File::open(file).and_then(|open| open.sync_all().and_then(|()| open.metadata()));
            let bytes = synced.map_err(|error| failed("write", &self.target, error))?.len();
            let path = match file.strip_prefix(&self.aside) {
                Ok(inner) if self.folder => self.target.join(inner),
                _ => self.target.clone(),
            };
            written.push(Written { path, bytes });
        }
        if self.folder && self.target.exists() {
            self.swap()?;
        } else {
            fs::rename(&self.aside, &self.target).map_err(|error| failed("move to", &self.target, error))?;
        }
        self.prepared = false;
        if let Some(Ok(above)) = self.target.parent().map(File::open) {
            // Not every file system can do this for a folder; the file itself is safe.
            let _ = above.sync_all();
        }
        Ok(written)
    }

    /// Puts the new folder in the place of the old one.
    fn swap(&self) -> Result<()> {
        owned(&self.target)?;
        let old = self.aside.with_extension("old");
        fs::rename(&self.target, &old).map_err(|error| failed("replace", &self.target, error))?;
        if let Err(error) = fs::rename(&self.aside, &self.target) {
            let _ = fs::rename(&old, &self.target);
            return Err(failed("replace", &self.target, error));
        }
        fs::remove_dir_all(&old).map_err(|error| failed("remove", &old, error))
    }

    /// Removes what was written aside.
    pub(crate) fn abort(&mut self) {
        if std::mem::take(&mut self.prepared) {
            let removed = if self.folder { fs::remove_dir_all(&self.aside) } else { fs::remove_file(&self.aside) };
            if let Err(error) = removed
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!("cannot remove {}: {error}", self.aside.display());
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.abort();
    }
}

fn all_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| failed("read", folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed("read", folder, error))?.path();
        if path.is_dir() { files.extend(all_files(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

/// Whether a folder holds only what a sink writes: `key=value` folders and numbered files.
fn owned(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Err(Error::user(format!("{} is a file, expected a folder", folder.display()))
            .help("remove it, or choose another `path`"));
    }
    let foreign = all_files(folder)?.into_iter().find(|file| {
        let numbered = |name: &str| {
            let stem = name.split('.').next().unwrap_or(name);
            !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let name = file.file_name().and_then(OsStr::to_str);
        let inner = file.strip_prefix(folder).ok().and_then(Path::parent);
        let folders_ours =
            inner.is_some_and(|inner| inner.components().all(|part| part.as_os_str().to_string_lossy().contains('=')));
        !(folders_ours && name.is_some_and(numbered))
    });
    match foreign {
        None => Ok(()),
        Some(file) => {
            let message = format!("{} holds {}, which is no earlier output", folder.display(), file.display());
            Err(Error::user(message).help("choose a folder of its own; it is replaced as a whole"))
        }
    }
}
