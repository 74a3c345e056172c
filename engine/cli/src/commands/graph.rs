//! `towpath graph`.

use crate::args::{GraphArgs, GraphFormat, Shared};
use crate::documents::Workspace;
use crate::failure::Ended;
use std::process::ExitCode;
use towpath_plan::{NodeKind, Output, Plan, Port};

/// Draws a pipeline as text for Mermaid or Graphviz.
pub fn graph(args: &GraphArgs, shared: &Shared) -> Ended {
    let mut workspace = Workspace::around(&args.pipeline)?;
    let plan = workspace.plan_or_fail(&args.pipeline, shared)?;
    print!(
        "{}",
        match args.language {
            GraphFormat::Mermaid => mermaid(&plan),
            GraphFormat::Dot => dot(&plan),
        }
    );
    Ok(ExitCode::SUCCESS)
}

/// What a node is labelled with: its name and what it does.
fn label(plan: &Plan, at: usize) -> (String, String) {
    let node = &plan.nodes[at];
    let what = match &node.kind {
        NodeKind::Source(source) => {
            let connection = &plan.connections[source.connection];
            match &source.stream {
                Some(stream) => format!("{} {stream}", connection.connector),
                None => connection.connector.clone(),
            }
        }
        NodeKind::Transform(transform) => {
            let mut names: Vec<&str> = transform.steps.iter().map(|step| step.name).collect();
            names.dedup();
            names.join(", ")
        }
        NodeKind::Sink(sink) => {
            let connection = &plan.connections[sink.connection];
            match &sink.operation {
                Some((operation, _)) => format!("{} {operation}", connection.connector),
                None => connection.connector.clone(),
            }
        }
    };
    (node.name.clone(), what)
}

/// All edges: from, to, and what it says on them.
fn edges(plan: &Plan) -> Vec<(Port, usize, &'static str)> {
    let mut out = Vec::new();
    for (at, node) in plan.nodes.iter().enumerate() {
        match &node.kind {
            NodeKind::Source(_) => {}
            NodeKind::Sink(sink) => out.push((sink.input, at, "")),
            NodeKind::Transform(transform) => {
                out.push((transform.input, at, ""));
                for step in &transform.steps {
                    out.extend(step.plan.others().into_iter().map(|port| (port, at, step.name)));
                }
            }
        }
    }
    out
}

fn edge_label(port: Port, what: &'static str) -> &'static str {
    match port.output {
        Output::Rows => what,
        Output::Rejects => "rejects",
        Output::Results => "results",
    }
}

fn mermaid(plan: &Plan) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, node) in plan.nodes.iter().enumerate() {
        let (name, what) = label(plan, at);
        let text = format!("\"{}<br/><i>{}</i>\"", escape_html(&name), escape_html(&what));
        out.push_str(&match node.kind {
            NodeKind::Source(_) => format!("  n{at}([{text}])\n"),
            NodeKind::Transform(_) => format!("  n{at}[{text}]\n"),
            NodeKind::Sink(_) => format!("  n{at}[/{text}/]\n"),
        });
    }
    for (from, to, what) in edges(plan) {
        let label = edge_label(from, what);
        let arrow = if label.is_empty() { "-->".to_owned() } else { format!("-->|{label}|") };
        out.push_str(&format!("  n{} {arrow} n{to}\n", from.node));
    }
    out
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn dot(plan: &Plan) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out =
        format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n", quote(&plan.pipeline));
    for (at, node) in plan.nodes.iter().enumerate() {
        let (name, what) = label(plan, at);
        let shape = match node.kind {
            NodeKind::Source(_) => "ellipse",
            NodeKind::Transform(_) => "box",
            NodeKind::Sink(_) => "parallelogram",
        };
        out.push_str(&format!("  n{at} [shape={shape}, label=\"{}\\n{}\"];\n", quote(&name), quote(&what)));
    }
    for (from, to, what) in edges(plan) {
        let label = edge_label(from, what);
        let label = if label.is_empty() { String::new() } else { format!(" [label=\"{label}\"]") };
        out.push_str(&format!("  n{} -> n{to}{label};\n", from.node));
    }
    out.push_str("}\n");
    out
}
