//! `towpath explain`.

use crate::args::ExplainArgs;
use crate::failure::{Ended, Failure};
use std::process::ExitCode;
use towpath_spec::codes;
use towpath_spec::diagnostic::did_you_mean;

/// Prints the page of a code, or the list of codes.
pub fn explain(args: &ExplainArgs) -> Ended {
    let Some(code) = &args.code else {
        let width = codes::ALL.iter().map(|entry| entry.code.len()).max().unwrap_or_default();
        for entry in codes::ALL {
            println!("{:width$}  {}", entry.code, entry.about);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(page) = codes::explain(code) else {
        let help = did_you_mean(code, codes::ALL.iter().map(|entry| entry.code)).unwrap_or_default();
        return Err(Failure::usage(format!("unknown code `{code}`"), help));
    };
    print!("{page}");
    Ok(ExitCode::SUCCESS)
}
