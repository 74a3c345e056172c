//! Places where the death of a process would leave something half done: between an answer and its receipt, between a file and
//! its name.
//!
//! A test has a run die at one of them. That can be asked for only in builds for development; in a release there is
//! nothing here.

#[cfg(debug_assertions)]
use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// All of them, in the order in which a run comes by.
pub const BOUNDARIES: [&str; 14] = [
    "earlier-taken-over",
    "segment-written",
    "checkpoint-written",
    "before-journal",
    "after-journal",
    "before-send",
    "after-answer",
    "before-file",
    "after-file",
    "before-table",
    "after-table",
    "before-cursors",
    "after-cursors",
    "before-record",
];

#[cfg(debug_assertions)]
static DEATH: OnceLock<(String, AtomicU64)> = OnceLock::new();

/// Whoever is told of boundaries.
#[cfg(debug_assertions)]
type Watcher = Box<dyn FnMut(&'static str)>;

#[cfg(debug_assertions)]
thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Has `watcher` told of every boundary this thread comes by, in the place of the one before it.
#[cfg(debug_assertions)]
pub fn watch_boundaries(watcher: Option<Watcher>) {
    WATCHER.set(watcher);
}

/// Has this process die, without a word and without tidying up, when it comes by a boundary for the `n`th time, counted from
/// 1: `before-send:3`. False where that is not what was written. Of several calls the first counts.
#[cfg(debug_assertions)]
pub fn die_at(written: &str) -> bool {
    let (name, times) = written.split_once(':').unwrap_or((written, "1"));
    let Ok(times) = times.parse::<u64>() else { return false };
    BOUNDARIES.contains(&name) && times > 0 && DEATH.set((name.to_owned(), AtomicU64::new(times))).is_ok()
}

/// A run comes by a boundary.
pub fn boundary(name: &'static str) {
    debug_assert!(BOUNDARIES.contains(&name), "`{name}` is no boundary");
    #[cfg(debug_assertions)]
    if DEATH.get().is_some_and(|(wanted, left)| wanted == name && left.fetch_sub(1, Ordering::SeqCst) == 1) {
        std::process::abort();
    }
    #[cfg(debug_assertions)]
    if let Some(mut watcher) = WATCHER.take() {
        watcher(name);
        WATCHER.set(Some(watcher));
    }
}
