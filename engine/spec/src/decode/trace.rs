//! What the decoder asked for, kept in tests: the reference of the documents is held to it.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// What was asked of one mapping.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// What the mapping is, as its messages say.
    pub what: String,
    /// All keys asked for.
    pub keys: BTreeSet<String>,
    /// Those without which there is a problem.
    pub required: BTreeSet<String>,
    /// Those of which at least one must be written.
    pub one_of: BTreeSet<String>,
    /// Whether keys nobody asked for are kept for somebody else.
    pub rest: bool,
}

thread_local! {
    static ASKED: RefCell<Vec<Asked>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what was asked of a mapping.
pub(crate) fn keep(asked: Asked) {
    ASKED.with_borrow_mut(|all| all.push(asked));
}

/// All that was kept on this thread, which is forgotten.
pub(crate) fn take() -> Vec<Asked> {
    ASKED.take()
}
