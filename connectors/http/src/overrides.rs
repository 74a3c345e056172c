//! `overrides:` of a connection: what a definition says and a vendor does otherwise.
//!
//! Much of what vendors' documents leave out is a documented guess in a definition. A guess that proves wrong is put right
//! where it is used, per stream or operation, without touching the definition:
//! `overrides: {UploadExternalTraining: {path: /api/cbt/UploadTraining, method: PUT}}`. In a path, `{name}` stands for a
//! parameter of the stream or a field of the operation, in the path of a login for a setting of the connection.

use crate::operation_plan::How;
use crate::plan::{Api, AuthPlan, AuthWay, OperationPlan, PagerKind, StreamPlan};
use crate::template::{PathTemplate, Scope, unplaced};
use reqwest::Method;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Error, Problem, Result};
use towpath_spec::Files;
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::quantity::parse_duration;

const KEYS: [&str; 4] = ["path", "method", "first_page", "page_size"];
const AUTH_KEYS: [&str; 5] = ["path", "method", "refresh_path", "expires_unit", "lifetime"];

/// The overrides of a connection, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    calls: BTreeMap<String, Override>,
    logins: BTreeMap<String, AuthOverride>,
}

/// What is otherwise at a login.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuthOverride {
    path: Option<PathTemplate>,
    method: Option<Method>,
    pub(crate) refresh_path: Option<PathTemplate>,
    /// Units of a lifetime in a second.
    pub(crate) per_second: Option<f64>,
    pub(crate) lifetime: Option<Duration>,
}

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
        let mut all = Self::default();
        match setting {
            None => {}
            Some(Json::Object(given)) => {
                for (name, keys) in given {
                    let login = api.auth.iter().find(|auth| auth.name == *name);
                    match login.filter(|_| api.stream(name).is_none() && api.operation(name).is_none()) {
                        Some(auth) => {
                            all.logins
                                .extend(login_keys(auth, keys, api, &mut problems).map(|one| (name.clone(), one)));
                        }
                        None => all.calls.extend(one(name, keys, api, &mut problems).map(|one| (name.clone(), one))),
                    }
                }
            }
            Some(other) => {
                problems.push(problem(format!("expected a mapping by stream or operation, found `{other}`")))
            }
        }
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    /// A stream with its overrides.
    pub(crate) fn stream(&self, plan: &Arc<StreamPlan>) -> Result<Arc<StreamPlan>> {
        let Some(over) = self.calls.get(&plan.name) else { return Ok(Arc::clone(plan)) };
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
        let Some(over) = self.calls.get(&plan.info.name) else { return Arc::clone(plan) };
        let mut plan = OperationPlan::clone(plan);
        if let Some(call) = plan.call_mut() {
            over.apply_to_call(call);
            plan.info.request = call.summary();
        }
        Arc::new(plan)
    }
}

impl Overrides {
    /// What is otherwise at a login.
    pub(crate) fn auth(&self, profile: &str) -> Option<&AuthOverride> {
        self.logins.get(profile)
    }
}

impl AuthOverride {
    /// The login's call, put right.
    pub(crate) fn apply(&self, call: &mut crate::call::Call) {
        Override { path: self.path.clone(), method: self.method.clone(), ..Override::default() }.apply_to_call(call);
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
        (_, Some(operation)) if matches!(operation.how, How::Upsert(_)) => {
            let composed = problem(format!("`{name}` is made of other operations and makes no call of its own"));
            problems.push(composed.help("set the overrides of those; `towpath connectors show` names them"));
            return None;
        }
        (_, Some(operation)) => ("record", operation.fields.iter().map(|field| field.setting.name.clone()).collect()),
        _ => {
            let names = api.streams.iter().map(|stream| stream.name.as_str());
            let names = names.chain(api.operations.iter().map(|operation| operation.info.name.as_str()));
            let names = names.chain(api.auth.iter().map(|auth| auth.name.as_str()));
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

/// The keys of a login.
fn login_keys(auth: &AuthPlan, keys: &Json, api: &Api, problems: &mut Vec<Problem>) -> Option<AuthOverride> {
    let name = &auth.name;
    let AuthWay::Token { spec, .. } = &auth.way else {
        problems.push(problem(format!("`{name}` makes no call: there is nothing to override")));
        return None;
    };
    let Json::Object(keys) = keys else {
        problems.push(problem(format!("`{name}`: expected a mapping, found `{keys}`")));
        return None;
    };
    let members: Vec<String> = api.descriptor.settings.iter().map(|setting| setting.name.clone()).collect();
    let before = problems.len();
    let mut over = AuthOverride::default();
    for (key, value) in keys {
        let text = value.as_str();
        let expected = |what: &str| problem(format!("`{name}`: `{key}`: expected {what}, found `{value}`"));
        match key.as_str() {
            "path" => match text {
                Some(path) => over.path = path_of(name, path, "config", &members, problems),
                None => problems.push(expected("a path")),
            },
            "refresh_path" => match text.filter(|_| spec.refresh.is_some()) {
                Some(path) => over.refresh_path = path_of(name, path, "config", &members, problems),
                None if spec.refresh.is_none() => problems.push(problem(format!("`{name}` is never refreshed"))),
                None => problems.push(expected("a path")),
            },
            "method" => match text.and_then(|text| text.to_ascii_uppercase().parse().ok()) {
                Some(method) => over.method = Some(method),
                None => problems.push(expected("an HTTP method")),
            },
            "expires_unit" => match text {
                Some("seconds") => over.per_second = Some(1.0),
                Some("milliseconds") => over.per_second = Some(1000.0),
                _ => problems.push(expected("`seconds` or `milliseconds`")),
            },
            "lifetime" => match text.and_then(|text| parse_duration(text).ok()) {
                Some(lifetime) => over.lifetime = Some(lifetime),
                None => problems.push(expected("a duration such as `PT1H`")),
            },
            _ => {
                let mut unknown = problem(format!("`{name}`: unknown key `{key}`"));
                unknown.help = did_you_mean(key, AUTH_KEYS);
                problems.push(unknown);
            }
        }
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
