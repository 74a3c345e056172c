//! A router as a definition describes it, made ready.

use crate::template::Slot;
use towpath_spec::Type;

/// See [`towpath_spec::definition::RouterDoc`].
#[derive(Clone)]
pub(crate) struct RouterPlan {
    pub(crate) over: Over,
    pub(crate) take: Vec<Take>,
    /// Slices read at a time; as many as the connection has requests at a time when none.
    pub(crate) concurrency: Option<usize>,
}

/// What there is a slice for.
#[derive(Clone)]
pub(crate) enum Over {
    /// Each record of another stream.
    Stream {
        stream: String,
        with: Vec<(String, Slot)>,
        /// Own parameters and the columns of the parent they are filled from.
        params: Vec<(String, String)>,
    },
    /// Each combination of values, by parameter.
    Values(Vec<(String, Slot)>),
}

/// A column that every row of a slice gets.
#[derive(Clone)]
pub(crate) struct Take {
    pub(crate) column: String,
    pub(crate) ty: Type,
    /// The column of the parent, or the parameter with values.
    pub(crate) from: String,
}

impl RouterPlan {
    /// The parameters it fills.
    pub(crate) fn fills(&self) -> Vec<&str> {
        match &self.over {
            Over::Stream { params, .. } => params.iter().map(|(name, _)| name.as_str()).collect(),
            Over::Values(values) => values.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// The parameter that is filled from what a taken column is taken from.
    pub(crate) fn param_of<'a>(&'a self, take: &'a Take) -> Option<&'a str> {
        match &self.over {
            Over::Stream { params, .. } => {
                params.iter().find(|(_, column)| *column == take.from).map(|(name, _)| name.as_str())
            }
            Over::Values(_) => Some(&take.from),
        }
    }
}
