//! Settings every connection has: what can be said of them before anything is sent.
//!
//! A value that is not known yet, as one of the environment, is null and passes here; [`crate::connection`] looks again.

use crate::call::base_url;
use crate::limiter::Pace;
use crate::overrides::Overrides;
use crate::plain;
use crate::plan::Api;
use reqwest::header::HeaderName;
use serde_json::Value as Json;
use std::time::Duration;
use towpath_connector::{Error, Problem, Settings};
use towpath_spec::diagnostic::did_you_mean;

/// What is wrong with the settings of a connection, as far as they are known.
pub(crate) fn connection_problems(api: &Api, settings: &Settings) -> Vec<Problem> {
    let names = api.descriptor.settings.iter().map(|setting| setting.name.as_str());
    let unknown =
        settings.values().keys().filter(|key| !key.starts_with("x-") && !names.clone().any(|name| name == *key));
    let mut problems: Vec<Problem> = unknown
        .map(|key| {
            let message = format!("connector `{}` has no setting `{key}`", api.descriptor.name);
            Problem { help: did_you_mean(key, names.clone()), ..Problem::with(key, message) }
        })
        .collect();
    if let Err(found) = Overrides::parse(settings.get("overrides"), api) {
        problems.extend(found);
    }
    problems.extend(rate(settings).err());
    problems.extend(concurrency(settings).err());
    problems.extend(timeout(settings).err());
    problems.extend(settings.get("headers").into_iter().flat_map(headers));
    problems.extend(address(api, settings));
    problems
}

/// Requests in a time.
pub(crate) fn rate(settings: &Settings) -> Result<Option<Pace>, Problem> {
    let Some(written) = settings.text("rate") else { return Ok(None) };
    Pace::parse(&written).map(Some).ok_or_else(|| {
        Problem::with("rate", format!("`rate` is `{written}`, expected a rate")).help("write it as `600/min` or `10/s`")
    })
}

/// Requests under way at a time.
pub(crate) fn concurrency(settings: &Settings) -> Result<Option<usize>, Problem> {
    let Some(number) = settings.int("concurrency") else { return Ok(None) };
    usize::try_from(number).ok().filter(|number| *number > 0).map(Some).ok_or_else(|| {
        Problem::with("concurrency", format!("`concurrency` is {number}, expected 1 or more"))
            .help("it is how many requests are under way at a time; with 1 they go one after the other")
    })
}

/// The time without a byte after which an answer is given up.
pub(crate) fn timeout(settings: &Settings) -> Result<Option<Duration>, Problem> {
    let Some(written) = settings.text("timeout") else { return Ok(None) };
    let seconds = written.trim().parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(Some).ok_or_else(|| {
        Problem::with("timeout", format!("`timeout` is `{written}`, expected more than 0 seconds"))
            .help("it is the time without a byte after which an answer is given up, e.g. `timeout: 60`")
    })
}

/// What is wrong with a setting, said when a connection is opened with it.
pub(crate) fn as_error(problem: Problem) -> Error {
    let error = Error::user(problem.message);
    match problem.help {
        Some(help) => error.help(help),
        None => error,
    }
}

fn headers(given: &Json) -> Vec<Problem> {
    let help = "write it as `headers: {X-Name: value}`";
    let Json::Object(given) = given else {
        return vec![Problem::with("headers", "`headers` expects a mapping of names to values").help(help)];
    };
    let mut problems = Vec::new();
    for (name, value) in given {
        if name.parse::<HeaderName>().is_err() {
            problems
                .push(Problem::with("headers", format!("`headers`: `{name}` is not the name of a header")).help(help));
        }
        // Values may be secret: they are not repeated.
        if value.is_array() || value.is_object() {
            problems.push(Problem::with("headers", format!("`headers`: `{name}` expects a text")).help(help));
        }
    }
    problems
}

fn address(api: &Api, settings: &Settings) -> Option<Problem> {
    let written = settings.text("base_url")?;
    let url = match base_url(&written) {
        Ok(url) => url,
        Err(error) => return Some(Problem { help: error.help, ..Problem::with("base_url", error.message) }),
    };
    // What is null is written, and its value not known yet.
    let is_given = |name: &str| settings.values().contains_key(name);
    let open = plain::is_open(&url) && settings.bool(plain::ALLOW) == Some(false);
    (open && plain::has_credentials(api, is_given)).then(|| plain::problem(&url))
}
