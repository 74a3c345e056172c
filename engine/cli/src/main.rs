//! The `towpath` command: the only crate that prints, exits, or reads the environment.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 run failed, 2 wrong usage, 3 done with rejects
//! above the limit or unknown outcomes, 4 a plan with changes, 75 failed for a passing reason, 78 files invalid, 130 interrupted.

mod args;
mod commands;
mod documents;
mod failure;
mod fields;
mod logging;
mod plan_file;
mod plan_text;
mod progress;
mod reference;
mod registry;
mod screen;
mod secrets;
mod stand_ins;
mod state;
mod summary;
mod table;
mod world;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

/// Polars' hash-heavy steps are much faster with it than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    if let Ok(boundary) = std::env::var("TOWPATH_DIE_AT") {
        assert!(towpath_connector::die_at(&boundary), "`{boundary}` is no boundary of a run");
    }
    screen::tell_crashes_without_secrets();
    let cli = Cli::parse();
    screen::set_up(cli.shared.no_color);
    logging::set_up(&cli.shared);
    let shared = &cli.shared;
    let ended = match cli.command {
        Command::Init(args) => commands::init::init(&args),
        Command::Validate(args) => commands::validate::validate(&args, shared),
        Command::Check(args) => commands::check::check(&args, shared),
        Command::Run(args) => commands::run::run(&args, shared),
        Command::Plan(args) => commands::plan::plan(&args, shared),
        Command::Preview(args) => commands::preview::preview(&args, shared),
        Command::Graph(args) => commands::graph::graph(&args, shared),
        Command::Connectors(args) => commands::connectors::connectors(&args, shared),
        Command::Sandbox(args) => commands::sandbox::sandbox(&args),
        Command::Runs(args) => commands::runs::runs(&args, shared),
        Command::Rejects(args) => commands::rejects::rejects(&args, shared),
        Command::State(args) => commands::state::state(&args, shared),
        Command::Explain(args) => commands::explain::explain(&args),
        Command::Completions(args) => commands::completions::completions(&args),
        Command::Reference(args) => reference::write(&args),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => failure.report(shared),
    }
}
