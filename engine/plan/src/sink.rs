//! Planning of sinks.

use crate::connections::{Known, Resolved};
use crate::context::Context;
use crate::plan::{OnUnknown, Port, SinkNode};
use crate::record;
use crate::settings::SettingTemplate;
use towpath_connector::{Kind, OperationInfo, Setting, SinkAsk};
use towpath_spec::document::{Scalar, SinkDoc, Tree, Value};
use towpath_spec::{Diagnostic, Field, Schema, Text, Type, codes};

/// Requests at a time when a pipeline does not say.
const CONCURRENCY: usize = 8;

/// Plans a sink that reads `input`.
pub(crate) fn plan(
    context: &mut Context<'_>,
    known: &Known,
    doc: &SinkDoc,
    input: Port,
    schema: Option<&Schema>,
) -> Option<SinkNode> {
    for key in &doc.key {
        context.column(key, schema);
    }
    let mut target = context.target(known, &doc.target, &doc.name, &doc.settings.entries, doc.span)?;
    let connector = target.connector.clone();
    let descriptor = connector.descriptor();
    if !descriptor.writes {
        let message = format!("connector `{}` has no sinks", descriptor.name);
        context.push(Diagnostic::error(codes::CANNOT_WRITE, doc.target.name().span, message));
        return None;
    }
    let operation = match (&doc.operation, descriptor.kind) {
        (Some(written), _) => {
            let names = descriptor.operations.iter().map(|operation| operation.name.as_str());
            if !context.known(codes::UNKNOWN_OPERATION, "operation", written, names) {
                return None;
            }
            descriptor.operation(&written.value)
        }
        (None, Kind::Api) => {
            let message = format!("sink `{}` does not say which operation of `{}` it uses", doc.name, descriptor.name);
            let help = format!("write `operation: …`; `towpath connectors show {}` lists them", descriptor.name);
            context.push(Diagnostic::error(codes::MISSING_KEY, doc.span, message).help(help));
            return None;
        }
        (None, _) => None,
    };
    let on_unknown = on_unknown(context, &mut target, operation);
    let batch = operation.map_or(1, |operation| batch(context, &mut target, operation));
    let ignore_changes = operation.map(|operation| ignore_changes(context, &mut target, operation)).unwrap_or_default();
    let declared: Vec<&Setting> = descriptor.sink_settings.iter().collect();
    let what = format!("a `{}` sink", descriptor.name);
    let before = context.problem_count();
    let settings = context.check_settings(&what, &declared, &target.own, doc.span);
    let record = match operation {
        Some(operation) => {
            record::plan(context, operation, doc.record.as_ref(), schema, doc.span).or_else(|| {
                // What is wrong was said; the rest of the sink is planned all the same.
                Some(crate::RecordTemplate::Object(Vec::new()))
            })
        }
        None => {
            refuse_record(context, doc, descriptor.kind);
            // What is wrong by itself need not be said again by the connector.
            if context.problem_count() == before {
                describe(context, &target, &declared, &settings, schema, doc);
            }
            None
        }
    };
    Some(SinkNode {
        connection: target.connection,
        input,
        input_schema: schema.cloned(),
        operation: operation.map(|operation| (operation.name.clone(), operation.kind)),
        settings,
        key: doc.key.iter().map(|key| key.value.clone()).collect(),
        record,
        concurrency: doc.concurrency.and_then(|n| usize::try_from(n).ok()).unwrap_or(CONCURRENCY).max(1),
        rate: doc.rate,
        on_error: doc.on_error.unwrap_or_default(),
        max_rejects: doc.max_rejects,
        on_unknown,
        batch,
        ignore_changes,
        results: operation.and_then(|operation| results(operation, &doc.key, schema)),
    })
}

fn refuse_record(context: &mut Context<'_>, doc: &SinkDoc, kind: Kind) {
    if doc.concurrency.is_some() || doc.rate.is_some() {
        let message = "`concurrency` and `rate` are for operations of SaaS systems";
        context.push(Diagnostic::error(codes::UNKNOWN_KEY, doc.span, message).help("take them away"));
    }
    if let (Some(key), Kind::Files) = (doc.key.first(), kind) {
        let message = "`key` names records of an operation; a file takes all rows of its input";
        let help = "take it away; for one row per key add a `distinct` step";
        context.push(Diagnostic::error(codes::UNKNOWN_KEY, key.span, message).help(help));
    }
    if doc.on_error.is_some() {
        let message = "`on_error` is for operations of SaaS systems";
        context.push(Diagnostic::error(codes::UNKNOWN_KEY, doc.span, message).help("take it away"));
    }
    if let Some(record) = &doc.record {
        let message = "`record` is for operations of SaaS systems; files and tables take the columns of their input";
        context.push(
            Diagnostic::error(codes::UNKNOWN_KEY, record.span, message).help("shape the columns with a `map` step"),
        );
    }
}

