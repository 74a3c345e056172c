//! What a plan that is carried out later says of the records it sends, and of the state it was made of.
//!
//! A run that is held to a plan sends no record the plan did not have: what came since is left for a later run. It begins only
//! where the state is as it was. What this does not hold: files and tables get what the sources give by then, and so does a
//! sink that could not be planned because it depends on what another one is answered.

use crate::error::state_error;
use crate::payload::Hash;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use towpath_connector::{Error, Result};
use towpath_state::{RunId, Scope, Store};

/// What a run is held to.
#[derive(Debug, Clone, Default)]
pub struct Promise {
    /// What the state was, as [`Planned::state`](crate::Planned) has it.
    pub state: String,
    sends: HashMap<String, HashSet<Hash>>,
}

impl Promise {
    /// Reads what [`packed`] wrote of each sink.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(state: &str, sends: &BTreeMap<String, String>) -> Result<Self> {
        let mut promise = Self { state: state.to_owned(), sends: HashMap::new() };
        for (sink, text) in sends {
            let bytes =
                BASE64.decode(text.as_bytes()).ok().filter(|bytes| bytes.len().is_multiple_of(size_of::<Hash>()));
            let bytes = bytes.ok_or_else(|| Error::user(format!("the records of `{sink}` cannot be read")))?;
            let records = bytes.chunks_exact(size_of::<Hash>()).filter_map(|record| record.try_into().ok());
            promise.sends.insert(sink.clone(), records.collect());
        }
        Ok(promise)
    }

    /// The records a sink sends; none where nobody could tell.
    pub(crate) fn of(&self, sink: &str) -> Option<&HashSet<Hash>> {
        self.sends.get(sink)
    }
}

/// The records of each sink as they are kept in a file.
pub fn packed(sends: &BTreeMap<String, Vec<[u8; 16]>>) -> BTreeMap<String, String> {
    sends.iter().map(|(sink, records)| (sink.clone(), BASE64.encode(records.as_flattened()))).collect()
}

/// What a record is known by in a plan: its key and its content.
pub(crate) fn record(key: &Hash, payload: &Hash) -> Hash {
    let digest = Sha256::new().chain_update(key).chain_update(payload).finalize();
    let mut out = Hash::default();
    out.copy_from_slice(&digest[..size_of::<Hash>()]);
    out
}

/// What tells one state of a scope from another: its latest run but `this` one, its cursors, what its journal counts and holds.
pub(crate) fn state_of(store: &Store, scope: &Scope, this: &RunId) -> Result<String> {
    let read = || -> towpath_state::Result<Json> {
        let runs = store.runs_of(scope, 2)?;
        let latest = runs.iter().map(|run| run.start.id).find(|run| run != this);
        let cursors = store.cursors(scope)?;
        let cursors = cursors.iter().map(|it| json!([it.node, it.value, it.updated_at.timestamp_millis()]));
        let journal = store.journal_counts(scope)?;
        let journal = journal.iter().map(|it| {
            let counts = it.counts;
            json!([it.sink, it.target, counts.intents, counts.confirmed, counts.refused, counts.unknown])
        });
        let held = store.unknown(scope)?;
        let held = held.iter().map(|it| json!([it.sink, it.target, it.key_hash, it.receipt.at.timestamp_millis()]));
        Ok(json!([
            latest.map(|run| run.to_string()),
            cursors.collect::<Vec<_>>(),
            journal.collect::<Vec<_>>(),
            held.collect::<Vec<_>>(),
        ]))
    };
    let whole = read().map_err(|error| state_error(&error))?;
    Ok(HEXLOWER.encode(&Sha256::digest(whole.to_string())[..size_of::<Hash>()]))
}
