//! Writers of one file in this process take turns.
//!
//! SQLite lets one of several writers in, and the others wait for so long only. The sinks of a run write side by side, each
//! in a transaction as long as its data takes: here they wait for each other, however long that is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

/// Files that are being written.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static ENDED: Condvar = Condvar::new();

/// The only one in this process that writes a file; ends when it is dropped.
pub(super) struct Turn(PathBuf);

impl Turn {
    /// Waits until nobody else writes the file. Blocks.
    pub(super) fn at(path: &Path) -> Self {
        let path = known_as(path);
        let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
        while !written.insert(path.clone()) {
            written = ENDED.wait(written).unwrap_or_else(PoisonError::into_inner);
        }
        Self(path)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
        ENDED.notify_all();
    }
}

/// One name of a file that may have several, and need not be there yet.
fn known_as(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        folder.zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn one_at_a_time_whatever_the_file_is_called() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Turn::at(&folder.path().join("a.db"));
        let other = Turn::at(&folder.path().join("b.db"));
        let again = folder.path().join(".").join("a.db");
        let (said, heard) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let turn = Turn::at(&again);
            said.send("in").expect("somebody listens");
            drop(turn);
        });
        drop(other);
        assert!(heard.try_recv().is_err(), "the file is written by somebody else");
        drop(first);
        assert_eq!(heard.recv(), Ok("in"));
        waiting.join().expect("a thread");
    }
}
