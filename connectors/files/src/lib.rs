//! Connectors for files: `csv`, `json`, `xml`, `parquet`, and `documents` for whole files.
//!
//! What Polars reads well it scans by itself (plain CSV, Parquet); everything else is read in one pass by a blocking
//! thread that hands batches over a bounded channel, so memory does not depend on the size of a file. No value is ever
//! turned into null because it did not fit: a row that does not fit is a reject, a file that is broken an error that
//! names the place. What is written appears under its name only when it is whole.

mod connector;
mod csv;
mod documents;
mod extract;
mod infer;
mod json;
mod open;
mod parquet;
mod paths;
mod sink;
pub mod threads;
mod typed;
pub mod xml;
mod xml_files;

use std::sync::Arc;
use towpath_connector::Connector;

/// All connectors of this crate.
pub fn connectors() -> Vec<Arc<dyn Connector>> {
    vec![
        connector::of(csv::Csv),
        connector::of(json::Json),
        connector::of(xml_files::Xml),
        connector::of(parquet::Parquet),
        Arc::new(documents::Documents::new()),
    ]
}
