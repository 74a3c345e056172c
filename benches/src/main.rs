//! Speed and memory of the `towpath` command beside what the same work costs without it.
//!
//! Every number is a ratio of two processes run in turn on the same machine with the same data: the command, found beside
//! this executable, and a bare competitor, which is this executable again (`--child …`). Neither is linked into the
//! other, so that each has its own allocator, threads and peak of memory. Time is from a process's start to its end, as a user
//! waits for it; only what is too short for that, templates as columns, is measured inside of this one.
//!
//! See `README.md` of this crate for how to run it and what came out.

mod api;
mod args;
mod bench;
mod csv;
mod group;
mod machine;
mod mapping;
mod memory;
mod numbers;
mod served;
mod table;
mod upload;
mod validate;
mod xml;

use args::{Args, Child, What};
use bench::{Bench, Report};
use clap::Parser;
use std::process::ExitCode;

/// The command's allocator, so that no ratio is one of allocators.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What went wrong, in words.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.child {
        Some(name) => child(*name, &args.rest),
        None => benchmarks(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn benchmarks(args: &Args) -> Result<()> {
    let bench = Bench::new(args)?;
    let mut report = Report::default();
    let wanted = |what: What| args.what == what || args.what == What::All;
    if wanted(What::Validate) {
        validate::measure(&bench, &mut report)?;
    }
    if wanted(What::Csv) {
        csv::measure(&bench, &mut report)?;
    }
    if wanted(What::Xml) {
        xml::measure(&bench, &mut report)?;
    }
    if wanted(What::Mapping) {
        mapping::measure(&bench, &mut report)?;
    }
    if wanted(What::Group) {
        group::measure(&bench, &mut report)?;
    }
    if wanted(What::Upload) {
        upload::measure(&bench, &mut report)?;
    }
    if args.what == What::Journal {
        upload::journal::measure(&bench, &mut report)?;
    }
    if wanted(What::Pages) {
        api::pages(&bench, &mut report)?;
    }
    if wanted(What::FanOut) {
        api::fan_out(&bench, &mut report)?;
    }
    table::print(&report);
    if args.clean {
        std::fs::remove_dir_all(&bench.folder)?;
    }
    Ok(())
}

fn child(name: Child, rest: &[String]) -> Result<()> {
    match name {
        Child::PolarsCsv => csv::by_hand::run(rest),
        Child::XmlScan => xml::scan::run(rest),
        Child::HumanFocus => upload::server::run(rest),
        Child::BareUpload => upload::bare::run(rest),
        Child::Api => api::server::run(rest),
        Child::BarePages => api::bare::pages(rest),
        Child::BareFanOut => api::bare::fan_out(rest),
    }
}
