//! Losses of power: what a folder would hold if all that was written and not synced were gone.
//!
//! Commands that run under a [`Power`] have `fsync` replaced (`tests/power/power.c`, compiled here), which keeps what is synced
//! on the side. [`Power::lose`] puts the folder back to that. What is synced and what is not is told by the command's own
//! calls, so a sync that is missing in the product shows as a loss in a test.

use crate::{Scratch, Towpath, repository};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The library, and the folder it is in as long as the tests run.
static LIBRARY: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("power.so");
    let source = repository().join("tests/power/power.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).output();
    let compiled = compiled.expect("a C compiler, which the project needs anyway");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    (folder, library)
});

/// What of a folder is on disk.
pub struct Power {
    watched: PathBuf,
    kept: tempfile::TempDir,
}

impl Power {
    /// All that is there now is on disk.
    pub fn supply(scratch: &Scratch) -> Self {
        let watched = scratch.path().canonicalize().expect("a folder");
        let power = Self { watched, kept: tempfile::tempdir().expect("a temporary folder") };
        for kind in ["data", "folders"] {
            fs::create_dir(power.kept.path().join(kind)).expect("a folder is made");
        }
        power.keep(&power.watched);
        power
    }

    /// The command under this supply.
    pub fn under(&self, towpath: Towpath) -> Towpath {
        let path = |path: &Path| path.display().to_string();
        towpath
            .env("LD_PRELOAD", path(&LIBRARY.1))
            .env("TOWPATH_POWER_WATCHED", path(&self.watched))
            .env("TOWPATH_POWER_KEPT", path(self.kept.path()))
    }

    fn at(&self, kind: &str, inode: u64) -> PathBuf {
        self.kept.path().join(kind).join(inode.to_string())
    }

    fn keep(&self, folder: &Path) {
        let mut lines = String::new();
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let (path, about) = (entry.path(), entry.metadata().expect("it is there"));
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            if about.is_dir() {
                self.keep(&path);
                lines += &format!("{} d {name}\n", about.ino());
            } else {
                fs::copy(&path, self.at("data", about.ino())).expect("a file is copied");
                lines += &format!("{} f {name}\n", about.ino());
            }
        }
        let inode = fs::metadata(folder).expect("it is there").ino();
        fs::write(self.at("folders", inode), lines).expect("a list is written");
    }

    /// Power is lost: what was not synced is gone. Nobody may be at work in the folder.
    pub fn lose(self) {
        let root = fs::metadata(&self.watched).expect("it is there").ino();
        for entry in fs::read_dir(&self.watched).expect("a folder").flatten() {
            let path = entry.path();
            let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            gone.expect("it is removed");
        }
        self.bring_back(root, &self.watched);
    }

    fn bring_back(&self, inode: u64, folder: &Path) {
        // A folder that was never synced is there without its entries.
        let lines = fs::read_to_string(self.at("folders", inode)).unwrap_or_default();
        for line in lines.lines() {
            let [inode, kind, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let (inode, path) = (inode.parse().expect("a number"), folder.join(name));
            if kind == "d" {
                fs::create_dir(&path).expect("a folder is made");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("it is ours");
                self.bring_back(inode, &path);
            } else {
                // So is a file without its content.
                fs::write(&path, fs::read(self.at("data", inode)).unwrap_or_default()).expect("a file is written");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
            }
        }
    }
}
