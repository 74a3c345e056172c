//! An operation made of others: the record is looked up, then made or changed.

use crate::answer::Sources;
use crate::find::{Found, values};
use crate::given::{Completed, complete};
use crate::operation::{ApiOperation, Attempt};
use crate::operation_plan::{StepPlan, UpsertPlan};
use crate::template::Names;
use serde_json::{Map, Value as Json};
use std::pin::Pin;
use std::sync::Arc;
use towpath_connector::{Error, Record, Result};

/// What its steps found and answered, as its results see it.
#[derive(Default)]
struct Steps {
    found: Json,
    created: Json,
    updated: Json,
}

/// How a step of it ended.
type Ended<'a> = Pin<Box<dyn Future<Output = Result<Attempt>> + Send + 'a>>;

impl ApiOperation {
    pub(crate) async fn upsert(&self, plan: &UpsertPlan, record: &Record) -> Result<Attempt> {
        let config = self.connection.config();
        let record = match complete(&self.plan.fields, record, config, false)? {
            Completed::Good(record) => record,
            Completed::Bad(message) | Completed::Missing(message) => return Ok(Attempt::Refused(message)),
        };
        let names = Names { record: &record, ..Names::config(config) };
        let mut steps = Steps::default();
        if let Some(find) = &plan.find {
            match self.find(find, &names).await? {
                Found::One(found) => {
                    steps.found = Json::Object(found);
                    return self.change(plan, &record, steps).await;
                }
                Found::None => {}
                Found::Several(candidates) => {
                    let message =
                        format!("{} finds {candidates} that fit, and nobody can tell which one is meant", find.stream);
                    return Ok(Attempt::Refused(message));
                }
                Found::Unfit(message) => return Ok(Attempt::Refused(message)),
            }
        }
        match self.step(&plan.create, &record, &Json::Null, &plan.exists).await? {
            Attempt::Refused(message) => return Ok(Attempt::Refused(message)),
            Attempt::Exists(fields) => {
                steps.found = Json::Object(fields);
                return self.change(plan, &record, steps).await;
            }
            Attempt::Done(fields) => steps.created = Json::Object(fields),
        }
        if let Some(find) = plan.find.as_ref().filter(|_| plan.find_again) {
            steps.found = self.find_again(find, &names).await?;
        }
        Ok(self.done(steps, "created"))
    }

    /// Changes a record that is there.
    async fn change(&self, plan: &UpsertPlan, record: &Json, mut steps: Steps) -> Result<Attempt> {
        let Some(update) = &plan.update else { return Ok(self.done(steps, "found")) };
        match self.step(update, record, &steps.found, &[]).await? {
            Attempt::Refused(message) => Ok(Attempt::Refused(message)),
            Attempt::Done(fields) | Attempt::Exists(fields) => {
                steps.updated = Json::Object(fields);
                Ok(self.done(steps, "updated"))
            }
        }
    }

    /// Carries out an operation with those of its fields that the record has, and what the step gives it.
    fn step<'a>(&'a self, step: &'a StepPlan, record: &'a Json, found: &'a Json, exists: &'a [u16]) -> Ended<'a> {
        Box::pin(async move {
            let connection = &self.connection;
            let plan = connection.api().operation(&step.operation);
            let plan = plan.ok_or_else(|| Error::bug(format!("there is no operation `{}`", step.operation)))?;
            let plan = connection.overrides().operation(plan);
            let given = plan.fields.iter().filter_map(|field| {
                let name = &field.setting.name;
                Some((name.clone(), record.get(name)?.clone()))
            });
            let mut fields: Record = given.collect();
            let more = [("found", found)];
            let names = Names { record, ..Names::config(connection.config()) };
            fields.extend(values(&step.with, &names.with(&more))?);
            let operation = Self { connection: Arc::clone(connection), plan };
            operation.attempt(&fields, exists).await
        })
    }

    fn done(&self, steps: Steps, action: &str) -> Attempt {
        let told = Map::from_iter([
            ("found".to_owned(), steps.found),
            ("created".to_owned(), steps.created),
            ("updated".to_owned(), steps.updated),
            ("action".to_owned(), Json::from(action)),
        ]);
        let answer = Json::Object(told);
        Attempt::Done(self.fields(Sources { status: None, answer: &answer, warning: None, found: &Json::Null }))
    }
}
