//! Several records in one call, and what became of each.
//!
//! A batch that is turned down as a whole is split in two and sent again, until those that are turned down are alone. Only
//! after a clear refusal: where nobody knows what was done, nothing is sent again.

use crate::answer::{Sources, Told};
use crate::echo::{EchoPlan, Line};
use crate::given::{Completed, complete};
use crate::operation::{ApiOperation, refused};
use crate::operation_plan::{CallPlan, ItemsPlan, Several};
use crate::policy::{Answered, Verdict};
use crate::template::Names;
use reqwest::StatusCode;
use serde_json::Value as Json;
use std::ops::Range;
use towpath_connector::{Answer, Effect, Error, Record, Result};

/// How a call with several records ended.
enum Ended {
    /// With an outcome for each.
    Each(Vec<Result<Answer>>),
    /// It was turned down, and nothing of it was done.
    Refused(String),
    Failed(Error),
}

impl ApiOperation {
    /// Sends records in calls of as many as the operation takes; the outcomes are in their order.
    pub(crate) async fn send_several(&self, plan: &CallPlan, records: &[Record]) -> Vec<Result<Answer>> {
        let mut outcomes: Vec<Option<Result<Answer>>> = records.iter().map(|_| None).collect();
        let mut good = Vec::with_capacity(records.len());
        let mut places = Vec::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            match complete(&self.plan.fields, record, self.connection.config(), false) {
                Ok(Completed::Good(record)) => {
                    good.push(record);
                    places.push(at);
                }
                Ok(Completed::Bad(message) | Completed::Missing(message)) => {
                    outcomes[at] = Some(Ok(refused(&message)));
                }
                Err(error) => outcomes[at] = Some(Err(error)),
            }
        }
        for (at, outcome) in places.into_iter().zip(self.send_good(plan, &good).await) {
            outcomes[at] = Some(outcome);
        }
        let none = || Err(Error::bug("a record of a batch has no outcome").effect(Effect::Unknown));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(none)).collect()
    }

    async fn send_good(&self, plan: &CallPlan, records: &[Json]) -> Vec<Result<Answer>> {
        let size = self.plan.info.batch.max(1);
        let mut outcomes = Vec::with_capacity(records.len());
        // The next piece is at the end.
        let mut pieces: Vec<Range<usize>> =
            (0..records.len()).step_by(size).map(|at| at..(at + size).min(records.len())).rev().collect();
        while let Some(piece) = pieces.pop() {
            match self.call(plan, &records[piece.clone()]).await {
                Ended::Each(answers) => outcomes.extend(answers),
                Ended::Refused(_) if piece.len() > 1 => {
                    let middle = piece.start + piece.len() / 2;
                    pieces.extend([middle..piece.end, piece.start..middle]);
                }
                Ended::Refused(message) => outcomes.push(Ok(refused(&message))),
                Ended::Failed(error) => {
                    outcomes.extend(piece.map(|_| Err(error.clone())));
                    // Whoever is busy or down is not asked for the rest: it was not sent.
                    if error.is_passing() {
                        let rest = records.len() - outcomes.len();
                        outcomes.extend((0..rest).map(|_| Err(error.clone().effect(Effect::None))));
                        break;
                    }
                }
            }
        }
        outcomes
    }

    /// One call.
    async fn call(&self, plan: &CallPlan, records: &[Json]) -> Ended {
        let list = Json::Array(records.to_vec());
        let more = [("records", &list)];
        let names = Names::config(self.connection.config()).with(&more);
        // What takes one record at a time is written for `record`.
        let names = if self.plan.info.batch == 1 { Names { record: &records[0], ..names } } else { names };
        let Told { status, body, verdict } = match self.ask(plan, &names).await {
            Ok(told) => told,
            Err(error) => return Ended::Failed(error),
        };
        match verdict {
            Verdict::Refused(message) => return Ended::Refused(message),
            Verdict::Failed(error) => return Ended::Failed(error),
            Verdict::Good | Verdict::Nothing => {}
        }
        let status = status.unwrap_or_default();
        match &plan.several {
            Several::No | Several::Together => {
                Ended::Each(records.iter().map(|_| Ok(self.confirmed(status, &body, None))).collect())
            }
            Several::Items(items) => self.items(items, status, &body, records),
            Several::Echo(echo) => self.echo(echo, status, &body, records.len()),
        }
    }

    fn confirmed(&self, status: StatusCode, answer: &Json, warning: Option<&str>) -> Answer {
        let sources = Sources { status: Some(status), answer, warning, found: &Json::Null };
        Answer::Confirmed { fields: self.fields(sources) }
    }

    /// Nobody can tell what became of the records.
    fn unclear(&self, why: &str) -> Error {
        let message = format!("{}: {} answered, but {why}", self.plan.info.name, self.connection.host());
        Error::remote(message).effect(Effect::Unknown)
    }

    fn items(&self, plan: &ItemsPlan, status: StatusCode, body: &Json, records: &[Json]) -> Ended {
        let found = plan.path.all(body);
        // `$.results` and `$.results[*]` both mean the items.
        let found: Vec<&Json> = match found.as_slice() {
            [Json::Array(items)] => items.iter().collect(),
            _ => found,
        };
        let answered = Answered { connection: &self.connection, what: &self.plan.info.name, status, pause: None };
        let outcome = |item: &Json| match plan.policy.content(&answered, item) {
            Verdict::Good | Verdict::Nothing => Ok(self.confirmed(status, item, None)),
            Verdict::Refused(message) => Ok(refused(&message)),
            Verdict::Failed(error) => Err(error),
        };
        let Some((field, from)) = &plan.by else {
            if found.len() != records.len() {
                let why = format!("it has {} outcomes for {} records", found.len(), records.len());
                return Ended::Failed(self.unclear(&why));
            }
            return Ended::Each(found.into_iter().map(outcome).collect());
        };
        let mut left = found;
        let each = records.iter().map(|record| {
            let wanted = record.get(field).unwrap_or(&Json::Null);
            let is_its = |item: &&Json| from.first(item).is_some_and(|value| crate::policy::same(value, wanted));
            match left.iter().position(is_its) {
                Some(at) => outcome(left.remove(at)),
                None => Err(self.unclear(&format!("it has no outcome for `{field}` {wanted}"))),
            }
        });
        Ended::Each(each.collect())
    }

    fn echo(&self, plan: &EchoPlan, status: StatusCode, body: &Json, records: usize) -> Ended {
        let lines = match plan.read(body.as_str().unwrap_or_default(), records) {
            Ok(lines) => lines,
            Err(why) => return Ended::Failed(self.unclear(&why)),
        };
        let takes_warnings =
            self.plan.results.iter().any(|result| matches!(result.from, crate::operation_plan::ResultFrom::Warning));
        let each = lines.into_iter().map(|line| match line {
            Line::Done { row, warning } => {
                if let (Some(warning), false) = (&warning, takes_warnings) {
                    tracing::warn!(operation = self.plan.info.name, "{}", towpath_connector::redact(warning));
                }
                Ok(self.confirmed(status, &row, warning.as_deref()))
            }
            Line::Refused(message) => Ok(refused(&message)),
        });
        Ended::Each(each.collect())
    }
}
