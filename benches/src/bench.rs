//! What all benchmarks share: where things are, runs in turn, findings.

use crate::Result;
use crate::args::Args;
use crate::memory::{Taken, watch};
use crate::numbers::median;
use crate::table::megabytes;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A session of measurements.
pub(crate) struct Bench {
    /// Generated data and what is written from it.
    pub folder: PathBuf,
    /// Sizes asked for; none: the benchmark's own.
    pub rows: Vec<u64>,
    repeat: u8,
    towpath: PathBuf,
    without: Option<PathBuf>,
    this: PathBuf,
}

/// What came out.
#[derive(Default)]
pub(crate) struct Report {
    /// Comparisons with a target.
    pub findings: Vec<Finding>,
    /// Each process that was run.
    pub runs: Vec<Run>,
}

impl Report {
    /// How much more memory the largest size took than the smallest; says nothing of a single size.
    pub(crate) fn growth(&mut self, bench: &str, what: &'static str, peaks: &[u64]) {
        let (Some(small), Some(large), true) = (peaks.first(), peaks.last(), peaks.len() > 1) else { return };
        let growth = *large as f64 / *small as f64;
        self.findings.push(Finding {
            bench: format!("{bench}, largest to smallest"),
            what,
            towpath: megabytes(*large),
            other: megabytes(*small),
            result: format!("{growth:.2}"),
            target: "≤ 1.20",
            met: growth <= GROWTH,
        });
    }
}

/// How much more memory a larger input may take than a smaller one.
const GROWTH: f64 = 1.2;

/// A comparison with a target.
pub(crate) struct Finding {
    /// Benchmark and size.
    pub bench: String,
    /// What is compared.
    pub what: &'static str,
    /// Of the command.
    pub towpath: String,
    /// Of the competitor, or what the target is compared with.
    pub other: String,
    /// The ratio, or the number itself.
    pub result: String,
    pub target: &'static str,
    pub met: bool,
}

/// A process that was run.
pub(crate) struct Run {
    pub bench: String,
    pub who: &'static str,
    pub taken: Taken,
}

/// Runs of the command and of its competitor, in turn.
pub(crate) struct Pairs {
    pub towpath: Vec<Taken>,
    pub bare: Vec<Taken>,
}

impl Bench {
    pub(crate) fn new(args: &Args) -> Result<Self> {
        let this = std::env::current_exe()?;
        let towpath = args.towpath.clone().unwrap_or_else(|| this.with_file_name("towpath"));
        if !towpath.is_file() {
            let message = "build everything first: cargo build --release --workspace";
            return Err(format!("{} is not there; {message}", towpath.display()).into());
        }
        let folder = args.data.clone().unwrap_or_else(|| std::env::temp_dir().join("towpath-benches"));
        std::fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let (rows, without) = (args.rows.clone(), args.without.clone());
        Ok(Self { folder, rows, repeat: args.repeat, towpath: towpath.canonicalize()?, without, this })
    }

    /// The sizes asked for, or these.
    pub(crate) fn sizes(&self, usual: &[u64]) -> Vec<u64> {
        if self.rows.is_empty() { usual.to_vec() } else { self.rows.clone() }
    }

    /// The command, in the folder of the data.
    pub(crate) fn towpath(&self) -> Command {
        let mut command = Command::new(&self.towpath);
        command.current_dir(&self.folder);
        command
    }

    /// `towpath run` of a pipeline, with state of its own each time.
    pub(crate) fn run(&self, pipeline: &Path) -> Result<Command> {
        self.run_of(&self.towpath, pipeline)
    }

    /// The same of another build of the command.
    pub(crate) fn run_of(&self, towpath: &Path, pipeline: &Path) -> Result<Command> {
        let state = self.folder.join("state");
        if state.exists() {
            std::fs::remove_dir_all(&state)?;
        }
        Ok(self.go_on(towpath, pipeline))
    }

    /// `towpath run` of a pipeline with the state that is there.
    pub(crate) fn run_again(&self, pipeline: &Path) -> Command {
        self.go_on(&self.towpath, pipeline)
    }

