//! Names of files that come from data: which of them stay in their folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// How the folder begins in which files are written aside.
pub(super) const ASIDE: &str = ".towpath-";

/// Bytes of a name, of file or folder, that every usual file system takes.
const LONGEST: usize = 255;

/// A name as a path below the folder.
///
/// # Errors
/// Why it is no name of a file in the folder.
pub(super) fn below(name: &str) -> Result<PathBuf, String> {
    if name.trim().is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.contains(|letter: char| letter.is_control()) {
        return Err("the name has a control character in it".to_owned());
    }
    // On some systems it stands between folders, on others it is a letter like any other.
    if name.contains('\\') {
        return Err("the name has a `\\` in it".to_owned());
    }
    if name.ends_with('/') {
        return Err("the name is that of a folder".to_owned());
    }
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) if part.len() > LONGEST => {
                return Err(format!("the name is longer than {LONGEST} bytes"));
            }
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err("the name leads out of the folder".to_owned());
            }
        }
    }
    match path.iter().next() {
        None => Err("the name is that of the folder itself".to_owned()),
        Some(first) if first.to_string_lossy().starts_with(ASIDE) => {
            Err(format!("names that begin with `{ASIDE}` are kept for files that are being written"))
        }
        Some(_) => Ok(path),
    }
}

/// Whether a file can have its place there: no link is on the way, and no folder in its place.
///
/// # Errors
/// What stands in the way.
pub(super) fn is_free(folder: &Path, below: &Path) -> Result<(), String> {
    let mut place = folder.to_owned();
    let parts: Vec<_> = below.iter().collect();
    for (at, part) in parts.iter().enumerate() {
        place.push(part);
        let shown = || parts[..=at].iter().collect::<PathBuf>().display().to_string();
        let is_last = at + 1 == parts.len();
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() => return Err(format!("`{}` in the folder is a link", shown())),
            Ok(found) if found.is_dir() && is_last => return Err(format!("`{}` is a folder", shown())),
            Ok(found) if !found.is_dir() && !is_last => return Err(format!("`{}` is a file, not a folder", shown())),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("`{}` cannot be looked at: {error}", shown())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for (name, path) in [
            ("a.pdf", "a.pdf"),
            ("2024/a b.pdf", "2024/a b.pdf"),
            ("./a.pdf", "a.pdf"),
            ("a//b", "a/b"),
            ("...", "..."),
            ("a..b", "a..b"),
            ("Ünïcode ✓.pdf", "Ünïcode ✓.pdf"),
        ] {
            assert_eq!(below(name), Ok(PathBuf::from(path)), "{name}");
        }
        let long = "x".repeat(256);
        for (name, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("../a.pdf", "leads out"),
            ("a/../../b", "leads out"),
            ("a/../b", "leads out"),
            ("..", "leads out"),
            ("/etc/passwd", "leads out"),
            (".", "the folder itself"),
            ("a/", "of a folder"),
            ("..\\a", "has a `\\`"),
            ("a\0b", "control"),
            ("a\nb", "control"),
            (".towpath-x/0", "kept for"),
            (long.as_str(), "longer"),
        ] {
            assert!(below(name).is_err_and(|found| found.contains(why)), "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).expect("a link");
        link(elsewhere.path(), "out");
        link(&elsewhere.path().join("nothing"), "dangling");
        fs::create_dir(folder.path().join("in")).expect("a folder");
        fs::write(folder.path().join("file"), "").expect("a file");
        let free = |name: &str| is_free(folder.path(), Path::new(name));
        for name in ["file", "in/new", "new/new"] {
            assert_eq!(free(name), Ok(()), "{name}");
        }
        for (name, why) in [
            ("out/a", "`out` in the folder is a link"),
            ("out", "is a link"),
            ("dangling", "is a link"),
            ("in", "is a folder"),
            ("file/a", "is a file"),
        ] {
            assert!(free(name).is_err_and(|found| found.contains(why)), "{name}");
        }
    }
}
