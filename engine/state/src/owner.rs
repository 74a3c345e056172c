//! Which process holds a lock, and whether it is certainly dead.
//!
//! A pid alone proves nothing: another container or a rebooted machine may share the host's name, and pids come again. So
//! a pid is compared only within one boot and one process namespace, and together with the start of its process. Where
//! the system does not tell these (there is no `/proc`), nobody is called dead and the heartbeat alone decides.

use std::{fs, io};

/// "No such process", errno(3) on Linux, the only system with this `/proc`.
const ESRCH: i32 = 3;

/// A process that takes a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub pid: u32,
    pub host: String,
    /// Boot and process namespace: where `pid` means something.
    pub machine: Option<String>,
    /// Start of the process, in ticks since boot.
    pub born: Option<String>,
}

impl Owner {
    pub(crate) fn this_process() -> Self {
        let pid = std::process::id();
        Self { pid, host: host(), machine: machine(), born: birth(pid).ok().flatten() }
    }

    /// True only if the process is certainly gone.
    pub(crate) fn is_dead(&self) -> bool {
        match (&self.machine, &self.born) {
            (Some(there), Some(born)) if Some(there) == machine().as_ref() => {
                birth(self.pid).is_ok_and(|now| now.as_ref() != Some(born))
            }
            _ => false,
        }
    }
}

/// The machine's name, for people only.
fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this host".into())
}

fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// The start of a living process; none if there is no such process, or it has ended and only waits to be collected. An
/// error (too many open files, say) tells nothing about the process.
///
/// `/proc/PID/stat` is `PID (name) STATE …`; the name may hold anything, so fields are counted from the last
/// parenthesis. The start is field 22 of proc(5).
fn birth(pid: u32) -> io::Result<Option<String>> {
    let stat = match fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => String::from_utf8_lossy(&stat).into_owned(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        // The process ended between the opening and the reading of the file.
        Err(cause) if cause.raw_os_error() == Some(ESRCH) => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let unexpected = || io::Error::from(io::ErrorKind::InvalidData);
    let after_name = stat.rfind(')').ok_or_else(unexpected)? + 1;
    let mut fields = stat[after_name..].split_ascii_whitespace();
    let state = fields.next().ok_or_else(unexpected)?;
    if matches!(state, "Z" | "X" | "x") {
        return Ok(None);
    }
    fields.nth(18).map(|start| Some(start.to_owned())).ok_or_else(unexpected)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn this_process_lives_and_a_collected_child_does_not() {
        let us = Owner::this_process();
        assert!(us.machine.is_some() && us.born.is_some());
        assert!(!us.is_dead());
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat starts");
        let owner = Owner { pid: child.id(), born: birth(child.id()).expect("it runs"), ..us.clone() };
        assert!(!owner.is_dead());
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert!(owner.is_dead());
    }

    #[test]
    fn a_pid_that_came_again_is_dead_and_one_elsewhere_is_not_judged() {
        let us = Owner::this_process();
        assert!(Owner { born: Some("1".into()), ..us.clone() }.is_dead());
        let gone = Owner { pid: u32::MAX, ..us };
        assert!(gone.is_dead());
        assert!(!Owner { machine: Some("another boot".into()), ..gone.clone() }.is_dead());
        assert!(!Owner { machine: None, ..gone }.is_dead());
    }
}
