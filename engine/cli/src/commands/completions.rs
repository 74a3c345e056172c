//! `towpath completions`.

use crate::args::{Cli, CompletionsArgs};
use crate::failure::Ended;
use clap::CommandFactory;
use std::process::ExitCode;

/// Writes a completion script to stdout.
pub fn completions(args: &CompletionsArgs) -> Ended {
    clap_complete::generate(args.shell, &mut Cli::command(), "towpath", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
