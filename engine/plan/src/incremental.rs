//! Sources that are read incrementally, into sinks that have no memory of what came before: warned of before a run.
//!
//! An operation has the journal, and a merge its key. A file is written anew, and rows that are read again because of a
//! `lookback` are appended again.

use crate::build::upstream;
use crate::context::Context;
use crate::plan::{Node, NodeKind, SinkNode};
use towpath_connector::{Kind, Setting};
use towpath_spec::{Diagnostic, codes};

/// Warns of sinks that would hold too little or too much.
pub(crate) fn check(context: &mut Context<'_>, nodes: &[Node]) {
    check_files(context, nodes);
    check_tables(context, nodes);
}

/// Warns of files that every run writes anew with nothing but what is new.
fn check_files(context: &mut Context<'_>, nodes: &[Node]) {
    let reads_new = |at: usize| matches!(&nodes[at].kind, NodeKind::Source(source) if source.incremental.is_some());
    for (at, node) in nodes.iter().enumerate() {
        let NodeKind::Sink(sink) = &node.kind else { continue };
        if sink.operation.is_some() {
            continue;
        }
        let Some(path) = sink.settings.iter().find(|setting| setting.name == "path") else { continue };
        // A path that changes with the run is a file of its own for each.
        let templates = path.value.templates();
        let changes = templates.iter().any(|template| {
            template.roots().iter().any(|root| root.name == "run")
                || ["now(", "today("].iter().any(|call| template.source().contains(call))
        });
        let from = upstream(nodes, at).into_iter().find(|source| reads_new(*source) && !changes);
        if let Some(from) = from {
            let message = format!("each run replaces this file with only what is new in `{}`", nodes[from].name);
            context.push(
                Diagnostic::warning(codes::INCREMENTAL_FILE, path.span, message)
                    .help("take `incremental:` away, or put the day into the path: `{{ today() }}`"),
            );
        }
    }
}

/// Warns of tables to which rows are appended that are read more than once.
fn check_tables(context: &mut Context<'_>, nodes: &[Node]) {
    let reads_again = |at: usize| match &nodes[at].kind {
        NodeKind::Source(source) => source.incremental.as_ref().is_some_and(|read| !is_nothing(&read.lookback)),
        _ => false,
    };
    for (at, node) in nodes.iter().enumerate() {
        let NodeKind::Sink(sink) = &node.kind else { continue };
        if !appends(context, sink) {
            continue;
        }
        let Some(from) = upstream(nodes, at).into_iter().find(|source| reads_again(*source)) else { continue };
        let message = format!(
            "rows of `{}` that are read again because of its `lookback` are appended to this table again",
            nodes[from].name
        );
        let span = sink.settings.iter().find(|setting| setting.name == "mode").map_or(node.span, |mode| mode.span);
        context.push(
            Diagnostic::warning(codes::APPENDED_AGAIN, span, message)
                .help("write `mode: merge` with a `key`, or `lookback: PT0S` if no record arrives late"),
        );
    }
}

/// Whether a duration, as it is written, is none.
fn is_nothing(lookback: &str) -> bool {
    !lookback.contains(|digit: char| ('1'..='9').contains(&digit))
}

fn appends(context: &Context<'_>, sink: &SinkNode) -> bool {
    let connector = context.connections.get(sink.connection).and_then(|known| context.registry.get(&known.connector));
    let Some(descriptor) = connector.map(|connector| connector.descriptor()) else { return false };
    let declared: Vec<&Setting> = descriptor.sink_settings.iter().collect();
    descriptor.kind == Kind::Database
        && context.known_settings(&declared, &sink.settings).text("mode").is_some_and(|mode| mode == "append")
}
