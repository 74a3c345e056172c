//! The documents a user writes, as typed and positioned values.

mod kind;
mod pipeline;
mod read;
mod reshape;
mod tree;

pub use kind::{DocumentKind, document_kind, open_document};
pub use pipeline::*;
pub use read::{STEPS, read_pipeline, read_project};
pub use reshape::*;
pub use tree::{Entry, Map, Scalar, Tree, Value};
