//! `towpath connectors`: pages a person can work from, made of the descriptors.

use crate::args::{ConnectorsArgs, ConnectorsCommand, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::table;
use std::path::Path;
use std::process::ExitCode;
use towpath_connector::{Connector, Descriptor, Kind, OperationInfo, Setting, StreamInfo};
use towpath_spec::Schema;
use towpath_spec::diagnostic::did_you_mean;

/// Lists connectors, shows one, or makes a new one.
pub fn connectors(args: &ConnectorsArgs, shared: &Shared) -> Ended {
    match &args.command {
        None | Some(ConnectorsCommand::List) => list(&workspace(shared)?),
        Some(ConnectorsCommand::Show { name, item }) => {
            let workspace = workspace(shared)?;
            let Some(connector) = workspace.registry.get(name) else {
                let help = did_you_mean(name, workspace.registry.names()).unwrap_or_default();
                return Err(Failure::usage(format!("there is no connector `{name}`"), help));
            };
            print!("{}", show(connector.as_ref(), item.as_deref())?);
        }
        Some(ConnectorsCommand::Test { names }) => return super::connectors_test::test(names),
        Some(ConnectorsCommand::New { name, from, out }) => {
            return super::connectors_new::new(name, from, out.as_deref(), shared);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The workspace around the working directory; what is wrong with it is told, and does not keep from looking.
fn workspace(shared: &Shared) -> Result<Workspace, Failure> {
    let mut workspace = Workspace::around(Path::new("."))?;
    if !workspace.problems.is_empty() {
        let problems = std::mem::take(&mut workspace.problems);
        crate::failure::diagnostics_to(shared, &workspace.files, &problems);
    }
    Ok(workspace)
}

fn list(workspace: &Workspace) {
    let mut out =
        table::bordered(vec!["connector".into(), "what".into(), "reads".into(), "writes".into(), "about".into()]);
    for connector in workspace.registry.iter() {
        out.add_row(list_row(connector.descriptor()));
    }
    println!("{out}");
    eprintln!("see one with `towpath connectors show NAME`");
}

fn list_row(descriptor: &Descriptor) -> Vec<String> {
    let kind = match descriptor.kind {
        Kind::Files => "files",
        Kind::Api => "SaaS",
        Kind::Database => "database",
    };
    let count = |able: bool, many: usize, what: &str| match (able, many) {
        (false, _) => String::new(),
        (true, 0) => "yes".to_owned(),
        (true, many) => format!("{many} {what}"),
    };
    vec![
        descriptor.name.clone(),
        kind.to_owned(),
        count(descriptor.reads, descriptor.streams.len(), "streams"),
        count(descriptor.writes, descriptor.operations.len(), "operations"),
        table::cut(first_sentence(&descriptor.doc), 80),
    ]
}

fn first_sentence(doc: &str) -> &str {
    let end = doc.find(". ").map_or(doc.len(), |at| at + 1);
    doc[..end].lines().next().unwrap_or_default().trim_end_matches('.')
}

fn show(connector: &dyn Connector, item: Option<&str>) -> Result<String, Failure> {
    let descriptor = connector.descriptor();
    let Some(item) = item else { return Ok(page(descriptor)) };
    let mut out = String::new();
    if let Some(stream) = descriptor.stream(item) {
        out.push_str(&stream_page(stream));
    }
    if let Some(operation) = descriptor.operation(item) {
        out.push_str(&operation_page(operation));
    }
    if let Some((name, doc)) = descriptor.logins.iter().find(|(name, _)| name == item) {
        out.push_str(&format!("login {name}\n\n{doc}\n"));
    }
    if out.is_empty() {
        let names: Vec<&str> = (descriptor.streams.iter().map(|stream| stream.name.as_str()))
            .chain(descriptor.operations.iter().map(|operation| operation.name.as_str()))
            .chain(descriptor.logins.iter().map(|(name, _)| name.as_str()))
            .collect();
        let help = did_you_mean(item, names).unwrap_or_default();
        return Err(Failure::usage(format!("`{}` has no stream or operation `{item}`", descriptor.name), help));
    }
    Ok(out)
}

/// A connector's whole page.
pub fn page(descriptor: &Descriptor) -> String {
    let mut out = format!("{}\n\n{}\n", descriptor.name, descriptor.doc.trim());
    section(&mut out, "Settings of a connection", &descriptor.settings);
    section(&mut out, "Settings of a source", &descriptor.source_settings);
    section(&mut out, "Settings of a sink", &descriptor.sink_settings);
    if !descriptor.logins.is_empty() {
        out.push_str("\nLogin\n");
        for (name, doc) in &descriptor.logins {
            out.push_str(&format!("   {name}: {doc}\n"));
        }
    }
    if !descriptor.streams.is_empty() {
        out.push_str("\nStreams\n");
        let mut list = table::plain();
        for stream in &descriptor.streams {
            list.add_row(vec![
                format!("  {}", stream.name),
                first_sentence(&stream.doc).to_owned(),
                stream.request.clone(),
            ]);
        }
        out.push_str(&format!("{}\n", list.trim_fmt()));
    }
    if !descriptor.operations.is_empty() {
        out.push_str("\nOperations\n");
        let mut list = table::plain();
        for operation in &descriptor.operations {
            list.add_row(vec![
                format!("  {}", operation.name),
                first_sentence(&operation.doc).to_owned(),
                operation.request.clone(),
            ]);
        }
        out.push_str(&format!("{}\n", list.trim_fmt()));
    }
    if !descriptor.streams.is_empty() || !descriptor.operations.is_empty() {
        out.push_str(&format!("\nMore about one of them: towpath connectors show {} NAME\n", descriptor.name));
    }
    out
}

fn section(out: &mut String, title: &str, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    let mut list = table::plain();
    for setting in settings {
        list.add_row(vec![format!("  {}", setting.name), setting.ty.to_string(), manner(setting), about(setting)]);
    }
    out.push_str(&format!("{}\n", list.trim_fmt()));
}

fn manner(setting: &Setting) -> String {
    let mut manner = match (&setting.default, setting.required) {
        (Some(default), _) => format!("default {default}"),
        (None, true) => "required".to_owned(),
        (None, false) => String::new(),
    };
    if setting.secret {
        manner.push_str(if manner.is_empty() { "secret" } else { ", secret" });
    }
    manner
}

fn about(setting: &Setting) -> String {
    if setting.values.is_empty() {
        return setting.doc.clone();
    }
    format!("{} One of {}.", setting.doc, setting.values.join(", "))
}

fn columns(out: &mut String, title: &str, schema: &Schema, docs: &[String]) {
    if schema.fields.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    let mut list = table::plain();
    for (at, field) in schema.fields.iter().enumerate() {
        let doc = docs.get(at).cloned().unwrap_or_default();
        list.add_row(vec![format!("  {}", field.name), field.ty.to_string(), doc]);
    }
    out.push_str(&format!("{}\n", list.trim_fmt()));
}

fn stream_page(stream: &StreamInfo) -> String {
    let mut out = format!("stream {}\n\n{}\n\n{}\n", stream.name, stream.doc.trim(), stream.request);
    section(&mut out, "Parameters (`with:`)", &stream.params);
    columns(&mut out, "Columns", &stream.schema, &stream.column_docs);
    if let Some(pages) = &stream.pages {
        out.push_str(&format!("\nPages: {pages}\n"));
    }
    logins(&mut out, &stream.logins);
    if !stream.key.is_empty() {
        out.push_str(&format!("\nKey: {}\n", stream.key.join(", ")));
    }
    if let Some(cursor) = &stream.cursor {
        out.push_str(&format!("\nIncremental: {} (reads {} again)\n", cursor.doc, cursor.lookback));
    }
    source(&mut out, &stream.source);
    out
}

fn operation_page(operation: &OperationInfo) -> String {
    let mut out = format!("operation {}\n\n{}\n\n{}\n", operation.name, operation.doc.trim(), operation.request);
    section(&mut out, "Fields (`record:`)", &operation.fields);
    columns(
        &mut out,
        "Results (`NAME.results`, beside the key, outcome and message)",
        &operation.results,
        &operation.result_docs,
    );
    logins(&mut out, &operation.logins);
    let again = if operation.idempotent {
        "Sending the same record twice does no harm."
    } else {
        "Sending the same record twice does it twice: what was sent is journalled, and an unknown outcome is held."
    };
    out.push_str(&format!("\n{again}\n"));
    if operation.batch > 1 {
        out.push_str(&format!("A call takes up to {} records; `batch:` of a sink lowers that.\n", operation.batch));
    }
    if operation.verifies {
        out.push_str("Whether a record of unknown outcome was written can be found out.\n");
    }
    if operation.sends_email {
        out.push_str("People get mail from it.\n");
    }
    source(&mut out, &operation.source);
    out
}

fn logins(out: &mut String, names: &[String]) {
    if !names.is_empty() {
        out.push_str(&format!("\nLogin: {}\n", names.join(", ")));
    }
}

fn source(out: &mut String, source: &str) {
    if !source.is_empty() {
        out.push_str(&format!("\nSource of these facts: {source}\n"));
    }
}
