//! All connectors by name.

use crate::descriptor::{Described, Descriptor, Problem, SinkAsk, SourceAsk};
use crate::read::Reader;
use crate::settings::Settings;
use crate::write::Writer;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A kind of system that data can be read from or written to.
pub trait Connector: Send + Sync {
    /// What it is, for documentation and checks.
    fn descriptor(&self) -> &Descriptor;

    /// What is wrong with the settings of a connection, as far as they are known: an unknown value is null. Pure.
    fn describe_connection(&self, settings: &Settings) -> Vec<Problem> {
        let _ = settings;
        Vec::new()
    }

    /// What a source of it will give. No network, no environment; the head of a local file may be read.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Vec<Problem>>;

    /// Whether a sink of it makes sense. Pure.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Vec<Problem>>;

    /// Connects for reading. May do I/O later, starts nothing.
    ///
    /// # Errors
    /// When the settings do not make sense.
    fn reader(&self, connect: &Connect) -> Result<Arc<dyn Reader>>;

    /// Connects for writing. May do I/O later, starts nothing.
    ///
    /// # Errors
    /// When the settings do not make sense, or the connector cannot write.
    fn writer(&self, connect: &Connect) -> Result<Arc<dyn Writer>> {
        let _ = connect;
        Err(Error::user(format!("connector `{}` cannot write", self.descriptor().name)))
    }
}

/// What a connection is made with.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The connection's name in the pipeline; the connector's name when it is written in place.
    pub name: String,
    /// Its settings, rendered.
    pub settings: Settings,
    /// The folder relative paths start from.
    pub base: PathBuf,
    /// How long one request may take without a byte coming back.
    pub timeout: Duration,
}

/// The connectors that exist.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: BTreeMap<String, Arc<dyn Connector>>,
    broken: BTreeSet<String>,
}

impl Registry {
    /// No connectors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector under its own name; a later one of the same name takes its place.
    pub fn register(&mut self, connector: Arc<dyn Connector>) {
        self.connectors.insert(connector.descriptor().name.clone(), connector);
    }

    /// Notes that there is a connector of this name whose definition is wrong, which was told: nobody is to be told that there
    /// is none.
    pub fn register_broken(&mut self, name: impl Into<String>) {
        self.broken.insert(name.into());
    }

    /// Whether there is no more of a connector than a definition that is wrong.
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name) && !self.connectors.contains_key(name)
    }

    /// Adds a connector whose name is known without asking it, as asking may cost something.
    pub fn register_as(&mut self, name: impl Into<String>, connector: Arc<dyn Connector>) {
        self.connectors.insert(name.into(), connector);
    }

    /// A connector by name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Connector>> {
        self.connectors.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.connectors.keys().map(String::as_str)
    }

    /// All connectors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.connectors.values()
    }
}
