//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures the towpath command beside bare competitors.
#[derive(Debug, Parser)]
#[command(name = "towpath-benches", max_term_width = 100)]
pub(crate) struct Args {
    /// What to measure
    #[arg(value_enum, default_value = "all")]
    pub what: What,
    /// Sizes instead of the usual ones: rows (csv), records (xml, upload), pages, people (fan-out), pipelines (validate)
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',')]
    pub rows: Vec<u64>,
    /// How often each process is run; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    pub repeat: u8,
    /// The folder of generated data, kept for the next time [default: towpath-benches in the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The command to measure [default: the one beside this executable]
    #[arg(long, value_name = "FILE")]
    pub towpath: Option<PathBuf>,
    /// For `journal`: the command as it is built with TOWPATH_WITHOUT_JOURNAL=1
    #[arg(long, value_name = "FILE")]
    pub without: Option<PathBuf>,
    /// Removes the folder of generated data at the end
    #[arg(long)]
    pub clean: bool,
    /// A process of a measurement
    #[arg(long, value_enum, hide = true)]
    pub child: Option<Child>,
    /// Arguments of that process
    #[arg(last = true, hide = true)]
    pub rest: Vec<String>,
}

/// Benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// CSV to Parquet, beside a plan written by hand in Polars
    Csv,
    /// Nested XML to Parquet, beside a bare scan of its events
    Xml,
    /// Checking pipelines
    Validate,
    /// Records into an API, beside a bare loop of requests
    Upload,
    /// Records into an API with a journal and without, and a start with a million receipts; not part of `all`
    Journal,
    /// A thousand pages of an API to Parquet, beside a bare loop of requests
    Pages,
    /// Ten thousand calls, one for each record of a parent, beside a bare loop of requests
    FanOut,
    /// Templates as columns, beside Polars by hand and MiniJinja row by row; every function beside its interpreter
    Mapping,
    /// A group-by with more keys than memory is allowed for
    Group,
    /// All of them
    All,
}

/// Processes of this executable that take part in a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Child {
    PolarsCsv,
    XmlScan,
    HumanFocus,
    BareUpload,
    Api,
    BarePages,
    BareFanOut,
}
