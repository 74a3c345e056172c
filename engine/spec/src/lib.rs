//! Documents: YAML text in, positioned and checked documents or diagnostics out.
//!
//! Everything a user writes passes through this crate first. It keeps the position of every key and value, so that
//! whoever finds a problem later (the planner, the mapping compiler) can point at the very character.
//! It never does I/O, never reads the environment, and knows neither Polars nor Tokio: text goes in, values come out.

pub mod codes;
pub mod decode;
pub mod definition;
pub mod diagnostic;
pub mod document;
mod inside;
pub mod quantity;
pub mod reference;
pub mod render;
pub mod source_text;
pub mod types;
pub mod yaml;

pub use codes::explain;
pub use diagnostic::{Code, Diagnostic, Label, Severity};
pub use render::{render_github, render_human, render_json};
pub use source_text::{FileId, Files, Span, Text};
pub use types::{Field, Schema, Type};
pub use yaml::{parse_yaml, read_text};
