//! `overrides:` of a connection: what a definition says and a vendor does otherwise.
//!
//! Much of what vendors' documents leave out is a documented guess in a definition. A guess that proves wrong is put right
//! where it is used, per stream or operation, without touching the definition:
//! `overrides: {UploadExternalTraining: {path: /api/cbt/UploadTraining, method: PUT}}`. In a path, `{name}` stands for a
//! parameter of the stream or a field of the operation.

use crate::plan::{Api, OperationPlan, PagerKind, StreamPlan};
use crate::template::{PathTemplate, Scope, unplaced};
use reqwest::Method;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use towpath_connector::{Error, Problem, Result};
use towpath_spec::Files;
use towpath_spec::diagnostic::did_you_mean;

const KEYS: [&str; 4] = ["path", "method", "first_page", "page_size"];

/// The overrides of a connection, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides(BTreeMap<String, Override>);

#[derive(Debug, Clone, Default)]
struct Override {
    path: Option<PathTemplate>,
    method: Option<Method>,
    first_page: Option<i64>,
    page_size: Option<u64>,
}

impl Overrides {
    /// Reads the setting.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub(crate) fn read(setting: Option<&Json>, api: &Api) -> Result<Self> {
        Self::parse(setting, api).map_err(|problems| {
            let first = problems.into_iter().next();
            first.map_or_else(
                || Error::bug("overrides were refused without a reason"),
                |problem| {
                    let error = Error::user(format!("`overrides`: {}", problem.message));
                    match problem.help {
                        Some(help) => error.help(help),
                        None => error,
                    }
                },
            )
        })
    }

    /// Reads the setting.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn parse(setting: Option<&Json>, api: &Api) -> std::result::Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut all = BTreeMap::new();
        match setting {
            None => {}
            Some(Json::Object(given)) => {
                for (name, keys) in given {
                    if let Some(one) = one(name, keys, api, &mut problems) {
                        all.insert(name.clone(), one);
                    }
                }
            }
            Some(other) => {
                problems.push(problem(format!("expected a mapping by stream or operation, found `{other}`")))
            }
        }
        if problems.is_empty() { Ok(Self(all)) } else { Err(problems) }
    }

    /// A stream with its overrides.
    pub(crate) fn stream(&self, plan: &Arc<StreamPlan>) -> Result<Arc<StreamPlan>> {
        let Some(over) = self.0.get(&plan.name) else { return Ok(Arc::clone(plan)) };
        let mut plan = StreamPlan::clone(plan);
        over.apply_to_call(&mut plan.call);
        if let Some(pager) = &mut plan.pager {
            pager.size = over.page_size.or(pager.size);
            if let (PagerKind::Page { first, .. } | PagerKind::Offset { first }, Some(given)) =
                (&mut pager.kind, over.first_page)
            {
                *first = given;
            }
        }
        Ok(Arc::new(plan))
    }

    /// An operation with its overrides.
    pub(crate) fn operation(&self, plan: &Arc<OperationPlan>) -> Arc<OperationPlan> {
        let Some(over) = self.0.get(&plan.info.name) else { return Arc::clone(plan) };
        let mut plan = OperationPlan::clone(plan);
        over.apply_to_call(&mut plan.call);
        plan.info.request = plan.call.summary();
        Arc::new(plan)
    }
}

impl Override {
    fn apply_to_call(&self, call: &mut crate::call::Call) {
        if let Some(path) = &self.path {
            call.path = path.clone();
        }
        if let Some(method) = &self.method {
            call.method = method.clone();
        }
    }
}

fn problem(message: String) -> Problem {
    Problem::with("overrides", message)
}

fn one(name: &str, keys: &Json, api: &Api, problems: &mut Vec<Problem>) -> Option<Override> {
    let stream = api.stream(name);
    let operation = api.operation(name);
    let (root, members): (_, Vec<String>) = match (stream, operation) {
        (Some(stream), _) => ("params", stream.params.iter().map(|param| param.setting.name.clone()).collect()),
        (_, Some(operation)) => ("record", operation.fields.iter().map(|field| field.setting.name.clone()).collect()),
        _ => {
            let names = api.streams.iter().map(|stream| stream.name.as_str());
            let names = names.chain(api.operations.iter().map(|operation| operation.info.name.as_str()));
            let mut unknown = problem(format!("there is no stream or operation `{name}`"));
            unknown.help = did_you_mean(name, names);
            problems.push(unknown);
            return None;
        }
    };
    let Json::Object(keys) = keys else {
        problems.push(problem(format!("`{name}`: expected a mapping, found `{keys}`")));
        return None;
    };
    let before = problems.len();
    let over = read_keys(name, keys, root, &members, problems);
    let paged = stream.is_some_and(|stream| stream.pager.is_some());
    if !paged && (over.first_page.is_some() || over.page_size.is_some()) {
        problems.push(problem(format!("`{name}` has no pages: `first_page` and `page_size` have no meaning there")));
    }
    (problems.len() == before).then_some(over)
}

fn read_keys(
    name: &str,
    keys: &Map<String, Json>,
    root: &'static str,
    members: &[String],
    problems: &mut Vec<Problem>,
) -> Override {
    let mut over = Override::default();
    for (key, value) in keys {
        let expected = |what: &str| problem(format!("`{name}`: `{key}`: expected {what}, found `{value}`"));
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        match key.as_str() {
            "path" => match value.as_str() {
                Some(path) => over.path = path_of(name, path, root, members, problems),
                None => problems.push(expected("a path")),
            },
            "method" => match value.as_str().map(|text| text.to_ascii_uppercase()).and_then(|text| text.parse().ok()) {
                Some(method) => over.method = Some(method),
                None => problems.push(expected("an HTTP method")),
            },
            "first_page" => match number.filter(|number| *number >= 0) {
                Some(number) => over.first_page = Some(number),
                None => problems.push(expected("a number from 0")),
            },
            "page_size" => match number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0) {
                Some(number) => over.page_size = Some(number),
                None => problems.push(expected("a number from 1")),
            },
            _ => {
                let mut unknown = problem(format!("`{name}`: unknown key `{key}`"));
                unknown.help = did_you_mean(key, KEYS);
                problems.push(unknown);
            }
        }
    }
    over
}

/// A path with `{name}` in it.
fn path_of(
    name: &str,
    path: &str,
    root: &'static str,
    members: &[String],
    problems: &mut Vec<Problem>,
) -> Option<PathTemplate> {
    let mut written = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((member, after)) = after.split_once('}') else {
            problems.push(problem(format!("`{name}`: `path`: a `{{` without its `}}` in `{path}`")));
            return None;
        };
        written.push_str(before);
        written.push_str(&format!("{{{{ {root}.{member} }}}}"));
        rest = after;
    }
    written.push_str(rest);
    let scope = Scope::default().with(root, members.iter().cloned());
    let mut found = Vec::new();
    let template = PathTemplate::parse(&unplaced(written), &Files::new(), &scope, &mut found);
    problems.extend(found.into_iter().map(|diagnostic| {
        let mut wrong = problem(format!("`{name}`: `path`: {}", diagnostic.message));
        wrong.help = diagnostic.help;
        wrong
    }));
    template
}
