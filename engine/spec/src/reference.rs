//! The reference page of the documents: what a user can write, mapping by mapping and step by step.
//!
//! The page is made of the tables below it, and tests hold the tables to the decoder: a key the decoder asks for and
//! no table knows, or the other way round, fails them, and so does an example with any problem in it.

mod documents;
mod page;
mod steps;
#[cfg(test)]
mod tests;

pub use page::markdown;

/// A key of a mapping.
struct Entry {
    key: &'static str,
    ty: &'static str,
    need: Need,
    doc: &'static str,
}

/// Whether a key has to be written.
#[derive(Clone, Copy)]
enum Need {
    /// Always.
    Required,
    /// Always, but for what the words say.
    RequiredBut(&'static str),
    /// It, or the others that say so.
    OneOf,
    /// Not at all, and nothing takes its place.
    Optional,
    /// Not at all: this takes its place.
    Default(&'static str),
}

/// A mapping.
struct Mapping {
    title: &'static str,
    /// What the decoder calls it, without its name.
    #[cfg_attr(not(test), expect(dead_code, reason = "ties the table to the decoder in tests"))]
    reader: &'static str,
    doc: &'static str,
    entries: &'static [Entry],
    /// What all other keys are, where there may be others.
    others: Option<&'static str>,
    /// Keys among the others that the language itself knows, read when the connector is known.
    later: &'static [Entry],
    example: Example,
}

/// YAML to look at, all of it valid.
enum Example {
    /// A whole pipeline file.
    Pipeline(&'static str),
    /// Keys of a pipeline file.
    InPipeline(&'static str),
    /// A whole project file.
    Project(&'static str),
    /// Keys of a project file.
    InProject(&'static str),
}

/// A step.
struct StepEntry {
    name: &'static str,
    /// What stands behind its key.
    takes: &'static str,
    doc: &'static str,
    /// Its own keys, where it has a mapping of them.
    keys: Option<StepKeys>,
    /// Items of `steps:`.
    example: &'static str,
}

/// The keys of a step.
struct StepKeys {
    #[cfg_attr(not(test), expect(dead_code, reason = "ties the table to the decoder in tests"))]
    reader: &'static str,
    entries: &'static [Entry],
}

const fn key(key: &'static str, ty: &'static str, need: Need, doc: &'static str) -> Entry {
    Entry { key, ty, need, doc }
}
