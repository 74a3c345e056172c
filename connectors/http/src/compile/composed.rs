//! Operations made of others, and searches for one record.

use super::operation::Streams;
use super::{Compiler, names};
use crate::json_path::plain_names;
use crate::operation_plan::{FindPlan, Match, StepPlan, UpsertPlan, VerifyPlan};
use crate::template::{Scope, Slot};
use std::time::Duration;
use towpath_spec::definition::{FindDoc, HowDoc, OperationDoc, StepDoc, UpsertDoc, VerifyDoc};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::document::Tree;
use towpath_spec::{Text, Type};

impl Compiler<'_> {
    /// Results of an upsert, and what is found again, are known by name: a slip of the pen would be null for ever.
    pub(super) fn check_results(&mut self, doc: &OperationDoc, streams: &Streams) {
        let roots = match (&doc.how, &doc.find_again) {
            (HowDoc::Upsert(upsert), _) => vec![
                ("found", self.found(upsert, streams)),
                ("created", self.results_of(&upsert.create)),
                ("updated", upsert.update.as_ref().map(|update| self.results_of(update)).unwrap_or_default()),
                ("action", Vec::new()),
            ],
            (HowDoc::Request(_), Some(find)) => vec![("found", self.columns(Some(find), streams))],
            (HowDoc::Request(_), None) => return,
        };
        let all = matches!(doc.how, HowDoc::Upsert(_));
        for result in &doc.results {
            // `$.found.id` and the like; where any other path leads is seen only when there is an answer.
            let steps = plain_names(&result.from.value).unwrap_or_default();
            let Some((step, rest)) = steps.split_first() else { continue };
            let named = |step: &str| Text::new(step, result.from.span);
            match roots.iter().find(|(root, _)| root == step) {
                Some((root, members)) => {
                    let unknown = |member: &&String| !members.is_empty() && !members.contains(member);
                    if let Some(member) = rest.first().filter(unknown) {
                        let help = did_you_mean(member, members.iter().map(String::as_str));
                        self.wrong(&result.from, format!("`{root}` has no `{member}`")).help = help;
                    }
                }
                None if all => {
                    let known: Vec<String> = roots.iter().map(|(root, _)| (*root).to_owned()).collect();
                    self.must_be_one_of(&named(step), "step's result", &known);
                }
                None => {}
            }
        }
    }

    /// What `found` may hold: a record of the stream, or the answer that said that there is one.
    fn found(&self, doc: &UpsertDoc, streams: &Streams) -> Vec<String> {
        let mut found = self.columns(doc.find.as_ref(), streams);
        found.extend(self.results_of(&doc.create));
        found
    }

    fn results_of(&self, step: &StepDoc) -> Vec<String> {
        let called = self.definition.operations.iter().find(|one| one.name == step.operation);
        called.iter().flat_map(|called| &called.results).map(|result| result.name.value.clone()).collect()
    }

    pub(super) fn upsert(
        &mut self,
        operation: &OperationDoc,
        doc: &UpsertDoc,
        streams: &Streams,
    ) -> Option<UpsertPlan> {
        let scope = self.record_scope(operation);
        let find = doc.find.as_ref().map(|find| self.find(find, &scope, streams));
        let scope = scope.with("found", self.found(doc, streams));
        let create = self.step(operation, &doc.create, &scope);
        let update = doc.update.as_ref().map(|update| self.step(operation, update, &scope));
        Some(UpsertPlan {
            find: match find {
                Some(plan) => Some(plan?),
                None => None,
            },
            create: create?,
            update: match update {
                Some(plan) => Some(plan?),
                None => None,
            },
            exists: doc.exists.clone(),
            find_again: doc.find_again,
        })
    }

    fn step(&mut self, whole: &OperationDoc, doc: &StepDoc, scope: &Scope) -> Option<StepPlan> {
        let operations = &self.definition.operations;
        let Some(called) = operations.iter().find(|one| one.name == doc.operation) else {
            let simple = operations.iter().filter(|one| matches!(one.how, HowDoc::Request(_)));
            let known: Vec<String> = simple.map(|one| one.name.value.clone()).collect();
            self.must_be_one_of(&doc.operation, "operation", &known);
            return None;
        };
        if matches!(called.how, HowDoc::Upsert(_)) {
            let own = if called.name == whole.name { "it would call itself" } else { "it is made of others as well" };
            self.wrong(&doc.operation, format!("`{}` cannot be a step of an upsert: {own}", doc.operation)).help =
                Some("name an operation that has a `request`".to_owned());
            return None;
        }
        let fields: Vec<String> = names(&called.fields).collect();
        Some(StepPlan { operation: doc.operation.value.clone(), with: self.slots(&doc.with, "field", &fields, scope)? })
    }

    /// Columns of the stream of a search; none when there is something wrong with it, which was said.
    fn columns(&self, find: Option<&FindDoc>, streams: &Streams) -> Vec<String> {
        let stream = find.and_then(|find| streams.iter().find(|stream| stream.name == find.stream.value));
        stream.iter().flat_map(|stream| &stream.schema.fields).map(|field| field.name.clone()).collect()
    }

    pub(super) fn find(&mut self, doc: &FindDoc, scope: &Scope, streams: &Streams) -> Option<FindPlan> {
        let known: Vec<String> = self.definition.streams.iter().map(|stream| stream.name.value.clone()).collect();
        if !self.must_be_one_of(&doc.stream, "stream", &known) {
            return None;
        }
        // What is wrong with the stream was said.
        let stream = streams.iter().find(|stream| stream.name == doc.stream.value)?;
        let params: Vec<String> = stream.params.iter().map(|param| param.setting.name.clone()).collect();
        let columns: Vec<String> = stream.schema.fields.iter().map(|field| field.name.clone()).collect();
        let with = self.slots(&doc.with, "parameter", &params, scope);
        let matching = self.slots(&doc.matching, "column", &columns, scope)?;
        let is_time = |column: &str| {
            let ty = stream.schema.get(column).map(|field| &field.ty);
            matches!(ty, Some(Type::Date | Type::DateTime { .. }))
        };
        let matching = matching.into_iter().map(|(column, value)| {
            // Times are equal however they are written.
            let tolerance = is_time(&column).then_some(Duration::ZERO);
            Match { column, value, tolerance }
        });
        let matching = matching.collect();
        Some(FindPlan { stream: doc.stream.value.clone(), with: with?, matching, many: doc.many })
    }

    pub(super) fn verify(
        &mut self,
        operation: &OperationDoc,
        doc: &VerifyDoc,
        streams: &Streams,
    ) -> Option<VerifyPlan> {
        let scope = self.record_scope(operation);
        let find = self.find(&doc.find, &scope, streams);
        let own: Vec<String> = operation.results.iter().map(|result| result.name.value.clone()).collect();
        let mut results = Vec::with_capacity(doc.results.len());
        for result in &doc.results {
            self.must_be_one_of(&result.name, "result", &own);
            results.extend(self.result(result, false));
        }
        let matched: Vec<String> = doc.find.matching.iter().map(|(column, _)| column.value.clone()).collect();
        for (column, _) in &doc.tolerance {
            self.must_be_one_of(column, "column under `match`", &matched);
        }
        let mut find = find?;
        for one in &mut find.matching {
            let given = doc.tolerance.iter().find(|(column, _)| column.value == one.column);
            one.tolerance = given.map(|(_, tolerance)| *tolerance).or(one.tolerance);
        }
        Some(VerifyPlan { find, results })
    }

    /// Values under names that must be known; `None` when something is wrong with one of them.
    fn slots(
        &mut self,
        values: &[(Text, Tree)],
        what: &str,
        known: &[String],
        scope: &Scope,
    ) -> Option<Vec<(String, Slot)>> {
        let mut slots = Vec::with_capacity(values.len());
        let mut good = true;
        for (name, tree) in values {
            good &= self.must_be_one_of(name, what, known);
            match self.slot(tree, scope) {
                Some(slot) => slots.push((name.value.clone(), slot)),
                None => good = false,
            }
        }
        good.then_some(slots)
    }
}

/// An upsert in a line: `find users; create_user or update_user`.
pub(super) fn summary(doc: &UpsertDoc) -> String {
    let find = doc.find.as_ref().map(|find| format!("find {}; ", find.stream)).unwrap_or_default();
    let or = if doc.find.is_some() { "or" } else { "then, if there is one already," };
    let update = doc.update.as_ref().map(|update| format!(" {or} {}", update.operation)).unwrap_or_default();
    format!("{find}{}{update}", doc.create.operation)
}
