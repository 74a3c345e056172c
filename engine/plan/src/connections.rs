//! Connections: those of the project, of the environment and of the pipeline, and those written in place.

use crate::context::Context;
use crate::plan::Connection;
use crate::settings::SettingTemplate;
use std::sync::Arc;
use towpath_connector::{Connector, Descriptor, Setting};
use towpath_spec::document::{ConnectionDoc, Entry, Environment, Target, Tree};
use towpath_spec::{Diagnostic, Span, Text, codes};

/// Keys every connection to a SaaS system takes beside the connector's own are declared by the connector itself; this
/// module only joins what was written in several places.
pub(crate) struct Known {
    docs: Vec<ConnectionDoc>,
}

impl Known {
    /// Lays the environment over the project and the pipeline over both.
    pub fn new(
        context: &mut Context<'_>,
        project: &[ConnectionDoc],
        environment: Option<&Environment>,
        pipeline: &[ConnectionDoc],
    ) -> Self {
        let mut docs: Vec<ConnectionDoc> = project.to_vec();
        for doc in pipeline {
            docs.retain(|known| known.name != doc.name);
            docs.push(doc.clone());
        }
        for over in environment.map(|env| env.connections.as_slice()).unwrap_or_default() {
            match docs.iter_mut().find(|known| known.name == over.name) {
                Some(known) => lay_over(known, over),
                None if over.connector.is_some() => docs.push(over.clone()),
                // An override serves several pipelines; one that lacks the connection is not in error.
                None => {}
            }
        }
        let known = Self { docs };
        for doc in &known.docs {
            if doc.connector.is_none() {
                let message = format!("connection `{}` names no connector", doc.name);
                context.push(Diagnostic::error(codes::MISSING_KEY, doc.span, message).help("write `connector: NAME`"));
            }
        }
        known
    }

    /// Checks every connection, those nobody uses too.
    pub fn check_all(&self, context: &mut Context<'_>) {
        for doc in &self.docs {
            self.resolve(context, &doc.name);
        }
    }

    fn resolve(&self, context: &mut Context<'_>, name: &Text) -> Option<usize> {
        if let Some(at) = context.connections.iter().position(|connection| connection.name == name.value) {
            return Some(at);
        }
        let names = self.docs.iter().map(|doc| doc.name.value.as_str());
        if !context.known(codes::UNKNOWN_CONNECTION, "connection", name, names) {
            return None;
        }
        let doc = self.docs.iter().find(|doc| doc.name == *name)?;
        let connector = context.connector(doc.connector.as_ref()?)?;
        let written: Vec<_> = doc.settings.entries.iter().map(pair).collect();
        let declared: Vec<&Setting> = connector.descriptor().settings.iter().collect();
        let what = format!("connection `{name}` ({})", connector.descriptor().name);
        let settings = context.checked_connection(&what, connector.as_ref(), &declared, &written, doc.span);
        Some(context.add_connection(&doc.name.value, connector.descriptor(), settings, doc.span))
    }
}

fn lay_over(known: &mut ConnectionDoc, over: &ConnectionDoc) {
    if let Some(connector) = &over.connector {
        if known.connector.as_ref() != Some(connector) {
            known.settings.entries.clear();
        }
        known.connector = Some(connector.clone());
    }
    for entry in &over.settings.entries {
        known.settings.entries.retain(|old| old.key != entry.key);
        known.settings.entries.push(entry.clone());
    }
}

pub(crate) fn pair(entry: &Entry) -> (&Text, &Tree) {
    (&entry.key, &entry.value)
}

/// Where a node's data comes from or goes to, with the node's own settings still to be checked.
pub(crate) struct Resolved<'t> {
    pub connection: usize,
    pub connector: Arc<dyn Connector>,
    /// What was written at the node and is not a setting of the connection.
    pub own: Vec<(&'t Text, &'t Tree)>,
}

impl Context<'_> {
    /// A connector by name; the problem is reported, here or where its definition was read.
    pub fn connector(&mut self, name: &Text) -> Option<Arc<dyn Connector>> {
        if self.registry.is_broken(&name.value) {
            return None;
        }
        let names: Vec<String> = self.registry.names().map(str::to_owned).collect();
        if !self.known(codes::UNKNOWN_CONNECTOR, "connector", name, names.iter().map(String::as_str)) {
            return None;
        }
        self.registry.get(&name.value).cloned()
    }

    /// The settings of a connection, looked at by the connector too, unless something is wrong with them already.
    fn checked_connection(
        &mut self,
        what: &str,
        connector: &dyn Connector,
        declared: &[&Setting],
        written: &[(&Text, &Tree)],
        whole: Span,
    ) -> Vec<SettingTemplate> {
        let before = self.problem_count();
        let settings = self.check_settings(what, declared, written, whole);
        if self.problem_count() == before {
            let known = self.known_settings(declared, &settings);
            let place = |name: &str| settings.iter().find(|setting| setting.name == name).map(|setting| setting.span);
            let found = connector.describe_connection(&known);
            let problems = self.problems(codes::INVALID_VALUE, found, whole, place);
            self.diagnostics.extend(problems);
        }
        settings
    }

    fn add_connection(
        &mut self,
        name: &str,
        descriptor: &Descriptor,
        settings: Vec<SettingTemplate>,
        span: Span,
    ) -> usize {
        let connector = descriptor.name.clone();
        self.connections.push(Connection { name: name.to_owned(), connector, settings, span });
        self.connections.len() - 1
    }

    /// The connection a node talks to; one written in place takes its settings from among the node's own keys.
    pub fn target<'t>(
        &mut self,
        known: &Known,
        target: &Target,
        node: &Text,
        written: &'t [Entry],
        span: Span,
    ) -> Option<Resolved<'t>> {
        match target {
            Target::Connection(name) => {
                let connection = known.resolve(self, name)?;
                let connector = self.registry.get(&self.connections[connection].connector)?.clone();
                Some(Resolved { connection, connector, own: written.iter().map(pair).collect() })
            }
            Target::Connector(name) => {
                let connector = self.connector(name)?;
                let declared: Vec<&Setting> = connector.descriptor().settings.iter().collect();
                let (theirs, own): (Vec<_>, Vec<_>) = written
                    .iter()
                    .map(pair)
                    .partition(|(key, _)| declared.iter().any(|setting| setting.name == key.value));
                let what = format!("connector `{name}`");
                let settings = self.checked_connection(&what, connector.as_ref(), &declared, &theirs, span);
                let connection = self.add_connection(&node.value, connector.descriptor(), settings, span);
                Some(Resolved { connection, connector, own })
            }
        }
    }
}
