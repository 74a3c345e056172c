//! Content handlers: many records in one document, as CSV or XML.

pub(super) mod courses;
mod csv;
pub(super) mod enterprise;
pub(super) mod external;
pub(super) mod training;
mod tree;
pub(super) mod users;
