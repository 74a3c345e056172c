//! Credentials of a connection, made of its settings.

use super::{Credential, Expiry, Refresh, TokenSource, TokenSpec, basic, sensitive};
use crate::call::Surroundings;
use crate::overrides::{AuthOverride, Overrides};
use crate::plan::{Api, AuthPlan, AuthWay, TokenPlan};
use crate::template::{Names, Template};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::Value as Json;
use towpath_connector::{Result, register_secret};
use url::Url;

/// What credentials are made of.
pub(crate) struct Makings<'a> {
    pub(crate) config: &'a Json,
    pub(crate) base: &'a Url,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) overrides: &'a Overrides,
    /// The connection's name.
    pub(crate) connection: &'a str,
}

/// The credentials of every profile. One whose settings are not given is an error for the calls that use it, not here.
///
/// # Errors
/// A value cannot be sent.
pub(crate) fn credentials(api: &Api, given: &Makings<'_>) -> Result<Vec<Credential>> {
    api.auth
        .iter()
        .map(|plan| {
            let missing = missing(plan, given.config, |value| value.is_null());
            if missing.is_empty() { given.credential(api, plan) } else { Ok(Credential::Missing(vec![missing])) }
        })
        .collect()
}

/// Settings a profile cannot do without and that are not there.
fn missing(plan: &AuthPlan, config: &Json, none: impl Fn(&Json) -> bool) -> Vec<String> {
    let absent = |name: &&String| config.get(name.as_str()).is_none_or(&none);
    plan.needs.iter().filter(absent).cloned().collect()
}

impl Makings<'_> {
    fn credential(&self, api: &Api, plan: &AuthPlan) -> Result<Credential> {
        let names = Names::config(self.config);
        let text = |template: &Template| template.text(&names).map(Option::unwrap_or_default);
        let (mut headers, mut query) = (HeaderMap::new(), Vec::new());
        match &plan.way {
            AuthWay::None => {}
            AuthWay::Basic { username, password } => {
                headers.insert(AUTHORIZATION, basic(&text(username)?, &text(password)?)?);
            }
            AuthWay::Bearer { token } => {
                headers.insert(AUTHORIZATION, sensitive(&AUTHORIZATION, &format!("Bearer {}", text(token)?))?);
            }
            AuthWay::Header { headers: templates } => {
                for (name, template) in templates {
                    headers.insert(name.clone(), sensitive(name, &text(template)?)?);
                }
            }
            AuthWay::Query { params } => {
                for (name, template) in params {
                    let value = text(template)?;
                    register_secret(&value);
                    query.push((name.clone(), value));
                }
            }
            AuthWay::Choice { of } => return Ok(self.choice(api, of)),
            AuthWay::Token { call, spec } => {
                let over = self.overrides.auth(&plan.name);
                let mut call = call.clone();
                if let Some(over) = over {
                    over.apply(&mut call);
                }
                // The login needs no files.
                let around = Surroundings { base: self.base, headers: self.headers, folder: std::path::Path::new("") };
                let what = format!("{} (the login of connection `{}`)", plan.name, self.connection);
                let request = call.prepare(&what, &around, &names).map_err(|unready| unready.into_error(&what))?;
                return Ok(Credential::Token(Box::new(TokenSource::new(token_spec(spec, over, what), request))));
            }
        }
        Ok(Credential::Fixed { headers, query, settings: plan.needs.clone() })
    }

    /// The first of several whose settings are given; what is blank is not.
    fn choice(&self, api: &Api, of: &[usize]) -> Credential {
        let blank = |value: &Json| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        let mut alternatives = Vec::new();
        for &at in of {
            let missing = api.auth.get(at).map(|plan| missing(plan, self.config, blank)).unwrap_or_default();
            if missing.is_empty() {
                return Credential::Of(at);
            }
            alternatives.push(missing);
        }
        Credential::Missing(alternatives)
    }
}

fn token_spec(plan: &TokenPlan, over: Option<&AuthOverride>, what: String) -> TokenSpec {
    let plan = plan.clone();
    let lifetime = over.and_then(|over| over.lifetime);
    let refresh = plan.refresh.map(|mut refresh| {
        if let Some(path) = over.and_then(|over| over.refresh_path.clone()) {
            refresh.call.path = path;
        }
        Refresh { what, call: refresh.call, token: refresh.token, lifetime: refresh.lifetime }
    });
    TokenSpec {
        from: plan.from,
        expiry: Expiry {
            // A lifetime somebody sets for one connection is meant, whatever the answer says.
            path: plan.expiry_path.filter(|_| lifetime.is_none()),
            per_second: over.and_then(|over| over.per_second).unwrap_or(plan.per_second),
            lifetime: lifetime.or(plan.lifetime),
        },
        header: plan.header,
        scheme: plan.scheme,
        settings: plan.settings,
        refresh,
    }
}
