//! Streams: records, columns, pages, cursors.

use super::{Compiler, names};
use crate::plan::{ColumnPlan, IncrementalPlan, PagerKind, PagerPlan, RecordsPlan, StreamPlan};
use std::sync::Arc;
use towpath_files::xml::Selector;
use towpath_spec::definition::{
    ColumnDoc, ColumnRules, DefaultsDoc, Format, IncrementalStreamDoc, PaginatorDoc, PaginatorKind, StreamDoc,
};
use towpath_spec::{Field, Schema, Text};

/// What a request of a stream may read of `page`.
const PAGE: [&str; 4] = ["number", "size", "offset", "key"];

impl Compiler<'_> {
    pub(super) fn stream(&mut self, doc: &StreamDoc) -> Option<StreamPlan> {
        let scope = self.config_scope().with("params", names(&doc.params)).with("page", PAGE.map(str::to_owned));
        let call = self.call(&doc.request, &scope, &doc.params);
        let params = self.given(&doc.params);
        let columns: Vec<ColumnPlan> = doc.schema.iter().map(|column| self.column(doc, column)).collect();
        let records = self.records(doc);
        let pager = doc.paginator.as_ref().map(|paginator| self.pager(paginator));
        let incremental = doc.incremental.as_ref().map(|incremental| self.incremental(incremental));
        let policy =
            self.policy(&doc.success, doc.absent.as_ref(), doc.error_message.as_ref(), &doc.error_handler, false);
        let fields = columns.iter().map(|column| Field::new(&column.name, column.ty.clone())).collect();
        Some(StreamPlan {
            name: doc.name.value.clone(),
            call: call?,
            params,
            auth: self.profiles(doc.auth.as_ref()),
            records: records?,
            columns,
            schema: Schema::new(fields),
            pager: match pager {
                Some(pager) => Some(pager?),
                None => None,
            },
            incremental,
            policy,
        })
    }

    pub(super) fn column(&mut self, stream: &StreamDoc, doc: &ColumnDoc) -> ColumnPlan {
        let defaults: &DefaultsDoc = &self.definition.defaults;
        let rules: [&ColumnRules; 3] = [&doc.rules, &stream.columns, &defaults.columns];
        let zone_name = rules.iter().find_map(|rules| rules.zone.clone());
        let zone = match &zone_name {
            None => chrono_tz::Tz::UTC,
            Some(name) => name.value.parse().unwrap_or_else(|_| {
                self.wrong(name, format!("`{name}` is not a time zone")).help =
                    Some("zones have names like `UTC` and `Europe/London`".to_owned());
                chrono_tz::Tz::UTC
            }),
        };
        let texts = |pick: fn(&ColumnRules) -> &Option<Vec<Text>>| -> Vec<String> {
            let found = rules.iter().find_map(|rules| pick(rules).as_ref());
            found.into_iter().flatten().map(|text| text.value.clone()).collect()
        };
        ColumnPlan {
            name: doc.name.value.clone(),
            ty: doc.ty.clone(),
            nulls: texts(|rules| &rules.nulls),
            formats: texts(|rules| &rules.formats),
            trim: rules.iter().find_map(|rules| rules.trim).unwrap_or(true),
            zone,
            from: match stream.record_selector.format {
                Format::Json => doc.from.as_ref().and_then(|from| self.path(from)),
                Format::Xml => None,
            },
        }
    }

    pub(super) fn records(&mut self, doc: &StreamDoc) -> Option<RecordsPlan> {
        let selector = &doc.record_selector;
        match selector.format {
            Format::Json => Some(RecordsPlan::Json {
                path: match &selector.records {
                    Some(path) => Some(self.path(path)?),
                    None => None,
                },
                value: selector.value.as_ref().map(|name| name.value.clone()),
            }),
            Format::Xml => self.xml_records(doc),
        }
    }

    /// Each column is tried by itself first, so that a wrong one is reported where it stands.
    pub(super) fn xml_records(&mut self, doc: &StreamDoc) -> Option<RecordsPlan> {
        let records = doc.record_selector.records.as_ref()?;
        let mut good = true;
        if let Err(problems) = Selector::compile(&records.value, &[]) {
            good = false;
            for problem in problems {
                self.wrong(records, problem.message).help = problem.help;
            }
        }
        let field = |column: &ColumnDoc| {
            let from = column.from.as_ref().unwrap_or(&column.name);
            (column.name.value.clone(), from.value.clone(), column.ty.clone())
        };
        for column in doc.schema.iter().filter(|_| good) {
            if let Err(problems) = Selector::compile(&records.value, &[field(column)]) {
                let at = column.from.as_ref().unwrap_or(&column.name);
                for problem in problems {
                    self.wrong(at, problem.message).help = problem.help;
                }
            }
        }
        let fields: Vec<_> = doc.schema.iter().map(field).collect();
        Selector::compile(&records.value, &fields).ok().map(|selector| RecordsPlan::Xml(Arc::new(selector)))
    }

    pub(super) fn pager(&mut self, doc: &PaginatorDoc) -> Option<PagerPlan> {
        let total = doc.total.as_ref().map(|path| self.path(path));
        let kind = match &doc.kind {
            PaginatorKind::Page { first, last } => {
                PagerKind::Page { first: *first, last: last.as_ref().and_then(|path| self.path(path)) }
            }
            PaginatorKind::Offset { first } => PagerKind::Offset { first: *first },
            PaginatorKind::Key { from } => PagerKind::Key { from: self.path(from)? },
            PaginatorKind::Next { from } => PagerKind::Next { from: self.path(from)? },
            PaginatorKind::Link => PagerKind::Link,
        };
        Some(PagerPlan { kind, size: doc.size, total: total.flatten(), stop_when_short: doc.stop_when_short })
    }

    pub(super) fn incremental(&mut self, doc: &IncrementalStreamDoc) -> IncrementalPlan {
        let lookback = doc.lookback.and_then(|lookback| chrono::TimeDelta::from_std(lookback).ok());
        if chrono::format::StrftimeItems::new(&doc.format.value).any(|item| item == chrono::format::Item::Error) {
            self.wrong(&doc.format, format!("`{}` is not a format in strftime's letters", doc.format));
        }
        IncrementalPlan {
            start: doc.start.value.clone(),
            format: doc.format.value.clone(),
            precision: doc.precision,
            lookback: lookback.unwrap_or_default(),
        }
    }
}