/// `on_unknown` is the language's own key, but only API sinks have it.
fn on_unknown(context: &mut Context<'_>, target: &mut Resolved<'_>, operation: Option<&OperationInfo>) -> OnUnknown {
    let Some(operation) = operation else {
        return OnUnknown::Hold;
    };
    let Some(at) = target.own.iter().position(|(key, _)| key.value == "on_unknown") else {
        return if operation.verifies { OnUnknown::Verify } else { OnUnknown::Hold };
    };
    let (_, tree) = target.own.remove(at);
    match tree.as_text().map(Text::as_str) {
        Some("hold") => OnUnknown::Hold,
        Some("resend") => OnUnknown::Resend,
        Some("verify") if operation.verifies => OnUnknown::Verify,
        Some("verify") => {
            let message = format!("the definition of `{}` does not say how to verify a record", operation.name);
            context.push(
                Diagnostic::error(codes::INVALID_VALUE, tree.span, message)
                    .help("write `hold`, or add `verify:` to the operation of a definition of your own"),
            );
            OnUnknown::Hold
        }
        _ => {
            unknown_choice(context, tree);
            OnUnknown::Hold
        }
    }
}

/// `batch` is the language's own key, but only for operations: how many records a call takes, at most as many as the
/// operation allows.
fn batch(context: &mut Context<'_>, target: &mut Resolved<'_>, operation: &OperationInfo) -> usize {
    let most = operation.batch.max(1);
    let Some(at) = target.own.iter().position(|(key, _)| key.value == "batch") else {
        return most;
    };
    let (key, tree) = target.own.remove(at);
    let given = match &tree.value {
        Value::Scalar(Scalar::Int(number)) => usize::try_from(*number).ok().filter(|number| *number > 0),
        _ => None,
    };
    let problem = match given {
        Some(given) if given <= most => return given,
        Some(given) => Diagnostic::error(
            codes::INVALID_VALUE,
            tree.span,
            format!("`batch` is {given}, and a call of `{}` takes {most} at the most", operation.name),
        )
        .help("write a smaller number, or leave `batch` out"),
        None => Diagnostic::error(codes::INVALID_VALUE, key.span, "`batch` expects how many records a call takes")
            .help(format!("write a whole number from 1 to {most}")),
    };
    context.push(problem);
    most
}

/// `ignore_changes`: fields of the record that do not make it another one, such as a link that is signed anew each time.
fn ignore_changes(context: &mut Context<'_>, target: &mut Resolved<'_>, operation: &OperationInfo) -> Vec<String> {
    let Some(at) = target.own.iter().position(|(key, _)| key.value == "ignore_changes") else {
        return Vec::new();
    };
    let (key, tree) = target.own.remove(at);
    let names: Option<Vec<&Text>> = match &tree.value {
        Value::List(items) => items.iter().map(Tree::as_text).collect(),
        _ => tree.as_text().map(|one| vec![one]),
    };
    let Some(names) = names else {
        let message = "`ignore_changes` expects fields of the record";
        context.push(
            Diagnostic::error(codes::INVALID_VALUE, key.span, message)
                .help("write it as a list, e.g. `[CertImageURL]`"),
        );
        return Vec::new();
    };
    let fields = operation.fields.iter().map(|field| field.name.as_str());
    names
        .into_iter()
        .filter(|name| context.known(codes::UNKNOWN_FIELD, "field", name, fields.clone()))
        .map(|name| name.value.clone())
        .collect()
}

fn unknown_choice(context: &mut Context<'_>, tree: &Tree) {
    let message = "`on_unknown` expects `hold`, `verify` or `resend`";
    context.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message));
}

fn describe(
    context: &mut Context<'_>,
    target: &Resolved<'_>,
    declared: &[&Setting],
    settings: &[SettingTemplate],
    schema: Option<&Schema>,
    doc: &SinkDoc,
) {
    let of_connection: Vec<&Setting> = target.connector.descriptor().settings.iter().collect();
    let connection = context.known_settings(&of_connection, &context.connections[target.connection].settings);
    let mut known = context.known_settings(declared, settings);
    if !doc.key.is_empty() {
        known.set("key", doc.key.iter().map(|key| key.value.clone()).collect::<Vec<_>>());
    }
    let base = context.base.clone();
    let ask = SinkAsk { operation: None, connection: &connection, settings: &known, schema, base: &base };
    if let Err(problems) = target.connector.describe_sink(&ask) {
        let place = |name: &str| settings.iter().find(|setting| setting.name == name).map(|setting| setting.span);
        let errors = context.problems(codes::INVALID_SINK, problems, doc.span, place);
        context.diagnostics.extend(errors);
    }
}

/// The columns of `NAME.results`: the key, the outcome, the fields of the answer. Not known when the key's columns are not.
fn results(operation: &OperationInfo, key: &[Text], schema: Option<&Schema>) -> Option<Schema> {
    let mut results = Schema::default();
    for column in key {
        results.set(schema?.get(&column.value)?.clone());
    }
    results.set(Field::new("outcome", Type::Text).required());
    results.set(Field::new("message", Type::Text));
    for field in &operation.results.fields {
        if results.get(&field.name).is_none() {
            results.fields.push(field.clone());
        }
    }
    Some(results)
}
