//! Definitions that come with Towpath, compiled when somebody asks for them.
//!
//! Together they have hundreds of operations, of which a pipeline uses a handful: what it does not name costs it nothing.

use crate::builtin::{BUILTIN, from_definition};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use towpath_connector::{
    Connect, Connector, Described, Descriptor, Problem, Reader, Result, Settings, SinkAsk, SourceAsk, Writer,
};
use towpath_spec::Files;

/// The connectors that come with Towpath by name, none of them compiled yet.
pub fn builtin_by_name() -> impl Iterator<Item = (&'static str, Arc<dyn Connector>)> {
    BUILTIN.iter().map(|(path, text)| {
        let lazy: Arc<dyn Connector> = Arc::new(Lazy { path, text, made: OnceLock::new() });
        (path.trim_end_matches(".yaml"), lazy)
    })
}

struct Lazy {
    path: &'static str,
    text: &'static str,
    made: OnceLock<Arc<dyn Connector>>,
}

impl Lazy {
    fn made(&self) -> &Arc<dyn Connector> {
        self.made.get_or_init(|| {
            from_definition(&mut Files::new(), Path::new(self.path), self.text)
                .unwrap_or_else(|problems| panic!("{}: {:?}; a test holds that this cannot be", self.path, problems))
        })
    }
}

impl Connector for Lazy {
    fn descriptor(&self) -> &Descriptor {
        self.made().descriptor()
    }

    fn describe_connection(&self, settings: &Settings) -> Vec<Problem> {
        self.made().describe_connection(settings)
    }

    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Vec<Problem>> {
        self.made().describe_source(ask)
    }

    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Vec<Problem>> {
        self.made().describe_sink(ask)
    }

    fn reader(&self, connect: &Connect) -> Result<Arc<dyn Reader>> {
        self.made().reader(connect)
    }

    fn writer(&self, connect: &Connect) -> Result<Arc<dyn Writer>> {
        self.made().writer(connect)
    }
}
