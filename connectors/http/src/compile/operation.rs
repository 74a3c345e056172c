//! Operations: a call with one record or several, and what its answer holds.

use super::{Compiler, composed, names};
use crate::describe;
use crate::echo::EchoPlan;
use crate::operation_plan::{CallPlan, How, ItemsPlan, ResultFrom, ResultPlan, Several};
use crate::plan::{OperationPlan, StreamPlan};
use crate::template::Scope;
use std::sync::Arc;
use towpath_connector::Setting;
use towpath_spec::definition::{
    BodyDoc, EchoDoc, ErrorColumn, ErrorHandlerDoc, HowDoc, ItemsBy, ItemsDoc, OperationDoc, RequestDoc, ResultDoc,
};
use towpath_spec::{Diagnostic, codes};

/// Streams as far as they are good.
pub(super) type Streams = [Arc<StreamPlan>];

impl Compiler<'_> {
    pub(super) fn operation(&mut self, doc: &OperationDoc, streams: &Streams) -> Option<OperationPlan> {
        let fields = self.given(&doc.fields);
        let found_again = doc.find_again.is_some();
        let results = doc.results.iter().filter_map(|result| self.result(result, found_again)).collect();
        let how = match &doc.how {
            HowDoc::Request(request) => self.one_call(doc, request, streams).map(|plan| How::Call(Box::new(plan))),
            HowDoc::Upsert(upsert) => self.upsert(doc, upsert, streams).map(|plan| How::Upsert(Box::new(plan))),
        };
        self.check_results(doc, streams);
        let verify = doc.verify.as_ref().map(|verify| self.verify(doc, verify, streams));
        let how = how?;
        let request = match (&how, &doc.how) {
            (How::Call(plan), _) => plan.call.summary(),
            (How::Upsert(_), HowDoc::Upsert(upsert)) => composed::summary(upsert),
            (How::Upsert(_), HowDoc::Request(_)) => String::new(),
        };
        let settings: Vec<Setting> = fields.iter().map(|field| field.setting.clone()).collect();
        Some(OperationPlan {
            info: describe::operation(self.definition, doc, request, settings),
            fields,
            how,
            results,
            verify: match verify {
                Some(plan) => Some(plan?),
                None => None,
            },
        })
    }

    pub(super) fn record_scope(&self, doc: &OperationDoc) -> Scope {
        self.config_scope().with("record", names(&doc.fields))
    }

    fn one_call(&mut self, doc: &OperationDoc, request: &RequestDoc, streams: &Streams) -> Option<CallPlan> {
        let scope = match doc.batch {
            Some(_) => self.config_scope().with("records", []),
            None => self.record_scope(doc),
        };
        if let (Some(batch), BodyDoc::Record { .. }) = (&doc.batch, &request.body) {
            let message = "`body: record` is one record, and a call of this operation takes several";
            self.problems.push(
                Diagnostic::error(codes::CONFLICTING_KEYS, batch.span, message)
                    .help("write `body: {json: \"{{ records }}\"}`, or a template around `records`"),
            );
        }
        let call = self.call(request, &scope, &doc.fields);
        let policy = self.policy(&doc.success, None, doc.error_message.as_ref(), &doc.error_handler, true);
        let several = match (&doc.items, &doc.response.echo, &doc.batch) {
            (Some(items), _, _) => self.items(doc, items).map(Several::Items),
            (None, Some(echo), _) => Some(Several::Echo(echo_plan(echo))),
            (None, None, Some(_)) => Some(Several::Together),
            (None, None, None) => Some(Several::No),
        };
        let created = doc.results.iter().map(|result| result.name.value.clone());
        let scope = self.record_scope(doc).with("created", created);
        let find_again = doc.find_again.as_ref().map(|find| self.find(find, &scope, streams));
        Some(CallPlan {
            call: call?,
            auth: self.profiles(doc.auth.as_ref()),
            policy,
            format: doc.response.format,
            several: several?,
            find_again: match find_again {
                Some(plan) => Some(plan?),
                None => None,
            },
        })
    }

    fn items(&mut self, operation: &OperationDoc, doc: &ItemsDoc) -> Option<ItemsPlan> {
        let messages = doc.error_message.as_ref().or(operation.error_message.as_ref());
        let policy = self.policy(&doc.success, None, messages, &ErrorHandlerDoc::default(), true);
        let by = match &doc.by {
            ItemsBy::Position => None,
            ItemsBy::Field { field, from } => {
                let fields: Vec<String> = names(&operation.fields).collect();
                self.must_be_one_of(field, "field", &fields);
                Some((field.value.clone(), self.path(from)?))
            }
        };
        Some(ItemsPlan { path: self.path(&doc.path)?, by, policy })
    }

    pub(super) fn result(&mut self, doc: &ResultDoc, found_again: bool) -> Option<ResultPlan> {
        let from = match doc.from.value.as_str() {
            "status" => ResultFrom::Status,
            "warning" => ResultFrom::Warning,
            path => {
                let of_found = found_again && (path.starts_with("$.found.") || path.starts_with("$.found["));
                let path = self.path(&doc.from)?;
                if of_found { ResultFrom::Found(path) } else { ResultFrom::Answer(path) }
            }
        };
        Some(ResultPlan { name: doc.name.value.clone(), ty: doc.ty.clone(), from })
    }
}

fn echo_plan(doc: &EchoDoc) -> EchoPlan {
    EchoPlan {
        skip_lines: doc.skip_lines,
        header: doc.header,
        column: match &doc.error_column {
            ErrorColumn::Last => None,
            ErrorColumn::Named(name) => Some(name.value.clone()),
        },
        warning_prefix: doc.warning_prefix.as_ref().map(|text| text.value.clone()),
        success_text: doc.success_text.as_ref().map(|text| text.value.clone()),
    }
}
