//! Calls as they would be made, for those who only look. Nothing is sent: no login, no file is fetched.

use crate::body::{PartPayload, Payload};
use crate::call::Prepared;
use crate::given::{Completed, complete};
use crate::operation::ApiOperation;
use crate::operation_plan::{How, Several};
use crate::template::Names;
use serde_json::Value as Json;
use towpath_connector::{Error, MASK, Record, Result, Sketch, redact};

impl ApiOperation {
    pub(crate) fn sketched(&self, records: &[Record]) -> Result<Option<Sketch>> {
        // What an upsert sends depends on what it finds.
        let How::Call(plan) = &self.plan.how else { return Ok(None) };
        let config = self.connection.config();
        let mut whole = Vec::with_capacity(records.len());
        for record in records {
            match complete(&self.plan.fields, record, config, false)? {
                Completed::Good(record) => whole.push(record),
                Completed::Bad(message) | Completed::Missing(message) => return Err(Error::data(message)),
            }
        }
        let Some(first) = whole.first().cloned() else { return Ok(None) };
        let list = Json::Array(whole);
        let more = [("records", &list)];
        let alone = matches!(plan.several, Several::No) || self.plan.info.batch == 1;
        let names = Names::config(config);
        let names = if matches!(plan.several, Several::No) { names } else { names.with(&more) };
        let names = if alone { Names { record: &first, ..names } } else { names };
        let what = &self.plan.info.name;
        let prepared = plan.call.prepare(what, &self.connection.surroundings(), &names);
        prepared.map(|prepared| Some(shown(&prepared))).map_err(|unready| unready.into_error(what))
    }
}

fn shown(call: &Prepared) -> Sketch {
    let mut headers: Vec<(String, String)> = call
        .headers
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().ok().filter(|_| !value.is_sensitive()).unwrap_or(MASK);
            (name.to_string(), redact(value))
        })
        .collect();
    let body = match &call.body {
        Payload::None => None,
        Payload::Bytes { content_type, bytes } => {
            headers.push(("content-type".into(), content_type.to_string()));
            Some(redact(&String::from_utf8_lossy(bytes)))
        }
        Payload::Multipart(parts) => {
            headers.push(("content-type".into(), "multipart/form-data".into()));
            let lines = parts.iter().map(|(name, part)| match part {
                PartPayload::Text(text) => format!("{name}={}", redact(text)),
                PartPayload::File(_) => format!("{name}=<file>"),
            });
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
    };
    // In a URL the mask has letters that need no escape.
    Sketch { method: call.method.to_string(), url: call.shown(&call.url).replace("***", MASK), headers, body }
}
