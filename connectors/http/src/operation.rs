//! Operations: a record or a batch of them, a call or several, and what became of each record.

use crate::answer::Sources;
use crate::connection::Connection;
use crate::find::Found;
use crate::given::{Completed, complete};
use crate::operation_plan::{CallPlan, FindPlan, How, Several};
use crate::plan::OperationPlan;
use crate::policy::Verdict;
use crate::template::Names;
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use towpath_connector::{Answer, Effect, Error, Operation, OperationInfo, Record, Result, Sketch, Verified, redact};

/// An operation of a connection.
pub(crate) struct ApiOperation {
    pub(crate) connection: Arc<Connection>,
    pub(crate) plan: Arc<OperationPlan>,
}

/// How one attempt at a record ended.
pub(crate) enum Attempt {
    Done(Record),
    /// Its status says that the record is there already.
    Exists(Record),
    Refused(String),
}

#[async_trait]
impl Operation for ApiOperation {
    fn info(&self) -> &OperationInfo {
        &self.plan.info
    }

    fn batch(&self) -> usize {
        self.plan.info.batch
    }

    fn sketch(&self, records: &[Record]) -> Result<Option<Sketch>> {
        self.sketched(records)
    }

    async fn send(&self, record: &Record) -> Result<Answer> {
        Ok(match self.attempt(record, &[]).await? {
            Attempt::Done(fields) | Attempt::Exists(fields) => Answer::Confirmed { fields },
            Attempt::Refused(message) => refused(&message),
        })
    }

    async fn send_batch(&self, records: &[Record]) -> Vec<Result<Answer>> {
        match &self.plan.how {
            How::Call(plan) if !matches!(plan.several, Several::No) => self.send_several(plan, records).await,
            _ => {
                let mut answers = Vec::with_capacity(records.len());
                for record in records {
                    answers.push(self.send(record).await);
                }
                answers
            }
        }
    }

    async fn verify(&self, record: &Record) -> Result<Verified> {
        let Some(plan) = &self.plan.verify else {
            let message = format!("{}: its definition does not say how to verify a record", self.plan.info.name);
            return Err(Error::user(message));
        };
        let record = match complete(&self.plan.fields, record, self.connection.config(), false)? {
            Completed::Good(record) => record,
            Completed::Bad(message) | Completed::Missing(message) => return Err(Error::data(message)),
        };
        let names = Names { record: &record, ..Names::config(self.connection.config()) };
        match self.find(&plan.find, &names).await? {
            Found::One(found) => {
                let found = Json::Object(found);
                let sources = Sources { status: None, answer: &found, warning: None, found: &Json::Null };
                Ok(Verified::Found { fields: crate::answer::taken(&plan.results, sources) })
            }
            Found::None => Ok(Verified::NotFound),
            Found::Several(candidates) => Ok(Verified::Ambiguous { candidates }),
            Found::Unfit(message) => {
                Err(Error::data(format!("{}: cannot be verified: {message}", self.plan.info.name)))
            }
        }
    }
}

/// Turned down, without secrets in the reason.
pub(crate) fn refused(message: &str) -> Answer {
    Answer::Refused { message: redact(message) }
}

impl ApiOperation {
    /// One attempt at a record. Where the call answers with one of the statuses `exists`, that is how it ended, whatever else
    /// that status means.
    ///
    /// # Errors
    /// As [`Operation::send`].
    pub(crate) async fn attempt(&self, record: &Record, exists: &[u16]) -> Result<Attempt> {
        // What is rare is boxed, so that the common way, a call for a record, stays small.
        match &self.plan.how {
            How::Call(plan) if matches!(plan.several, Several::No) => self.attempt_call(plan, record, exists).await,
            How::Call(plan) => {
                let answer = Box::pin(self.send_several(plan, std::slice::from_ref(record))).await.pop();
                match answer.unwrap_or_else(|| Err(Error::bug("a batch of one record has no outcome")))? {
                    Answer::Confirmed { fields } => Ok(Attempt::Done(fields)),
                    Answer::Refused { message } => Ok(Attempt::Refused(message)),
                }
            }
            How::Upsert(plan) => Box::pin(self.upsert(plan, record)).await,
        }
    }

    async fn attempt_call(&self, plan: &CallPlan, record: &Record, exists: &[u16]) -> Result<Attempt> {
        let config = self.connection.config();
        let record = match complete(&self.plan.fields, record, config, false)? {
            Completed::Good(record) => record,
            Completed::Bad(message) | Completed::Missing(message) => return Ok(Attempt::Refused(message)),
        };
        let names = Names { record: &record, ..Names::config(config) };
        let told = self.ask(plan, &names).await?;
        let sources = Sources { status: told.status, answer: &told.body, warning: None, found: &Json::Null };
        if told.status.is_some_and(|status| exists.contains(&status.as_u16())) {
            return Ok(Attempt::Exists(self.fields(sources)));
        }
        match told.verdict {
            Verdict::Refused(message) => return Ok(Attempt::Refused(message)),
            Verdict::Failed(error) => return Err(error),
            Verdict::Good | Verdict::Nothing => {}
        }
        let Some(find) = &plan.find_again else { return Ok(Attempt::Done(self.fields(sources))) };
        let created = Json::Object(self.fields(sources));
        let more = [("created", &created)];
        let found = json!({ "found": Box::pin(self.find_again(find, &names.with(&more))).await? });
        Ok(Attempt::Done(self.fields(Sources { found: &found, ..sources })))
    }

    /// Looks a record up that was just written; null when it is not found.
    ///
    /// # Errors
    /// It is not found yet, and sending the record once more does no harm. Elsewhere it stands that it was written.
    pub(crate) async fn find_again(&self, find: &FindPlan, names: &Names<'_>) -> Result<Json> {
        let info = &self.plan.info;
        let missed = match self.find(find, names).await {
            Ok(Found::One(found)) => return Ok(Json::Object(found)),
            Ok(Found::None) => {
                Error::passing(format!("{}: what was written is not found by {}", info.name, find.stream))
            }
            Ok(Found::Several(candidates)) => {
                Error::data(format!("{}: {} finds {candidates} of what was written", info.name, find.stream))
            }
            Ok(Found::Unfit(message)) => Error::data(format!("{}: {message}", info.name)),
            Err(error) => error,
        };
        if info.idempotent && missed.is_passing() {
            return Err(missed.effect(Effect::Unknown));
        }
        tracing::warn!(operation = info.name, "written, but not found again: {missed}");
        Ok(Json::Null)
    }
}
