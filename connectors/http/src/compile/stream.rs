//! Streams: records, columns, pages, cursors.

use super::router::{filled_by_slices, slice_names};
use super::{Compiler, names};
use crate::direct::Direct;
use crate::plan::{ColumnFrom, ColumnPlan, IncrementalPlan, PagerKind, PagerPlan, RecordsPlan, StreamPlan};
use std::sync::Arc;
use towpath_files::xml::Selector;
use towpath_spec::definition::{
    ColumnDoc, ColumnRules, DefaultsDoc, Format, IncrementalStreamDoc, MissingRecords, PaginatorDoc, PaginatorKind,
    StreamDoc,
};
use towpath_spec::{Diagnostic, Field, Schema, Text, Type, codes};

/// What a request of a stream may read of `page`.
const PAGE: [&str; 4] = ["number", "size", "offset", "key"];

impl Compiler<'_> {
    pub(super) fn stream(&mut self, doc: &StreamDoc) -> Option<StreamPlan> {
        let scope = self.config_scope().with("params", names(&doc.params)).with("page", PAGE.map(str::to_owned));
        let scope = match slice_names(doc) {
            names if names.is_empty() => scope,
            names => scope.with("slice", names),
        };
        let call = self.call(&doc.request, &scope, &doc.params);
        let mut params = self.given(&doc.params);
        self.time_formats(&doc.columns);
        let columns: Vec<ColumnPlan> = doc.schema.iter().map(|column| self.column(doc, column)).collect();
        let records = self.records(doc);
        let pager = doc.paginator.as_ref().map(|paginator| self.pager(paginator));
        let incremental = doc.incremental.as_ref().map(|incremental| self.incremental(doc, incremental));
        let policy =
            self.policy(&doc.success, doc.absent.as_ref(), doc.error_message.as_ref(), &doc.error_handler, false);
        let router = doc.partition_router.as_ref().map(|router| self.router(doc, router));
        let router = match router {
            Some(router) => Some(router?),
            None => None,
        };
        filled_by_slices(doc, router.as_ref(), &mut params);
        let taken = router.iter().flat_map(|router| &router.take).map(|take| (&take.column, &take.ty));
        let fields = taken.chain(columns.iter().map(|column| (&column.name, &column.ty)));
        let fields = fields.map(|(name, ty)| Field::new(name, ty.clone())).collect();
        let mut plan = StreamPlan {
            name: doc.name.value.clone(),
            call: call?,
            params,
            auth: self.profiles(doc.auth.as_ref()),
            records: records?,
            columns,
            schema: Schema::new(fields),
            key: doc.key.iter().map(|key| key.value.clone()).collect(),
            pager: match pager {
                Some(pager) => Some(pager?),
                None => None,
            },
            router,
            incremental,
            policy,
            direct: None,
        };
        plan.direct = Direct::of(&plan).map(Arc::new);
        Some(plan)
    }

    pub(super) fn column(&mut self, stream: &StreamDoc, doc: &ColumnDoc) -> ColumnPlan {
        self.misplaced_rules(doc);
        self.time_formats(&doc.rules);
        let defaults: &DefaultsDoc = &self.definition.defaults;
        let rules: [&ColumnRules; 3] = [&doc.rules, &stream.columns, &defaults.columns];
        let zone_name = rules.iter().find_map(|rules| rules.zone.clone());
        let zone = match &zone_name {
            None => chrono_tz::Tz::UTC,
            Some(name) => self.zone(name).unwrap_or(chrono_tz::Tz::UTC),
        };
        let texts = |pick: fn(&ColumnRules) -> &Option<Vec<Text>>| -> Vec<String> {
            let found = rules.iter().find_map(|rules| pick(rules).as_ref());
            found.into_iter().flatten().map(|text| text.value.clone()).collect()
        };
        // CSV has no other way to write null.
        let csv_nulls = stream.record_selector.format == Format::Csv && rules.iter().all(|rules| rules.nulls.is_none());
        ColumnPlan {
            name: doc.name.value.clone(),
            ty: doc.ty.clone(),
            nulls: if csv_nulls { vec![String::new()] } else { texts(|rules| &rules.nulls) },
            formats: texts(|rules| &rules.formats),
            trim: rules.iter().find_map(|rules| rules.trim).unwrap_or(true),
            zone,
            from: self.column_from(stream.record_selector.format, doc),
            case: rules.iter().find_map(|rules| rules.case),
            split: rules.iter().find_map(|rules| rules.split.as_ref()).map(|text| text.value.clone()),
            yes: texts(|rules| &rules.yes),
            no: texts(|rules| &rules.no),
        }
    }

    fn column_from(&mut self, format: Format, doc: &ColumnDoc) -> ColumnFrom {
        let own = || ColumnFrom::Member(doc.name.value.clone());
        match (&doc.from, format) {
            (None, _) | (_, Format::Xml) => own(),
            (Some(from), Format::Csv | Format::Text | Format::File) if !from.value.starts_with('$') => {
                ColumnFrom::Member(from.value.clone())
            }
            (Some(from), _) => self.path(from).map_or_else(own, ColumnFrom::Path),
        }
    }

    /// Rules that have no meaning for the type of the column.
    fn misplaced_rules(&mut self, doc: &ColumnDoc) {
        let (list, truth) = (matches!(doc.ty, Type::List(_)), doc.ty == Type::Bool);
        if let Some(split) = doc.rules.split.as_ref().filter(|_| !list) {
            self.wrong(split, format!("`split` makes a list, and the column is `{}`", doc.ty)).help =
                Some("write `type: list<text>`".to_owned());
        }
        if let Some(word) = doc.rules.yes.iter().chain(&doc.rules.no).flatten().next().filter(|_| !truth) {
            self.wrong(word, format!("`yes` and `no` are for type `bool`, and the column is `{}`", doc.ty));
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
                may_be_missing: selector.missing == MissingRecords::None,
            }),
            Format::Xml => self.xml_records(doc),
            Format::Csv => {
                let headers = doc.schema.iter().map(|column| column.from.as_ref().unwrap_or(&column.name));
                let headers = headers.filter(|header| !header.value.starts_with('$'));
                Some(RecordsPlan::Csv {
                    delimiter: selector.delimiter,
                    skip_lines: selector.skip_lines,
                    headers: headers.map(|header| header.value.clone()).collect(),
                })
            }
            Format::Text => Some(RecordsPlan::Text { value: selector.value.as_ref()?.value.clone() }),
            Format::File => Some(RecordsPlan::File),
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
            // What is split is one text to the selector.
            let ty = if column.rules.split.is_some() { Type::Text } else { column.ty.clone() };
            (column.name.value.clone(), from.value.clone(), ty)
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
            PaginatorKind::Max => PagerKind::Max,
        };
        Some(PagerPlan {
            kind,
            size: doc.size,
            total: total.flatten(),
            stop_when_short: doc.stop_when_short,
            credentials: self.query_credentials(),
        })
    }

    fn earliest(&mut self, text: &Text) -> Option<chrono::DateTime<chrono::Utc>> {
        let micros = crate::instant::instant(&text.value, &[], chrono_tz::Tz::UTC);
        let at = micros.and_then(chrono::DateTime::from_timestamp_micros);
        if at.is_none() {
            self.wrong(text, format!("`{text}` is not a time")).help =
                Some("write it as `2000-01-01T00:00:00Z`".to_owned());
        }
        at
    }

    pub(super) fn incremental(&mut self, stream: &StreamDoc, doc: &IncrementalStreamDoc) -> IncrementalPlan {
        let lookback = doc.lookback.and_then(|lookback| chrono::TimeDelta::from_std(lookback).ok());
        self.time_format(&doc.format);
        if !doc.overlap.is_zero() && stream.key.is_empty() {
            self.problems.push(
                Diagnostic::error(codes::MISSING_KEY, doc.span, "windows that overlap need the stream's `key`")
                    .help("name the columns that tell one record from another: `key: id`"),
            );
        }
        let earliest = doc.earliest.as_ref().and_then(|text| self.earliest(text));
        let time =
            |duration: std::time::Duration| chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX);
        IncrementalPlan {
            end: doc.end.as_ref().map(|end| end.value.clone()),
            step: doc.step.map(time),
            overlap: time(doc.overlap),
            earliest,
            start: doc.start.value.clone(),
            format: doc.format.value.clone(),
            precision: doc.precision,
            lookback: lookback.unwrap_or_default(),
        }
    }
}
