//! Files of one pipeline that get into each other's way: found before anything is overwritten.

use crate::context::Context;
use crate::plan::{Node, NodeKind};
use crate::settings::SettingTemplate;
use crate::step_shape::glob;
use std::path::{Component, Path, PathBuf};
use towpath_connector::{Kind, Setting};
use towpath_spec::{Diagnostic, Span, codes};

/// A path a node reads or writes.
struct Used<'n> {
    node: &'n Node,
    path: PathBuf,
    span: Span,
}

/// Reports sinks that would write what a source reads or another sink writes.
pub(crate) fn check(context: &mut Context<'_>, nodes: &[Node]) {
    let used: Vec<Used<'_>> = nodes.iter().filter_map(|node| used(context, node)).collect();
    let is_sink = |used: &&Used<'_>| matches!(used.node.kind, NodeKind::Sink(_));
    for (at, sink) in used.iter().enumerate().filter(|(_, used)| is_sink(used)) {
        for other in used.iter().take(at).chain(used[at + 1..].iter().filter(|other| !is_sink(other))) {
            let same = match other.node.kind {
                NodeKind::Sink(_) => sink.path == other.path,
                _ => glob(&other.path.to_string_lossy(), &sink.path.to_string_lossy()),
            };
            if !same {
                continue;
            }
            let does = if is_sink(&other) { "written" } else { "read" };
            let kind = other.node.kind.name();
            let message =
                format!("`{}` would overwrite what is {does} by {kind} `{}`", sink.node.name, other.node.name);
            context.push(
                Diagnostic::error(codes::SAME_FILE, sink.span, message)
                    .label(other.span, format!("{does} here"))
                    .help("give each its own path"),
            );
        }
    }
}

fn used<'n>(context: &Context<'_>, node: &'n Node) -> Option<Used<'n>> {
    let (connection, settings): (usize, &[SettingTemplate]) = match &node.kind {
        NodeKind::Source(source) => (source.connection, &source.settings),
        NodeKind::Sink(sink) => (sink.connection, &sink.settings),
        NodeKind::Transform(_) => return None,
    };
    let connector = context.registry.get(&context.connections.get(connection)?.connector)?;
    let descriptor = connector.descriptor();
    if descriptor.kind != Kind::Files {
        return None;
    }
    let declared: Vec<&Setting> = descriptor.source_settings.iter().chain(&descriptor.sink_settings).collect();
    let path = context.known_settings(&declared, settings).text("path")?;
    let span = settings.iter().find(|setting| setting.name == "path")?.span;
    Some(Used { node, path: plain(&context.base.join(path)), span })
}

/// The path without `.` and `..`, as far as that can be told without looking at the disk.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
