//! What the end-to-end tests share: the binary, the stand-ins it is pointed at, and what it should have done to them.
//!
//! The tests run the `towpath` binary as a user does, with an empty environment but for what a test gives it. Stand-ins
//! run inside the test, so that their books and their faults are at hand. A mistake in here fails the test that made
//! it, with words; nothing in here makes a test pass.

mod binary;
mod cases;
mod completions;
mod house;
#[cfg(target_os = "linux")]
mod power;
mod running;
mod scratch;
mod stand_ins;
mod systems;

pub use binary::{Ran, Towpath, repository, towpath_binary};
pub use cases::{Expected, case_files, expected_files};
pub use completions::{Delivery, deliverable, deliverable_of_books, difference, uploads};
pub use house::{Source, code_lines, sources};
#[cfg(target_os = "linux")]
pub use power::Power;
pub use running::{Running, until};
pub use scratch::Scratch;
pub use stand_ins::{HUMAN_FOCUS, MAIN_JOB, World, node};
pub use systems::Systems;
