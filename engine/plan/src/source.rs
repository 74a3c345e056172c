//! Planning of sources.

use crate::connections::{Known, Resolved, pair};
use crate::context::Context;
use crate::plan::{Incremental, SourceNode};
use towpath_connector::{Descriptor, Setting, SourceAsk, StreamInfo};
use towpath_spec::document::SourceDoc;
use towpath_spec::{Diagnostic, Field, Schema, Span, codes};

/// Plans a source: the node and its columns, when they are known.
pub(crate) fn plan(context: &mut Context<'_>, known: &Known, doc: &SourceDoc) -> (Option<SourceNode>, Option<Schema>) {
    let Some(target) = context.target(known, &doc.target, &doc.name, &doc.settings.entries, doc.span) else {
        return (None, None);
    };
    let descriptor = target.connector.descriptor();
    if !descriptor.reads {
        let message = format!("connector `{}` has no sources", descriptor.name);
        context.push(Diagnostic::error(codes::CANNOT_READ, doc.target.name().span, message));
        return (None, None);
    }
    let Ok(stream) = stream(context, descriptor, doc) else {
        return (None, None);
    };
    let declared = descriptor.settings_of_source(stream.map(|stream| stream.name.as_str()));
    let mut written = target.own.clone();
    written.extend(doc.with.entries.iter().map(pair));
    let what = match stream {
        Some(stream) => format!("stream `{}`", stream.name),
        None => format!("a `{}` source", descriptor.name),
    };
    let before = context.problem_count();
    let settings = context.check_settings(&what, &declared, &written, doc.span);
    let columns: Vec<Field> = doc.columns.iter().map(|(name, ty)| Field::new(&name.value, ty.clone())).collect();
    let incremental = incremental(context, stream, doc);
    let node = SourceNode {
        connection: target.connection,
        stream: doc.stream.as_ref().map(|stream| stream.value.clone()),
        settings,
        columns,
        incremental,
    };
    // What is wrong by itself need not be said again by the connector; declared columns help to go on.
    let schema = if context.problem_count() == before {
        describe(context, &target, &declared, &node, doc)
    } else {
        stream.map(|stream| stream.schema.clone())
    };
    (Some(node), schema)
}

fn stream<'d>(
    context: &mut Context<'_>,
    descriptor: &'d Descriptor,
    doc: &SourceDoc,
) -> Result<Option<&'d StreamInfo>, ()> {
    let names = descriptor.streams.iter().map(|stream| stream.name.as_str());
    match &doc.stream {
        Some(written) if descriptor.streams.is_empty() => {
            let message = format!("connector `{}` has no streams", descriptor.name);
            context.push(Diagnostic::error(codes::UNKNOWN_STREAM, written.span, message).help("take `stream:` away"));
            Err(())
        }
        Some(written) => {
            if context.known(codes::UNKNOWN_STREAM, "stream", written, names) {
                Ok(descriptor.stream(&written.value))
            } else {
                Err(())
            }
        }
        None if descriptor.streams.is_empty() => Ok(None),
        None => {
            let message = format!("source `{}` does not say which stream of `{}` it reads", doc.name, descriptor.name);
            let list: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            context.push(
                Diagnostic::error(codes::MISSING_KEY, doc.span, message)
                    .help(format!("write `stream: …`, one of {}", list.join(", "))),
            );
            Err(())
        }
    }
}

fn incremental(context: &mut Context<'_>, stream: Option<&StreamInfo>, doc: &SourceDoc) -> Option<Incremental> {
    let written = doc.incremental.as_ref()?;
    let Some(cursor) = stream.and_then(|stream| stream.cursor.as_ref()) else {
        let message = format!("source `{}` cannot be read incrementally", doc.name);
        context.push(
            Diagnostic::error(codes::NOT_INCREMENTAL, written.span, message)
                .help("take `incremental:` away: everything is read, and what was delivered before is not sent again"),
        );
        return None;
    };
    let lookback = written.lookback.as_ref().map_or_else(|| cursor.lookback.clone(), |text| text.value.clone());
    let start = written.start.as_ref().and_then(|tree| {
        let value = context.value_template(tree)?;
        Some(crate::SettingTemplate { name: "start".into(), value, secret: false, span: tree.span })
    });
    Some(Incremental { lookback, start })
}

fn describe(
    context: &mut Context<'_>,
    target: &Resolved<'_>,
    declared: &[&Setting],
    node: &SourceNode,
    doc: &SourceDoc,
) -> Option<Schema> {
    let of_connection: Vec<&Setting> = target.connector.descriptor().settings.iter().collect();
    let connection = context.known_settings(&of_connection, &context.connections[target.connection].settings);
    let settings = context.known_settings(declared, &node.settings);
    let base = context.base.clone();
    let ask = SourceAsk {
        stream: node.stream.as_deref(),
        connection: &connection,
        settings: &settings,
        columns: &node.columns,
        base: &base,
    };
    let place = |name: &str| -> Option<Span> {
        if name == "columns" || name.starts_with("columns.") {
            let column = name.strip_prefix("columns.");
            let written = doc.columns.iter().find(|(key, _)| Some(key.value.as_str()) == column);
            return written.or(doc.columns.first()).map(|(key, _)| key.span);
        }
        node.settings.iter().find(|setting| setting.name == name).map(|setting| setting.span)
    };
    match target.connector.describe_source(&ask) {
        Ok(described) => {
            let code = if described.schema.is_none() { codes::SOURCE_NOT_THERE } else { codes::ODD_SOURCE };
            let warnings = context.problems(code, described.warnings, doc.span, place);
            for warning in warnings {
                if described.schema.is_none() {
                    context.blocked.push(warning.clone());
                }
                context.push(Diagnostic { severity: towpath_spec::Severity::Warning, ..warning });
            }
            if described.schema.is_none() && context.blocked.is_empty() {
                let why = context.missing_outside(&doc.name, &node.settings).unwrap_or_else(|| {
                    let message = format!("the columns of `{}` are not known before its settings are", doc.name);
                    Diagnostic::error(codes::SOURCE_NOT_THERE, doc.span, message)
                        .help("name the file without `run`, or declare what is unknown as a parameter")
                });
                context.blocked.push(why);
            }
            described.schema
        }
        Err(problems) => {
            let errors = context.problems(codes::INVALID_SOURCE, problems, doc.span, place);
            context.diagnostics.extend(errors);
            None
        }
    }
}
