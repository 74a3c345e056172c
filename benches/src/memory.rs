//! Running a process and watching what it takes: time, processor, memory.
//!
//! Linux counts three things that are easily mixed up. *Anonymous* memory is what the process itself made; it is sampled,
//! as the kernel keeps no peak of it. The *resident* peak (`VmHWM`, and again `ru_maxrss` at the end) counts pages of
//! mapped files too, which the kernel takes back whenever it likes: a CSV that is scanned through a mapping shows there.

use crate::{Result, machine};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(4);

/// What a process took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// From start to end.
    pub wall: Duration,
    /// Processor time, its own and the kernel's for it.
    pub cpu: Duration,
    /// Peak of anonymous memory in bytes, as sampled.
    pub anonymous: u64,
    /// Peak of resident memory in bytes, as last sampled before the end.
    pub resident: u64,
    /// Peak of resident memory in bytes, as the kernel says at the end; never less than this process had when it
    /// started the other one, as the kernel counts from there.
    pub max_resident: u64,
    /// Cores that others kept busy meanwhile.
    pub others: f64,
    /// The machine's load average at the end.
    pub load: f64,
    /// What it printed.
    pub printed: String,
}

/// Runs a process to its end.
///
/// # Errors
/// It cannot be started, or ends with another exit code than 0; then with the end of what it said.
pub(crate) fn watch(command: &mut Command, folder: &Path) -> Result<Taken> {
    let (out, err) = (folder.join("stdout.txt"), folder.join("stderr.txt"));
    command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
    let (busy, started) = (machine::busy(), Instant::now());
    let child = command.spawn().map_err(|error| format!("cannot start {:?}: {error}", command.get_program()))?;
    let pid = child.id();
    let (ended, anonymous, resident) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (exit, wall) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                anonymous.fetch_max(kilobytes(&status, "RssAnon:"), Ordering::Relaxed);
                resident.fetch_max(kilobytes(&status, "VmHWM:"), Ordering::Relaxed);
                std::thread::sleep(EVERY);
            }
        });
        let exit = wait(pid);
        let wall = started.elapsed();
        ended.store(true, Ordering::Release);
        (exit, wall)
    });
    let exit = exit?;
    if exit.status != 0 {
        let said = std::fs::read_to_string(&err).unwrap_or_default();
        let tail: Vec<&str> = said.lines().rev().take(30).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return Err(format!("{command:?} ended with status {}:\n{}", exit.status, tail.join("\n")).into());
    }
    let others = (machine::busy() - busy).saturating_sub(exit.cpu).as_secs_f64() / wall.as_secs_f64();
    Ok(Taken {
        wall,
        cpu: exit.cpu,
        anonymous: anonymous.into_inner(),
        resident: resident.into_inner(),
        max_resident: exit.max_resident,
        others,
        load: machine::load(),
        printed: std::fs::read_to_string(&out)?,
    })
}

/// A line of `/proc/…/status`, in bytes; 0 when it is not there.
fn kilobytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// How a child ended.
pub(crate) struct Exit {
    status: i32,
    pub(crate) cpu: Duration,
    max_resident: u64,
}

/// Waits for a child and asks the kernel what it used, which the standard library does not.
#[allow(unsafe_code)]
pub(crate) fn wait(pid: u32) -> Result<Exit> {
    let pid = libc::pid_t::try_from(pid)?;
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live values of this frame; the child is ours and nobody else waits for it.
        let ended = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if ended == pid {
            break;
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    Ok(Exit {
        // As a shell has it: the exit code, or 128 and the signal.
        status: if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) },
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        max_resident: usage.ru_maxrss.unsigned_abs() * 1024,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_process_took_is_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let idle = watch(&mut shell("sleep 0.2; echo done"), folder.path()).expect("it ends well");
        assert_eq!(idle.printed, "done\n");
        assert!(idle.wall >= Duration::from_millis(200) && idle.cpu < Duration::from_millis(150), "{idle:?}");
        assert!(idle.anonymous > 0 && idle.anonymous <= idle.max_resident, "{idle:?}");
        let large = watch(&mut shell("x=$(head -c 50000000 /dev/zero | tr '\\0' x); sleep 0.1"), folder.path());
        assert!(large.expect("it ends well").anonymous > idle.anonymous + 40_000_000);
    }

    #[test]
    fn a_process_that_fails_is_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = watch(&mut shell("echo out of luck >&2; exit 3"), folder.path()).expect_err("it fails");
        let said = error.to_string();
        assert!(said.contains("status 3") && said.contains("out of luck"), "{said}");
    }
}
