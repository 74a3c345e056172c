//! Connections of a run: settings filled in, readers and writers made once each.

use crate::runner::{Mode, Runner};
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use towpath_connector::{Connect, Connector, Error, Reader, Result, Settings, Writer, register_secret};
use towpath_mapping::Value;
use towpath_plan::{Connection, SettingTemplate};

/// How long a request may take without a byte coming back when nobody says.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Readers and writers by connection.
pub(crate) struct Connections {
    readers: Vec<OnceCell<Arc<dyn Reader>>>,
    writers: Vec<OnceCell<Arc<dyn Writer>>>,
}

impl Connections {
    pub fn new(count: usize) -> Self {
        Self {
            readers: (0..count).map(|_| OnceCell::new()).collect(),
            writers: (0..count).map(|_| OnceCell::new()).collect(),
        }
    }
}

impl Runner {
    /// The reader of a connection.
    pub(crate) async fn reader(&self, connection: usize) -> Result<Arc<dyn Reader>> {
        let make = || async { self.connector(connection)?.reader(&self.connect(connection)?) };
        self.connections.readers[connection].get_or_try_init(make).await.cloned()
    }

    /// The writer of a connection; whoever only reads has none.
    pub(crate) async fn writer(&self, connection: usize) -> Result<Arc<dyn Writer>> {
        if self.mode != Mode::Run {
            return Err(Error::bug("who only reads asked for a writer"));
        }
        let make = || async { self.connector(connection)?.writer(&self.connect(connection)?) };
        self.connections.writers[connection].get_or_try_init(make).await.cloned()
    }

    pub(crate) fn connector(&self, connection: usize) -> Result<Arc<dyn Connector>> {
        let name = &self.plan.connections[connection].connector;
        let found = self.world.registry.get(name).cloned();
        found.ok_or_else(|| Error::bug(format!("connector `{name}` went away")))
    }

    /// Settings of a connection with their values.
    pub(crate) fn connect(&self, connection: usize) -> Result<Connect> {
        let planned = &self.plan.connections[connection];
        let connector = self.connector(connection)?;
        let mut settings = Settings::default();
        for setting in connector.descriptor().settings.iter().filter(|setting| setting.default.is_some()) {
            settings.set(&setting.name, setting.default.clone().unwrap_or_default());
        }
        let stand_in = self.world.overrides.get(&planned.name);
        let overrides = stand_in.map(|stand_in| stand_in.settings.as_slice()).unwrap_or_default();
        for template in &planned.settings {
            if !overrides.iter().any(|(name, _)| *name == template.name) {
                settings.set(&template.name, self.render(template, &place(planned, template))?);
            }
        }
        let takes_timeout = connector.descriptor().settings.iter().any(|setting| setting.name == "timeout");
        if let Some(timeout) = self.options.timeout.filter(|_| takes_timeout) {
            settings.set("timeout", timeout.as_secs());
        }
        for (name, value) in overrides {
            settings.set(name, value.as_str());
        }
        for setting in &connector.descriptor().settings {
            match settings.text(&setting.name) {
                Some(value) if value.is_empty() && setting.required => {
                    return Err(empty(planned, &setting.name));
                }
                Some(value) if setting.secret => register_secret(&value),
                None if setting.required => return Err(empty(planned, &setting.name)),
                _ => {}
            }
        }
        Ok(Connect {
            name: planned.name.clone(),
            settings,
            base: self.plan.base.clone(),
            timeout: self.options.timeout.unwrap_or(TIMEOUT),
        })
    }

    /// Settings of a source or sink with their values; `declared` gives the defaults.
    pub(crate) fn settings(
        &self,
        declared: &[&towpath_connector::Setting],
        templates: &[SettingTemplate],
        node: usize,
    ) -> Result<Settings> {
        let mut settings = Settings::default();
        // A default that is a template is the connector's own to fill in.
        let is_plain = |default: &Json| !default.as_str().is_some_and(|text| text.contains("{{"));
        for setting in declared.iter().filter(|setting| setting.default.as_ref().is_some_and(is_plain)) {
            settings.set(&setting.name, setting.default.clone().unwrap_or_default());
        }
        for template in templates {
            let place = format!("`{}` of `{}`", template.name, self.plan.nodes[node].name);
            settings.set(&template.name, self.render(template, &place)?);
        }
        Ok(settings)
    }

    fn render(&self, template: &SettingTemplate, place: &str) -> Result<Json> {
        let mut names = Environment::default();
        for template in template.value.templates() {
            for root in template.roots() {
                let Some(name) = &root.field else { continue };
                let Some(value) = self.world.outside(&root.name, name) else { continue };
                if value.is_none() && !root.optional {
                    return Err(not_set(&root.name, name, place));
                }
                let given = if root.name == "secret" {
                    value.as_deref().into_iter().for_each(register_secret);
                    &mut names.secret
                } else {
                    &mut names.env
                };
                given.push((name.clone(), value.map_or(Value::Null, Value::from)));
            }
        }
        let params = Value::Struct(self.constants.params.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        let run = Value::Struct(
            ["id", "pipeline", "started_at"]
                .iter()
                .map(|name| ((*name).to_owned(), self.constants.run_fact(name)))
                .collect(),
        );
        let lookup = |name: &str| match name {
            "env" => Some(Value::Struct(names.env.iter().cloned().collect())),
            "secret" => Some(Value::Struct(names.secret.iter().cloned().collect())),
            "params" => Some(params.clone()),
            "run" => Some(run.clone()),
            "state" => Some(Value::Struct(Default::default())),
            _ => None,
        };
        template.value.render(&lookup, self.options.now).map_err(|reason| Error::user(format!("{place}: {reason}")))
    }
}

pub(crate) fn not_set(root: &str, name: &str, place: &str) -> Error {
    if root == "env" {
        return Error::user(format!("{place} needs the environment variable {name}, which is not set"))
            .help(format!("set it, e.g. `export {name}=…`"));
    }
    Error::user(format!("{place} needs the secret {name}, which is not set"))
        .help(format!("set the environment variable {name}, or put {name}=… into a file for `--secrets`"))
}

#[derive(Default)]
struct Environment {
    env: Vec<(String, Value)>,
    secret: Vec<(String, Value)>,
}

pub(crate) fn place(connection: &Connection, template: &SettingTemplate) -> String {
    format!("`{}` of connection `{}`", template.name, connection.name)
}

fn empty(connection: &Connection, setting: &str) -> Error {
    Error::user(format!("connection `{}`: `{setting}` is empty", connection.name))
        .help("give it a value; a variable that is set but empty gives none")
}
