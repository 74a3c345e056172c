//! Auth profiles.

use super::Compiler;
use crate::describe;
use crate::plan::{AuthPlan, AuthWay, RefreshPlan, TokenPlan};
use crate::template::{Scope, Template};
use towpath_spec::Text;
use towpath_spec::definition::{AuthDoc, AuthKind, ExpiryUnit, RefreshDoc, TokenDoc, TokenFrom};

impl Compiler<'_> {
    pub(super) fn auth(&mut self, doc: &AuthDoc) -> Option<AuthPlan> {
        let scope = self.config_scope();
        let way = match &doc.kind {
            AuthKind::None => AuthWay::None,
            AuthKind::Basic { username, password } => {
                let (username, password) = (self.template(username, &scope), self.template(password, &scope));
                AuthWay::Basic { username: username?, password: password? }
            }
            AuthKind::Bearer { token } => AuthWay::Bearer { token: self.template(token, &scope)? },
            AuthKind::Header { headers } => AuthWay::Header { headers: self.headers(headers, &scope) },
            AuthKind::Query { params } => {
                let params = params.iter();
                let params = params.filter_map(|(name, text)| Some((name.value.clone(), self.template(text, &scope)?)));
                AuthWay::Query { params: params.collect() }
            }
            AuthKind::Choice { of } => AuthWay::Choice { of: self.alternatives(of) },
            AuthKind::Token(token) => self.token(token, &scope)?,
        };
        Some(AuthPlan { name: doc.name.value.clone(), needs: needs(&way), way })
    }

    /// The places of the profiles of a choice.
    fn alternatives(&mut self, of: &[Text]) -> Vec<usize> {
        for name in of {
            let profile = self.definition.auth.iter().find(|auth| auth.name == *name);
            if profile.is_some_and(|auth| matches!(auth.kind, AuthKind::Choice { .. })) {
                self.wrong(name, format!("`{name}` is a choice itself, expected a profile that is none"));
            }
        }
        self.profiles(Some(&of.to_vec()))
    }

    /// Query parameters that let calls in, which are never shown.
    pub(super) fn query_credentials(&self) -> Vec<String> {
        let params = self.definition.auth.iter().filter_map(|auth| match &auth.kind {
            AuthKind::Query { params } => Some(params),
            _ => None,
        });
        params.flatten().map(|(name, _)| name.value.clone()).collect()
    }

    fn refresh(&mut self, doc: &RefreshDoc, scope: &Scope) -> Option<RefreshPlan> {
        let scope = scope.clone().with("token", ["refresh".to_owned()]);
        let call = self.call(&doc.request, &scope, &[]);
        let token = self.path(&doc.token);
        Some(RefreshPlan { call: call?, token: token?, lifetime: doc.lifetime })
    }

    pub(super) fn token(&mut self, doc: &TokenDoc, scope: &Scope) -> Option<AuthWay> {
        let call = self.call(&doc.request, scope, &[]);
        let from = match &doc.from {
            TokenFrom::Path(path) => Some(self.path(path)),
            TokenFrom::Body => None,
        };
        let expiry_path = doc.expires.path.as_ref().and_then(|path| self.path(path));
        let header = self.header_name(&doc.header);
        let mut settings: Vec<String> = doc.credentials.iter().map(|text| text.value.clone()).collect();
        if settings.is_empty() {
            settings = describe::settings_of(&doc.request, &self.definition.config);
        }
        let refresh = doc.refresh.as_ref().and_then(|refresh| self.refresh(refresh, scope));
        Some(AuthWay::Token {
            call: Box::new(call?),
            spec: TokenPlan {
                from: match from {
                    Some(parsed) => Some(parsed?),
                    None => None,
                },
                expiry_path,
                per_second: match doc.expires.unit {
                    ExpiryUnit::Seconds => 1.0,
                    ExpiryUnit::Milliseconds => 1000.0,
                },
                lifetime: doc.expires.lifetime,
                header: header?,
                scheme: doc.scheme.value.clone(),
                settings,
                refresh,
            },
        })
    }

    /// The places of the auth profiles of a call.
    pub(super) fn profiles(&self, chosen: Option<&Vec<Text>>) -> Vec<usize> {
        let chosen = chosen.unwrap_or(&self.definition.defaults.auth);
        let at = |name: &Text| self.definition.auth.iter().position(|auth| auth.name == *name);
        chosen.iter().filter_map(at).collect()
    }
}

/// The settings the templates of a way in mention.
fn needs(way: &AuthWay) -> Vec<String> {
    let templates: Vec<&Template> = match way {
        AuthWay::None | AuthWay::Choice { .. } => Vec::new(),
        AuthWay::Basic { username, password } => vec![username, password],
        AuthWay::Bearer { token } => vec![token],
        AuthWay::Header { headers } => headers.iter().map(|(_, template)| template).collect(),
        AuthWay::Query { params } => params.iter().map(|(_, template)| template).collect(),
        AuthWay::Token { call, spec } => call
            .templates()
            .into_iter()
            .chain(spec.refresh.iter().flat_map(|refresh| refresh.call.templates()))
            .collect(),
    };
    let mut names = Vec::new();
    for name in templates.into_iter().flat_map(|template| template.members("config")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
