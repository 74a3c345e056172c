//! A command under way: it can be asked, signalled, killed.

use crate::Ran;
use std::io::Read;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What does not come to pass within this time fails the test.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(5);

/// Waits until something holds; `what` names it in the failure.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for: {what}");
        std::thread::sleep(GLANCE);
    }
}

/// A command under way; it is killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    begun: Instant,
    stdout: Pipe,
    stderr: Pipe,
}

/// What came out of a pipe so far, and the thread that reads it to its end.
#[derive(Debug)]
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Pipe {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let filled = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(read @ 1..) = pipe.read(&mut piece) {
                filled.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..read]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("a pipe is read to its end");
        }
        self.so_far()
    }
}

impl Running {
    pub(crate) fn new(mut child: Child) -> Self {
        let stdout = child.stdout.take().map(Pipe::of).expect("stdout is a pipe");
        let stderr = child.stderr.take().map(Pipe::of).expect("stderr is a pipe");
        Self { child, begun: Instant::now(), stdout, stderr }
    }

    /// What it wrote to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it wrote to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Whether it has not ended.
    pub fn is_under_way(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Sends a signal by its name, e.g. `INT`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let sent = std::process::Command::new("/bin/sh").args(["-c", &command]).status().expect("a shell");
        assert!(sent.success(), "{command}");
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ran {
        until("the end of the command", || !self.is_under_way());
        let status = self.child.wait().expect("a child can be waited for");
        Ran {
            code: status.code(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            took: self.begun.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