    fn go_on(&self, towpath: &Path, pipeline: &Path) -> Command {
        let mut command = Command::new(towpath);
        command.current_dir(&self.folder).arg("run").arg(pipeline);
        command.arg("--state").arg(self.folder.join("state")).arg("--no-color");
        command
    }

    /// The command as it is built without a journal.
    pub(crate) fn without_journal(&self) -> Result<PathBuf> {
        let help = "build it with `TOWPATH_WITHOUT_JOURNAL=1 cargo build --release`, copy it, and name the copy with `--without`";
        let without = self.without.clone().ok_or_else(|| format!("no command without a journal: {help}"))?;
        Ok(without.canonicalize()?)
    }

    /// How often a process is run.
    pub(crate) fn repeat(&self) -> u8 {
        self.repeat
    }

    /// This executable as one of its own children.
    pub(crate) fn child(&self, name: &str) -> Command {
        let mut command = Command::new(&self.this);
        command.current_dir(&self.folder).args(["--child", name, "--"]);
        command
    }

    /// Runs a process and keeps what it took in the report.
    pub(crate) fn watch(
        &self,
        report: &mut Report,
        bench: &str,
        who: &'static str,
        command: &mut Command,
    ) -> Result<Taken> {
        let taken = watch(command, &self.folder)?;
        let (wall, cpu, others) = (taken.wall.as_secs_f64(), taken.cpu.as_secs_f64(), taken.others);
        eprintln!("{bench}: {who} {wall:.2} s, {cpu:.2} s of processor, others used {others:.1} cores");
        report.runs.push(Run { bench: bench.to_owned(), who, taken: taken.clone() });
        Ok(taken)
    }

    /// Repeats something, in turn with what it is compared with.
    pub(crate) fn pairs(
        &self,
        mut towpath: impl FnMut() -> Result<Taken>,
        mut bare: impl FnMut() -> Result<Taken>,
    ) -> Result<Pairs> {
        let mut pairs = Pairs { towpath: Vec::new(), bare: Vec::new() };
        for _ in 0..self.repeat {
            pairs.towpath.push(towpath()?);
            pairs.bare.push(bare()?);
        }
        Ok(pairs)
    }

    /// Repeats something by itself.
    pub(crate) fn repeated(&self, run: impl FnMut() -> Result<Taken>) -> Result<Vec<Taken>> {
        std::iter::repeat_with(run).take(self.repeat.into()).collect()
    }

    /// A file of generated data: made when it is not there yet, and only then under its name.
    pub(crate) fn data(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<std::fs::File>) -> std::io::Result<()>,
    ) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if !path.exists() {
            eprintln!("making {}", path.display());
            let aside = self.folder.join(format!("{name}.part"));
            let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(&aside)?);
            write(&mut out)?;
            out.flush()?;
            std::fs::rename(&aside, &path)?;
        }
        Ok(path)
    }

    /// A small file, written anew.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

impl Pairs {
    /// The speed of the command as a share of the competitor's: the median of each.
    pub(crate) fn speed(&self) -> f64 {
        seconds(&self.bare) / seconds(&self.towpath)
    }

    /// The same of processor time, which other processes disturb less.
    pub(crate) fn thrift(&self) -> f64 {
        median_of(&self.bare, |taken| taken.cpu.as_secs_f64())
            / median_of(&self.towpath, |taken| taken.cpu.as_secs_f64())
    }
}

/// The median of what runs took.
pub(crate) fn median_of<T>(runs: &[T], of: impl Fn(&T) -> f64) -> f64 {
    median(runs.iter().map(of).collect())
}

/// The median of their times.
pub(crate) fn seconds(runs: &[Taken]) -> f64 {
    median_of(runs, |taken| taken.wall.as_secs_f64())
}

/// The greatest of what runs took.
pub(crate) fn most(runs: &[Taken], of: impl Fn(&Taken) -> u64) -> u64 {
    runs.iter().map(of).max().unwrap_or_default()
}
