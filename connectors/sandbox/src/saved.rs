//! What a stand-in leaves for its next start: its state, with a label that says what state of which world it is.
//!
//! The label is checked before the state is looked at. A seeded row is never in the state but computed, so a state
//! in another world would be wrong without looking wrong: it is refused, never fitted in.

use std::fmt;

use serde_json::{Value, json};

use crate::{StandIn, seed::Seed};

/// Raised whenever the form of a state changes, or what equal seeds invent.
const FORMAT: u64 = 1;

/// Why a stand-in cannot start from what was saved. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreProblem {
    /// It carries no label of [`System::save`](crate::System::save).
    Unlabelled,
    /// It has another format version than this release reads.
    Format {
        /// The version it has.
        found: u64,
    },
    /// It is the state of another system.
    System {
        /// The system it is of.
        found: String,
    },
    /// It belongs to another [`Seed`].
    Seed {
        /// A part for each number that differs: name, saved, asked for.
        differences: Vec<String>,
    },
    /// The label is right, what it stands on is not.
    Damaged(String),
}

impl fmt::Display for RestoreProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlabelled => f.write_str("it was not saved by a stand-in"),
            Self::Format { found } => write!(f, "it has format version {found}, this release reads {FORMAT}"),
            Self::System { found } => write!(f, "it was saved by `{found}`"),
            Self::Seed { differences } => {
                write!(f, "it belongs to another invented world ({})", differences.join("; "))
            }
            Self::Damaged(what) => write!(f, "it is damaged: {what}"),
        }?;
        f.write_str("; delete the file it was saved in to begin anew")?;
        match self {
            Self::Seed { .. } => f.write_str(", or ask for the same world again"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for RestoreProblem {}

/// The state of a stand-in with its label.
pub(crate) fn labelled(stand_in: &dyn StandIn) -> Value {
    let mut saved = json!({
        "format": FORMAT,
        "system": stand_in.name(),
        "seed": stand_in.seed().facts().into_iter().collect::<Value>(),
    });
    saved["state"] = stand_in.save();
    saved
}

/// The state, if the label is the right one.
pub(crate) fn unlabelled(system: &str, seed: &Seed, mut saved: Value) -> Result<Value, RestoreProblem> {
    let found = saved["format"].as_u64().ok_or(RestoreProblem::Unlabelled)?;
    if found != FORMAT {
        return Err(RestoreProblem::Format { found });
    }
    match saved["system"].as_str() {
        Some(found) if found == system => {}
        Some(found) => {
            let found = found.to_owned();
            return Err(RestoreProblem::System { found });
        }
        None => return Err(RestoreProblem::Unlabelled),
    }
    let differences: Vec<String> = seed
        .facts()
        .into_iter()
        .filter(|(name, asked)| saved["seed"][*name] != *asked)
        .map(|(name, asked)| {
            let saved = &saved["seed"][name];
            format!("{name}: {} saved, {} asked for", plain(saved), plain(&asked))
        })
        .collect();
    match differences.is_empty() {
        true => Ok(saved["state"].take()),
        false => Err(RestoreProblem::Seed { differences }),
    }
}

fn plain(fact: &Value) -> String {
    match fact {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
