//! The reference of functions as data, for the page generated from it.

use crate::functions;
pub use crate::functions::{Example, FunctionKind};

/// A function, filter or test as the manual shows it.
#[derive(Debug, Clone)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// What it is used as.
    pub kinds: &'static [FunctionKind],
    /// How it is called.
    pub signature: &'static str,
    /// What it does: Markdown, the first sentence being the summary.
    pub doc: &'static str,
    /// Worked examples; every one is run by a test.
    pub examples: &'static [Example],
}

/// All functions, by name.
pub fn reference() -> Vec<FunctionDoc> {
    let doc = |function: &functions::Function| FunctionDoc {
        name: function.name,
        kinds: function.kinds,
        signature: function.signature,
        doc: function.doc,
        examples: function.examples,
    };
    let mut all: Vec<FunctionDoc> = functions::all().map(doc).collect();
    all.sort_by_key(|function| function.name);
    all
}
