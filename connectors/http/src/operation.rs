//! An operation: one record, one call, one answer.

use crate::call::Unready;
use crate::connection::Connection;
use crate::given::{Completed, complete};
use crate::plan::OperationPlan;
use crate::policy::{Answered, Verdict};
use crate::stream::content_type;
use crate::template::Names;
use async_trait::async_trait;
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use towpath_connector::{Answer, Effect, Error, Operation, OperationInfo, Record, Result, redact};
use towpath_mapping::Value;

/// The largest answer to a record that is taken in.
const ANSWER_LIMIT: usize = 16 << 20;

/// An operation of a connection.
pub(crate) struct ApiOperation {
    pub(crate) connection: Arc<Connection>,
    pub(crate) plan: Arc<OperationPlan>,
}

#[async_trait]
impl Operation for ApiOperation {
    fn info(&self) -> &OperationInfo {
        &self.plan.info
    }

    async fn send(&self, record: &Record) -> Result<Answer> {
        let (connection, plan) = (&self.connection, &self.plan);
        let config = connection.config();
        let record = match complete(&plan.fields, record, config, false)? {
            Completed::Good(record) => record,
            Completed::Bad(message) | Completed::Missing(message) => return Ok(refused(&message)),
        };
        let nothing = Json::Object(Map::new());
        let names = Names { config, params: &nothing, record: &record, page: &nothing };
        let request = match plan.call.prepare(&plan.info.name, &connection.surroundings(), &names) {
            Ok(request) => request,
            Err(Unready::Value(message)) => return Ok(refused(&message)),
            Err(unready) => return Err(unready.into_error(&plan.info.name)),
        };
        let reply = connection.exchange(&request, &plan.auth).await?;
        let (status, pause) = (reply.status(), reply.pause());
        let kind = content_type(reply.headers());
        let answered = Answered { connection, what: &plan.info.name, status, pause };
        let body = if status.is_success() {
            reply.bytes(ANSWER_LIMIT).await.map_err(|error| error.effect(Effect::Unknown))?
        } else {
            reply.head_of_body().await
        };
        match plan.policy.status(&answered, &body) {
            Verdict::Good => self.read(&answered, &kind, &body),
            Verdict::Nothing => Ok(Answer::Confirmed { fields: self.fields(&Json::Null) }),
            Verdict::Refused(message) => Ok(refused(&message)),
            Verdict::Failed(error) => Err(error),
        }
    }
}

/// Turned down, without secrets in the reason.
fn refused(message: &str) -> Answer {
    Answer::Refused { message: redact(message) }
}

impl ApiOperation {
    fn read(&self, answered: &Answered<'_>, kind: &str, body: &[u8]) -> Result<Answer> {
        let plan = &self.plan;
        let judged_by_status = matches!(plan.policy.success, crate::policy::Success::Status);
        let answer = match plan.policy.json(answered, kind, body) {
            Ok(Some(answer)) => answer,
            Ok(None) if judged_by_status => Json::Null,
            Ok(None) => {
                return Err(Error::remote(format!(
                    "{}: {} answered {} with an empty body, so nobody knows whether it was done",
                    answered.what,
                    answered.connection.host(),
                    answered.status
                ))
                .effect(Effect::Unknown));
            }
            // The status is the success and nothing is to be read from the body.
            Err(_) if judged_by_status && plan.results.is_empty() && !kind.contains("html") => Json::Null,
            Err(error) => return Err(error),
        };
        match plan.policy.content(answered, &answer) {
            Verdict::Refused(message) => Ok(refused(&message)),
            Verdict::Failed(error) => Err(error),
            Verdict::Good | Verdict::Nothing => Ok(Answer::Confirmed { fields: self.fields(&answer) }),
        }
    }

    /// The results. One that does not fit its type is kept as it came: the record was written, and that stands.
    fn fields(&self, answer: &Json) -> Record {
        self.plan
            .results
            .iter()
            .map(|(name, ty, path)| {
                let found = path.first(answer).cloned().unwrap_or(Json::Null);
                let value = match &found {
                    Json::Null => Json::Null,
                    found => Value::from_json(found, ty).map_or_else(|_| found.clone(), |value| value.to_json()),
                };
                (name.clone(), value)
            })
            .collect()
    }
}
