//! Calls and their bodies.

use super::Compiler;
use crate::body::{BodyTemplate, FileTemplate, PartTemplate};
use crate::call::{Call, Made};
use crate::describe;
use crate::template::{PathTemplate, Scope};
use towpath_spec::definition::{BodyDoc, PartDoc, PartValue, RequestDoc, SettingDoc};

impl Compiler<'_> {
    pub(super) fn call(&mut self, doc: &RequestDoc, scope: &Scope, declared: &[SettingDoc]) -> Option<Call> {
        let path = PathTemplate::parse(&doc.path, self.files, scope, &mut self.problems);
        let base = doc.base.as_ref().map(|base| self.template(base, scope));
        let query =
            doc.query.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect();
        let headers = self.headers(&doc.headers, scope);
        let body = self.body(&doc.body, scope);
        let secret = |name: &str| {
            let settings = declared.iter().chain(&self.definition.config);
            settings.filter(|setting| setting.secret).any(|setting| setting.name.value == name)
        };
        let hidden = doc
            .query
            .iter()
            .filter(|(name, tree)| secret(&name.value) || describe::reads_secret(tree, &self.definition.config))
            .map(|(name, _)| name.value.clone())
            .collect();
        Some(Call {
            method: doc.method.value.parse().ok()?,
            path: path?,
            base: match base {
                Some(parsed) => Some(parsed?),
                None => None,
            },
            query,
            headers,
            body,
            hidden,
            made: Made::default(),
        })
    }

    pub(super) fn body(&mut self, doc: &BodyDoc, scope: &Scope) -> BodyTemplate {
        match doc {
            BodyDoc::None => BodyTemplate::None,
            BodyDoc::Record => BodyTemplate::Record,
            BodyDoc::Json(tree) => self.slot(tree, scope).map_or(BodyTemplate::None, BodyTemplate::Json),
            BodyDoc::Form(fields) => BodyTemplate::Form(
                fields.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect(),
            ),
            BodyDoc::Multipart(parts) => {
                BodyTemplate::Multipart(parts.iter().filter_map(|part| self.part(part, scope)).collect())
            }
        }
    }

    pub(super) fn part(&mut self, doc: &PartDoc, scope: &Scope) -> Option<(String, PartTemplate)> {
        let part = match &doc.value {
            PartValue::Text(tree) => PartTemplate::Text(self.slot(tree, scope)?),
            PartValue::File { path, file_name, content_type } => PartTemplate::File(Box::new(FileTemplate {
                path: self.template(path, scope)?,
                file_name: file_name.as_ref().and_then(|text| self.template(text, scope)),
                content_type: content_type.as_ref().and_then(|text| self.template(text, scope)),
            })),
        };
        Some((doc.name.value.clone(), part))
    }
}
