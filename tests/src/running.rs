//! A command under way: it can be asked, signalled, killed.

use crate::Ran;
use std::io::Read;
use std::process::Child;
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
    pipes: Option<(JoinHandle<String>, JoinHandle<String>)>,
}

impl Running {
    pub(crate) fn new(mut child: Child) -> Self {
        let stdout = child.stdout.take().map(drain).expect("stdout is a pipe");
        let stderr = child.stderr.take().map(drain).expect("stderr is a pipe");
        Self { child, begun: Instant::now(), pipes: Some((stdout, stderr)) }
    }

    /// Its number in the operating system.
    pub fn id(&self) -> u32 {
        self.child.id()
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
        let (stdout, stderr) = self.pipes.take().expect("only waited for once");
        Ran {
            code: status.code(),
            stdout: stdout.join().expect("stdout was read"),
            stderr: stderr.join().expect("stderr was read"),
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

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
