//! `towpath completions`.

use crate::args::{Cli, CompletionsArgs};
use crate::failure::Ended;
use clap::CommandFactory;
use std::process::ExitCode;

/// Writes a completion script to stdout.
pub fn completions(args: &CompletionsArgs) -> Ended {
    // Made as a whole first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "towpath", &mut script);
    print!("{}", String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
