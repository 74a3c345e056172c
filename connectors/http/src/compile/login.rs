//! Auth profiles.

use super::Compiler;
use crate::describe;
use crate::plan::{AuthPlan, TokenPlan};
use crate::template::Scope;
use towpath_spec::Text;
use towpath_spec::definition::{AuthDoc, AuthKind, ExpiryUnit, TokenDoc, TokenFrom};

impl Compiler<'_> {
    pub(super) fn auth(&mut self, doc: &AuthDoc) -> Option<AuthPlan> {
        let scope = self.config_scope();
        Some(match &doc.kind {
            AuthKind::None => AuthPlan::None,
            AuthKind::Basic { username, password } => {
                let (username, password) = (self.template(username, &scope), self.template(password, &scope));
                AuthPlan::Basic { username: username?, password: password? }
            }
            AuthKind::Bearer { token } => AuthPlan::Bearer { token: self.template(token, &scope)? },
            AuthKind::Header { headers } => AuthPlan::Header { headers: self.headers(headers, &scope) },
            AuthKind::Token(token) => self.token(&doc.name, token, &scope)?,
        })
    }

    pub(super) fn token(&mut self, name: &Text, doc: &TokenDoc, scope: &Scope) -> Option<AuthPlan> {
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
        Some(AuthPlan::Token {
            name: name.value.clone(),
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
