//! One file a command.

pub mod check;
pub mod completions;
pub mod connectors;
pub mod connectors_new;
pub mod connectors_test;
pub mod explain;
pub mod graph;
pub mod init;
pub mod plan;
pub mod preview;
pub mod rejects;
pub mod rejects_replay;
pub mod run;
pub mod runs;
pub mod sandbox;
pub mod state;
pub mod state_copy;
pub mod state_held;
pub mod validate;
