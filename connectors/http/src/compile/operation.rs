//! Operations, and what streams and operations share: settings with defaults, and what answers mean.

use super::{Compiler, names};
use crate::describe;
use crate::plan::{Given, OperationPlan};
use crate::policy::{Absent, Filter, Policy, Success};
use towpath_connector::Setting;
use towpath_spec::Text;
use towpath_spec::definition::{AbsentDoc, ErrorHandlerDoc, OperationDoc, SettingDoc, SuccessDoc};
use towpath_spec::document::Tree;

impl Compiler<'_> {
    pub(super) fn given(&mut self, docs: &[SettingDoc]) -> Vec<Given> {
        let scope = self.config_scope();
        docs.iter()
            .map(|doc| Given {
                setting: describe::setting(doc),
                default: doc.default.as_ref().and_then(|tree| self.slot(tree, &scope)),
            })
            .collect()
    }

    pub(super) fn policy(
        &mut self,
        success: &SuccessDoc,
        absent: Option<&AbsentDoc>,
        messages: Option<&Vec<Text>>,
        handler: &ErrorHandlerDoc,
        writes: bool,
    ) -> Policy {
        let defaults = &self.definition.defaults;
        let filters = handler.response_filters.iter().chain(&defaults.error_handler.response_filters);
        let filters = filters
            .map(|filter| Filter {
                codes: filter.http_codes.clone(),
                contains: filter.error_message_contains.as_ref().map(|text| text.value.clone()),
                action: filter.action,
                message: filter.error_message.as_ref().map(|text| text.value.clone()),
            })
            .collect();
        let success = match success {
            SuccessDoc::Status => Some(Success::Status),
            SuccessDoc::Equals { path, values } => {
                self.path(path).map(|path| Success::Equals { path, values: values.iter().map(Tree::to_json).collect() })
            }
            SuccessDoc::Present { path } => self.path(path).map(|path| Success::Present { path }),
        };
        Policy {
            success: success.unwrap_or(Success::Status),
            absent: absent.map(|absent| Absent {
                status: absent.status.clone(),
                empty_body: absent.empty_body,
                values: absent.values.iter().map(Tree::to_json).collect(),
            }),
            messages: self.paths(messages.unwrap_or(&defaults.error_message)),
            filters,
            writes,
        }
    }

    pub(super) fn operation(&mut self, doc: &OperationDoc) -> Option<OperationPlan> {
        let scope = self.config_scope().with("record", names(&doc.fields));
        let call = self.call(&doc.request, &scope, &doc.fields);
        let fields = self.given(&doc.fields);
        let policy = self.policy(&doc.success, None, doc.error_message.as_ref(), &doc.error_handler, true);
        let results = doc
            .results
            .iter()
            .filter_map(|result| Some((result.name.value.clone(), result.ty.clone(), self.path(&result.from)?)))
            .collect();
        let call = call?;
        let settings: Vec<Setting> = fields.iter().map(|field| field.setting.clone()).collect();
        Some(OperationPlan {
            info: describe::operation(self.definition, doc, &call, settings),
            call,
            fields,
            auth: self.profiles(doc.auth.as_ref()),
            policy,
            results,
        })
    }
}
