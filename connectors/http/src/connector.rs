//! A definition behind the contract.

use crate::connection::Connection;
use crate::connection_settings::connection_problems;
use crate::plan::Api;
use crate::reader::ApiReader;
use crate::writer::ApiWriter;
use serde_json::Value as Json;
use std::sync::{Arc, Mutex, PoisonError};
use towpath_connector::{
    Connect, Connector, Described, Descriptor, Problem, Reader, Record, Result, Settings, SinkAsk, SourceAsk, Writer,
};
use towpath_spec::diagnostic::did_you_mean;

/// Connections kept for the next who asks; a pipeline has two or three.
const KEPT: usize = 32;

/// A connector that interprets a definition.
pub(crate) struct HttpConnector {
    api: Arc<Api>,
    /// The latest connections, so that all that read and write through one share its login and its limits.
    open: Mutex<Vec<Open>>,
}

struct Open {
    name: String,
    settings: Record,
    connection: Arc<Connection>,
}

impl HttpConnector {
    pub(crate) fn new(api: Api) -> Self {
        Self { api: Arc::new(api), open: Mutex::default() }
    }

    fn connection(&self, connect: &Connect) -> Result<Arc<Connection>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&Open| one.name == connect.name && one.settings == *connect.settings.values();
        if let Some(one) = open.iter().find(same) {
            return Ok(Arc::clone(&one.connection));
        }
        let connection = Arc::new(Connection::open(&self.api, connect)?);
        if open.len() == KEPT {
            open.remove(0);
        }
        open.push(Open {
            name: connect.name.clone(),
            settings: connect.settings.values().clone(),
            connection: Arc::clone(&connection),
        });
        Ok(connection)
    }
}

impl Connector for HttpConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.api.descriptor
    }

    fn describe_connection(&self, settings: &Settings) -> Vec<Problem> {
        connection_problems(&self.api, settings)
    }

    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Vec<Problem>> {
        let mut problems = Vec::new();
        let names = self.api.streams.iter().map(|stream| stream.name.as_str());
        let stream = match ask.stream {
            None => {
                problems.push(Problem {
                    setting: Some("stream".to_owned()),
                    message: format!("connector `{}` needs a `stream`", self.api.descriptor.name),
                    help: did_you_mean("", names),
                });
                None
            }
            Some(name) => {
                let stream = self.api.stream(name);
                if stream.is_none() {
                    let message = format!("connector `{}` has no stream `{name}`", self.api.descriptor.name);
                    problems.push(Problem { help: did_you_mean(name, names), ..Problem::with("stream", message) });
                }
                stream
            }
        };
        if let Some(stream) = stream {
            problems.extend(param_problems(stream, ask.settings));
            if problems.is_empty() {
                return Ok(Described { schema: Some(stream.schema.clone()), warnings: Vec::new() });
            }
        }
        Err(problems)
    }

    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let names = self.api.operations.iter().map(|operation| operation.info.name.as_str());
        let message = match ask.operation {
            None => Some(format!("connector `{}` needs an `operation`", self.api.descriptor.name)),
            Some(name) if self.api.operation(name).is_none() => {
                Some(format!("connector `{}` has no operation `{name}`", self.api.descriptor.name))
            }
            Some(_) => None,
        };
        if let Some(message) = message {
            let help = did_you_mean(ask.operation.unwrap_or_default(), names);
            problems.push(Problem { help, ..Problem::with("operation", message) });
        }
        for key in ask.settings.values().keys() {
            problems.push(Problem::with(key, format!("an operation takes no setting `{key}`")));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn reader(&self, connect: &Connect) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(ApiReader { connection: self.connection(connect)? }))
    }

    fn writer(&self, connect: &Connect) -> Result<Arc<dyn Writer>> {
        Ok(Arc::new(ApiWriter { connection: self.connection(connect)? }))
    }
}

/// What is wrong with the parameters of a source, as far as they are known.
fn param_problems(stream: &crate::plan::StreamPlan, settings: &Settings) -> Vec<Problem> {
    let names = stream.params.iter().map(|param| param.setting.name.as_str()).chain(["lookback"]);
    let mut problems = Vec::new();
    for (key, value) in settings.values() {
        let Some(param) = stream.params.iter().find(|param| param.setting.name == *key) else {
            if key != "lookback" {
                let message = format!("stream `{}` has no parameter `{key}`", stream.name);
                problems.push(Problem { help: did_you_mean(key, names.clone()), ..Problem::with(key, message) });
            }
            continue;
        };
        let values = &param.setting.values;
        let written = crate::template::plain_text(value);
        if let (false, Json::String(_) | Json::Number(_), Some(written)) = (values.is_empty(), value, written)
            && !values.contains(&written)
        {
            let message = format!("parameter `{key}` is `{written}`, expected one of {}", values.join(", "));
            problems.push(Problem {
                help: did_you_mean(&written, values.iter().map(String::as_str)),
                ..Problem::with(key, message)
            });
        }
    }
    problems
}
