//! What a template may read: the names known when it is compiled, and the values known when it runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use towpath_spec::{Field, Files, Schema, Type};

use crate::macros::Macros;
use crate::value::Value;

/// The names a template may use, with their types.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The files the template comes from, for positions inside it.
    pub files: &'a Files,
    /// The columns of the input. `None`: not known yet; then neither names nor types of columns are checked.
    pub columns: Option<&'a Schema>,
    /// What `params.…` may read.
    pub params: &'a [Field],
    /// Further names that belong to a row, e.g. `record` of a lookup match.
    pub extra: &'a [Field],
    /// Macros of files, which may be called.
    pub macros: Option<&'a Macros<'a>>,
}

/// Facts about the run that templates may read.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// `run.id`.
    pub id: String,
    /// `run.pipeline`.
    pub pipeline: String,
    /// `run.started_at`, `now()` and (its UTC day) `today()`: fixed for the whole run.
    pub now: DateTime<Utc>,
}

/// Values that are the same for every row of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Constants {
    /// Values of `params.…`; a missing one is null.
    pub params: BTreeMap<String, Value>,
    /// Facts about the run.
    pub run: RunFacts,
}

impl Constants {
    /// Constants without parameters, for a run that started at `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        let run = RunFacts { id: String::new(), pipeline: String::new(), now };
        Self { params: BTreeMap::new(), run }
    }

    /// A fact about the run by its name in templates; null for an unknown one.
    pub fn run_fact(&self, name: &str) -> Value {
        match name {
            "id" => Value::from(self.run.id.as_str()),
            "pipeline" => Value::from(self.run.pipeline.as_str()),
            "started_at" => self.now(),
            _ => Value::Null,
        }
    }

    /// The time of the run in UTC.
    pub fn now(&self) -> Value {
        Value::DateTime { micros: self.run.now.timestamp_micros(), zone: Some("UTC".into()) }
    }

    /// The day of the run in UTC.
    pub fn today(&self) -> Value {
        Value::Date(crate::temporal::days(self.run.now.date_naive()))
    }
}

/// What `run.…` may read, with types.
pub(crate) fn run_fields() -> [Field; 3] {
    [
        Field::new("id", Type::Text).required(),
        Field::new("pipeline", Type::Text).required(),
        Field::new("started_at", Type::utc()).required(),
    ]
}

/// One row, by column name.
pub trait Row {
    /// The value of a column; null for a column the row does not have.
    fn get(&self, name: &str) -> Value;
}

impl Row for BTreeMap<String, Value> {
    fn get(&self, name: &str) -> Value {
        Self::get(self, name).cloned().unwrap_or(Value::Null)
    }
}

impl Row for indexmap::IndexMap<String, Value> {
    fn get(&self, name: &str) -> Value {
        Self::get(self, name).cloned().unwrap_or(Value::Null)
    }
}

/// The row of templates that read none.
impl Row for () {
    fn get(&self, _: &str) -> Value {
        Value::Null
    }
}
