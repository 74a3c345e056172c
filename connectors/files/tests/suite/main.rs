//! What the connectors for files promise.

mod cases;
mod fuzz;
mod hostile;
mod sinks;
mod source;
mod xml_against_tree;
mod xml_documents;
mod xml_windows;
