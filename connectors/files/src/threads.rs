//! Sources that read in a thread of their own, for other connectors to local data.

pub use crate::extract::{Batches, source};
