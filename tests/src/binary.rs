//! The binary, run as a user would, in an environment that holds nothing but what is given.

use crate::running::Running;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A command that takes longer is killed, and its test fails.
const LONGEST: Duration = Duration::from_secs(150);

/// The root of the repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are a folder of the repository").to_owned()
}

/// The binary beside the test, in the profile's target folder. Cargo gives a test only the binaries of its own package.
pub fn towpath_binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let profile = test.parent().and_then(Path::parent).expect("a test is built into target/PROFILE/deps");
    let binary = profile.join(format!("towpath{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "{} is missing: build it first, `cargo build -p towpath`", binary.display());
    binary
}

/// A command line of the binary.
#[derive(Debug, Clone)]
pub struct Towpath {
    words: Vec<OsString>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
    through: Option<String>,
}

impl Towpath {
    /// The bare command, run in a folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { words: Vec::new(), environment: Vec::new(), folder: folder.to_owned(), through: None }
    }

    /// Adds arguments.
    pub fn args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.words.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds arguments written as one line; no argument holds a space.
    pub fn line(self, line: &str) -> Self {
        self.args(line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Takes a variable away.
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// Lets a shell do something first, e.g. `ulimit -f 100`; the binary then takes its place.
    pub fn through(mut self, shell: &str) -> Self {
        self.through = Some(shell.to_owned());
        self
    }

    fn command(&self) -> std::process::Command {
        let mut command = match &self.through {
            None => std::process::Command::new(towpath_binary()),
            Some(before) => {
                let mut shell = std::process::Command::new("/bin/sh");
                shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(towpath_binary());
                shell
            }
        };
        command.args(&self.words).current_dir(&self.folder).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it.
    pub fn start(&self) -> Running {
        Running::new(self.command().spawn().expect("the binary starts"))
    }

    /// Runs it to its end.
    pub fn run(&self) -> Ran {
        let begun = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let output = runtime.block_on(async {
            let mut command = tokio::process::Command::from(self.command());
            let output = command.kill_on_drop(true).output();
            let ended = tokio::time::timeout(LONGEST, output).await;
            ended.unwrap_or_else(|_| panic!("{:?} took longer than {LONGEST:?}", self.words)).expect("the binary runs")
        });
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            took: begun.elapsed(),
        }
    }
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Ran {
    /// Demands an exit code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Demands that stderr holds a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}\n--- stderr\n{}", self.stderr);
        self
    }

    /// Stdout as one JSON value for each line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        self.stdout.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
    }
}
