//! Sources, transforms and sinks.

use super::super::pipeline::{IncrementalDoc, MaxRejects, OnError, SinkDoc, SourceDoc, TransformDoc};
use super::super::tree::{Map, Scalar, Tree, Value};
use super::shared::{Named, count, named, target, whole};
use super::steps;
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::{Diagnostic, shown};
use crate::quantity::parse_duration;
use crate::source_text::Text;

/// Requests at a time a sink or lookup may ask for.
pub(super) const MAX_CONCURRENCY: i64 = 1024;

pub(super) fn sources(tree: &Tree, problems: &mut Problems) -> Option<Named<SourceDoc>> {
    named(tree, problems, source)
}

fn source(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<SourceDoc> {
    let mut reader = MapReader::of(tree, format!("the source `{name}`"), problems)?.at(name.span);
    let target = target(&mut reader);
    let stream = reader.optional_text("stream");
    let with = reader.optional("with", mapping).unwrap_or_default();
    let incremental = reader.optional("incremental", incremental).flatten();
    let columns = reader.map("columns", decode::column_type);
    let settings = reader.rest();
    reader.finish();
    let (name, span) = (name.clone(), whole(name, tree));
    Some(SourceDoc { name, target: target?, stream, with, incremental, columns, settings, span })
}

fn mapping(tree: &Tree, problems: &mut Problems) -> Option<Map> {
    let map = tree.as_map().cloned();
    if map.is_none() {
        decode::wrong_type(tree, "a mapping", problems);
    }
    map
}

/// `true`, `false`, or the details.
fn incremental(tree: &Tree, problems: &mut Problems) -> Option<Option<IncrementalDoc>> {
    match tree.value {
        Value::Scalar(Scalar::Bool(false)) => return Some(None),
        Value::Scalar(Scalar::Bool(true)) => {
            return Some(Some(IncrementalDoc { span: tree.span, ..IncrementalDoc::default() }));
        }
        Value::Map(_) => {}
        _ => {
            decode::wrong_type(tree, "`true`, or a mapping of `cursor`, `lookback` and `start`", problems);
            return None;
        }
    }
    let mut reader = MapReader::of(tree, "`incremental`", problems)?;
    let doc = IncrementalDoc {
        cursor: reader.optional_text("cursor"),
        lookback: reader.optional("lookback", lookback),
        start: reader.optional("start", decode::any),
        span: tree.span,
    };
    reader.finish();
    Some(Some(doc))
}

/// A duration that is kept as written; a template is checked when it is filled in.
fn lookback(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    let text = decode::text(tree, problems)?;
    match parse_duration(&text.value) {
        Err(why) if !text.value.contains("{{") => {
            let message = format!("{why}, found `{}`", shown(&text.value));
            problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message));
            None
        }
        _ => Some(text),
    }
}

pub(super) fn transforms(tree: &Tree, problems: &mut Problems) -> Option<Named<TransformDoc>> {
    named(tree, problems, transform)
}

fn transform(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<TransformDoc> {
    let mut reader = MapReader::of(tree, format!("the transform `{name}`"), problems)?.at(name.span);
    let input = reader.required_text("input");
    let before = reader.problem_count();
    let steps = reader.required("steps", decode::list(steps::step));
    let all_read = reader.problem_count() == before;
    reader.finish();
    // With a step missing, the columns behind it would be guessed at: the whole node counts as unreadable.
    let (steps, span) = (steps.filter(|_| all_read)?, whole(name, tree));
    Some(TransformDoc { name: name.clone(), input: input?, steps, span })
}

pub(super) fn sinks(tree: &Tree, problems: &mut Problems) -> Option<Named<SinkDoc>> {
    named(tree, problems, sink)
}

fn sink(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<SinkDoc> {
    let mut reader = MapReader::of(tree, format!("the sink `{name}`"), problems)?.at(name.span);
    let input = reader.required_text("input");
    let target = target(&mut reader);
    let operation = reader.optional_text("operation");
    let key = reader.optional("key", decode::one_or_many(decode::text)).unwrap_or_default();
    let record = reader.optional("record", decode::any);
    let concurrency = count(&mut reader, "concurrency", 1, MAX_CONCURRENCY);
    let rate = reader.rate("rate");
    let on_error = decode::choice(&[("reject", OnError::Reject), ("fail", OnError::Fail)]);
    let on_error = reader.optional("on_error", on_error);
    let max_rejects = reader.optional("max_rejects", max_rejects);
    let settings = reader.rest();
    reader.finish();
    let (name, span) = (name.clone(), whole(name, tree));
    let (input, target) = (input?, target?);
    Some(SinkDoc {
        name,
        input,
        target,
        operation,
        key,
        record,
        concurrency,
        rate,
        on_error,
        max_rejects,
        settings,
        span,
    })
}

/// `100` or `1%`.
fn max_rejects(tree: &Tree, problems: &mut Problems) -> Option<MaxRejects> {
    if let Value::Scalar(Scalar::Int(rows @ 0..)) = tree.value {
        return Some(MaxRejects::Rows(rows.unsigned_abs()));
    }
    let percent = tree.as_text().and_then(|text| text.value.trim().strip_suffix('%'));
    match percent.and_then(|number| number.trim().parse::<f64>().ok()) {
        Some(percent) if (0.0..=100.0).contains(&percent) => Some(MaxRejects::Percent(percent)),
        _ => {
            let found = tree.as_text().map_or(tree.to_json().to_string(), |text| text.value.clone());
            let message =
                format!("expected a number of rows such as `100`, or a share such as `1%`, found `{}`", shown(&found));
            problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message));
            None
        }
    }
}
