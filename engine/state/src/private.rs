//! Files and folders that nobody but their owner may read, whatever the umask says and whatever was there before.
//!
//! Records, answers and rejects are other people's data: the database, stages and the books of stand-ins are made here.
//! Only what is made or named here is closed; a folder above it is left as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a folder, and those above it that are missing, for their owner alone (0700); one that is there is closed to others.
///
/// # Errors
/// It cannot be made, or belongs to somebody else and is open.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    private_folder(&mut builder);
    builder.create(path)?;
    close(path)
}

/// The same, and the names of folders that are new are on disk when it returns: what is synced in them later is not lost
/// with them.
///
/// # Errors
/// Those of [`folder`].
pub fn lasting_folder(path: &Path) -> io::Result<()> {
    let is_new = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = path.ancestors().take_while(is_new).collect();
    folder(path)?;
    new.into_iter().for_each(sync_name);
    Ok(())
}

/// Puts the name of a folder on disk. Where folders cannot be synced, there is nothing to be done about it.
fn sync_name(folder: &Path) {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(above).and_then(|above| above.sync_all());
}

/// Makes a folder for its owner alone; none may be there.
///
/// # Errors
/// Something of that name is there, or it cannot be made.
pub fn new_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    private_folder(&mut builder);
    builder.create(path)?;
    close(path)
}

/// Makes an empty file for its owner alone (0600), in the place of one that is there.
///
/// # Errors
/// It cannot be made.
pub fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    new_file(path)
}

/// Makes an empty file for its owner alone; none may be there.
///
/// # Errors
/// One is there ([`io::ErrorKind::AlreadyExists`]), or it cannot be made.
pub fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    options.open(path)
}

/// Writes a file for its owner alone.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    create(path)?.write_all(content.as_ref())
}

/// Takes from others what they may do with a file or folder.
///
/// # Errors
/// It is not there, or somebody else's.
#[cfg(unix)]
pub fn close(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o077))
}

/// Takes from others what they may do with a file or folder: where there are no modes, its folder says who may.
///
/// # Errors
/// Never here.
#[cfg(not(unix))]
pub fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private_folder(builder: &mut fs::DirBuilder) {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private_folder(_: &mut fs::DirBuilder) {}

#[cfg(not(unix))]
fn private_file(_: &mut OpenOptions) {}
