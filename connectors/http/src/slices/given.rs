//! What is asked of a stream, and what is left for its slices to fill.

use super::plan::Over;
use super::windows::Range;
use crate::connection::Connection;
use crate::given::{Completed, complete};
use crate::plan::StreamPlan;
use crate::template::plain_text;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use towpath_connector::{Error, Record, Result};

/// A stream with what is given of its parameters.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) connection: Arc<Connection>,
    pub(crate) stream: Arc<StreamPlan>,
    /// As given.
    given: Record,
    /// Completed, without what slices fill.
    pub(crate) params: Json,
    /// From where to where, when it is read in windows.
    pub(crate) range: Option<Range>,
}

impl Ask {
    /// Checks the parameters. `from` is where a kept cursor has the read start.
    ///
    /// # Errors
    /// A sentence about parameters that are missing or do not fit, as the value; or something that cannot be filled in.
    pub(crate) fn new(
        connection: &Arc<Connection>,
        stream: Arc<StreamPlan>,
        mut given: Record,
        from: Option<DateTime<Utc>>,
    ) -> Result<std::result::Result<Self, Completed>> {
        let mut range = None;
        if let Some(incremental) = &stream.incremental {
            if incremental.has_windows() {
                range = Some(incremental.range(&given, from)?);
            } else if let Some(from) = from {
                given.insert(incremental.start.clone(), Json::from(incremental.written(from)));
            }
        }
        Ok(match complete(&stream.params, &given, connection.config(), true)? {
            Completed::Good(params) => Ok(Self { connection: Arc::clone(connection), stream, given, params, range }),
            bad => Err(bad),
        })
    }

    /// A parameter a pipeline gives.
    pub(crate) fn given(&self, name: &str) -> Option<&Json> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    /// Whether there is one slice for what a router goes over: there is none, or all that it would fill is given.
    pub(crate) fn is_single(&self) -> bool {
        let router = self.stream.router.as_ref();
        router.is_none_or(|router| router.fills().iter().all(|name| self.given(name).is_some()))
    }

    /// Whether a slice is one of those asked for: what is given of the parameters that routers fill has to be the same.
    pub(crate) fn admits(&self, filled: &Record) -> bool {
        let same = |(name, value): (&String, &Json)| {
            self.given(name).is_none_or(|given| plain_text(given) == plain_text(value))
        };
        filled.iter().all(same)
    }

    /// The parameters of a slice.
    ///
    /// # Errors
    /// A value does not fit its parameter.
    pub(crate) fn completed(&self, filled: &[&Record]) -> Result<Json> {
        if filled.iter().all(|filled| filled.is_empty()) {
            return Ok(self.params.clone());
        }
        let mut given = self.given.clone();
        for filled in filled {
            given.extend(filled.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        match complete(&self.stream.params, &given, self.connection.config(), true)? {
            Completed::Good(params) => Ok(params),
            Completed::Bad(message) | Completed::Missing(message) => {
                Err(Error::data(format!("{}: {message}", self.stream.name)))
            }
        }
    }

    /// What parameters of a parent say, and what values are gone over.
    pub(crate) fn names(&self) -> crate::template::Names<'_> {
        crate::template::Names { params: &self.params, ..crate::template::Names::config(self.connection.config()) }
    }

    /// Each combination of the values of a router, in the order written.
    ///
    /// # Errors
    /// A template that gives no list.
    pub(crate) fn combinations(&self) -> Result<Vec<Record>> {
        let Some(Over::Values(values)) = self.stream.router.as_ref().map(|router| &router.over) else {
            return Ok(vec![Map::new()]);
        };
        let mut all = vec![Map::new()];
        for (name, slot) in values {
            let list = match self.given(name) {
                Some(given) => vec![given.clone()],
                None => match slot.value(&self.names())? {
                    Json::Array(list) => list,
                    Json::Null => Vec::new(),
                    one => vec![one],
                },
            };
            all = all
                .iter()
                .flat_map(|before: &Record| {
                    list.iter().filter(|value| !value.is_null()).map(move |value| {
                        let mut next = before.clone();
                        next.insert(name.clone(), value.clone());
                        next
                    })
                })
                .collect();
        }
        Ok(all)
    }
}
