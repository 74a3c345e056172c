//! One call of an operation, and what its answer says.

use crate::call::Unready;
use crate::operation::ApiOperation;
use crate::operation_plan::{CallPlan, ResultFrom, ResultPlan};
use crate::policy::{Answered, Success, Verdict};
use crate::stream::content_type;
use crate::template::Names;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};
use towpath_connector::{Effect, Error, Record, Result};
use towpath_mapping::Value;

/// The largest answer to a record that is taken in.
const ANSWER_LIMIT: usize = 16 << 20;

/// An answer, or why there was no call.
pub(crate) struct Told {
    /// `None`: the call cannot be made of these values.
    pub(crate) status: Option<StatusCode>,
    /// What it holds; null when there is nothing.
    pub(crate) body: Json,
    pub(crate) verdict: Verdict,
}

/// What results are taken from.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) status: Option<StatusCode>,
    pub(crate) answer: &'a Json,
    pub(crate) warning: Option<&'a str>,
    /// `{found: …}`, when the record was looked up again.
    pub(crate) found: &'a Json,
}

impl ApiOperation {
    /// Makes the call of an operation.
    ///
    /// # Errors
    /// No answer, or one whose meaning is not clear.
    pub(crate) async fn ask(&self, plan: &CallPlan, names: &Names<'_>) -> Result<Told> {
        let (connection, what) = (&*self.connection, &self.plan.info.name);
        let request = match plan.call.ready(what, connection, names).await {
            Ok(request) => request,
            Err(Unready::Value(message)) => {
                return Ok(Told { status: None, body: Json::Null, verdict: Verdict::Refused(message) });
            }
            Err(unready) => return Err(unready.into_error(what)),
        };
        let reply = connection.exchange(&request, &plan.auth).await?;
        let (status, pause) = (reply.status(), reply.pause());
        let kind = content_type(reply.headers());
        let answered = Answered { connection, what, status, pause };
        let bytes = reply.body(ANSWER_LIMIT).await.map_err(|error| error.effect(Effect::Unknown))?;
        let told = |body, verdict| Told { status: Some(status), body, verdict };
        match plan.policy.status(&answered, &bytes) {
            Verdict::Good => {
                let body = plan.body(&answered, &kind, &bytes, self.plan.results.is_empty())?;
                let verdict = plan.policy.content(&answered, &body);
                Ok(told(body, verdict))
            }
            Verdict::Nothing => Ok(told(Json::Null, Verdict::Good)),
            // What any other answer holds is asked for by an upsert alone, and need not be there.
            verdict @ (Verdict::Refused(_) | Verdict::Failed(_)) => {
                let body = plan.read(&answered, &kind, &bytes).ok().flatten();
                Ok(told(body.unwrap_or_default(), verdict))
            }
        }
    }

    /// The results of an answer.
    pub(crate) fn fields(&self, sources: Sources<'_>) -> Record {
        taken(&self.plan.results, sources)
    }
}

impl CallPlan {
    /// The body of a good answer, which must be there unless the status says it all.
    fn body(&self, answered: &Answered<'_>, kind: &str, bytes: &[u8], unread: bool) -> Result<Json> {
        let by_status = matches!(self.policy.success, Success::Status);
        match self.read(answered, kind, bytes) {
            Ok(Some(body)) => Ok(body),
            Ok(None) if by_status => Ok(Json::Null),
            Ok(None) => Err(Error::remote(format!(
                "{}: {} answered {} with an empty body, so nobody knows whether it was done",
                answered.what,
                answered.connection.host(),
                answered.status
            ))
            .effect(Effect::Unknown)),
            // The status is the success and nothing is to be read from the body.
            Err(_) if by_status && unread && !kind.contains("html") => Ok(Json::Null),
            Err(error) => Err(error),
        }
    }

    /// What a body holds; `None` when it is empty.
    fn read(&self, answered: &Answered<'_>, kind: &str, bytes: &[u8]) -> Result<Option<Json>> {
        self.policy.read(self.format, answered, kind, bytes)
    }
}

/// Results by name. One that does not fit its type is kept as it came: the record was written, and that stands.
pub(crate) fn taken(results: &[ResultPlan], sources: Sources<'_>) -> Record {
    let fields = results.iter().map(|result| {
        let found = match &result.from {
            ResultFrom::Status => sources.status.map_or(Json::Null, |status| json!(status.as_u16())),
            ResultFrom::Warning => Json::from(sources.warning),
            ResultFrom::Answer(path) => path.first(sources.answer).cloned().unwrap_or_default(),
            ResultFrom::Found(path) => path.first(sources.found).cloned().unwrap_or_default(),
        };
        let value = match &found {
            Json::Null => Json::Null,
            value => Value::from_json(value, &result.ty).map_or_else(|_| found.clone(), |value| value.to_json()),
        };
        (result.name.clone(), value)
    });
    fields.collect()
}
