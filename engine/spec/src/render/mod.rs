//! Diagnostics as people, programs and GitHub want to see them; always in the order of files and positions.

mod human;
mod machine;

pub use human::render_human;
pub use machine::{render_github, render_json};

use crate::diagnostic::Diagnostic;

/// Diagnostics by file, place and code.
fn in_order(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|problem| (problem.span.file, problem.span.start, problem.span.end, problem.code));
    ordered
}
