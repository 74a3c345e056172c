//! From documents to a plan.

use crate::connections::Known;
use crate::context::{Context, Outside};
use crate::graph::{self, Graph, Written};
use crate::plan::{Limits, Node, NodeKind, Output, Plan, Port, rejects_schema};
use crate::{files, incremental, params, sink, source, steps};
use std::collections::BTreeMap;
use std::path::Path;
use towpath_connector::Registry;
use towpath_mapping::Macros;
use towpath_spec::document::{Environment, ParamDoc, Pipeline, Project};
use towpath_spec::{Diagnostic, Files, Schema, Span, Text, codes};

/// Times one request is tried again when a pipeline does not say.
const RETRIES: u32 = 5;

/// What a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Documents<'a> {
    /// The files everything was read from.
    pub files: &'a Files,
    /// The project, if there is one.
    pub project: Option<&'a Project>,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The environment chosen.
    pub environment: Option<&'a str>,
    /// Parameters given on the command line.
    pub params: &'a BTreeMap<String, String>,
    /// The folder relative paths start from.
    pub base: &'a Path,
    /// Files of macros, each a whole file.
    pub macros: &'a [Text],
    /// Values from outside, when the plan is to be carried out; `None` to check files alone.
    pub outside: Option<Outside<'a>>,
}

/// Makes a plan of documents, or says all that is wrong with them. Warnings come beside a plan.
pub fn build(documents: &Documents<'_>, registry: &Registry) -> (Option<Plan>, Vec<Diagnostic>) {
    let pipeline = documents.pipeline;
    let mut context = Context::new(documents.files, registry, documents.base);
    context.outside = documents.outside;
    let environment = environment(&mut context, documents);
    let declared: Vec<&ParamDoc> =
        documents.project.iter().flat_map(|project| &project.params).chain(&pipeline.params).collect();
    params::resolve(&mut context, &declared, environment, documents.params, pipeline.name.span);
    let (macros, problems) = Macros::read(documents.macros, documents.files, &context.param_fields);
    context.diagnostics.extend(problems);
    context.macros = Some(&macros);
    let shared = documents.project.map(|project| project.connections.as_slice()).unwrap_or_default();
    let known = Known::new(&mut context, shared, environment, &pipeline.connections);
    let graph = Graph::new(&mut context, pipeline);
    let mut nodes: Vec<Node> = Vec::new();
    for written in &graph.order {
        let node = node(&mut context, &known, &graph, pipeline, &nodes, *written);
        nodes.push(node);
    }
    known.check_all(&mut context);
    count_readers(&mut nodes);
    files::check(&mut context, &nodes);
    if !context.diagnostics.iter().any(Diagnostic::is_error) {
        incremental::check(&mut context, &nodes);
    }
    if pipeline.unreadable.is_empty() {
        unread(&mut context, &nodes);
    }
    once_each(&mut context.diagnostics);
    let failed = context.diagnostics.iter().any(Diagnostic::is_error);
    let plan = Plan {
        pipeline: pipeline.name.value.clone(),
        description: pipeline.description.as_ref().map(|text| text.value.clone()),
        environment: documents.environment.unwrap_or_default().to_owned(),
        base: documents.base.to_owned(),
        state: environment
            .and_then(|env| env.state.clone())
            .or_else(|| documents.project.and_then(|project| project.state.clone())),
        params: context.params,
        connections: context.connections,
        nodes,
        limits: Limits {
            retries: pipeline.limits.retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(RETRIES),
            memory: pipeline.limits.memory,
            concurrency: pipeline.limits.concurrency.and_then(|n| usize::try_from(n).ok()),
        },
        blocked: context.blocked,
    };
    ((!failed).then_some(plan), context.diagnostics)
}

/// What several nodes stumble over is said once.
fn once_each(diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    diagnostics.retain(|diagnostic| {
        let new = !seen.contains(diagnostic);
        if new {
            seen.push(diagnostic.clone());
        }
        new
    });
}

fn environment<'a>(context: &mut Context<'_>, documents: &Documents<'a>) -> Option<&'a Environment> {
    let chosen = documents.environment?;
    let all = documents.project.map(|project| project.environments.as_slice()).unwrap_or_default();
    let found = all.iter().find(|environment| environment.name.value == chosen);
    if found.is_none() {
        let span = documents.project.map_or(documents.pipeline.name.span, |project| project.name.span);
        let names: Vec<String> = all.iter().map(|environment| format!("`{}`", environment.name)).collect();
        let help = if names.is_empty() {
            "write `environments:` in towpath.yaml, or leave `--env` away".to_owned()
        } else {
            format!("known environments: {}", names.join(", "))
        };
        let message = format!("unknown environment `{chosen}`");
        context.push(Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, span, message).help(help));
    }
    found
}

fn node(
    context: &mut Context<'_>,
    known: &Known,
    graph: &Graph,
    pipeline: &Pipeline,
    nodes: &[Node],
    written: Written,
) -> Node {
    let schema_of = |port: Port| port_schema(nodes, port);
    let name = graph::name(pipeline, written).clone();
    let (kind, schema) = match written {
        Written::Source(at) => {
            let (source, schema) = source::plan(context, known, &pipeline.sources[at]);
            (source.map(NodeKind::Source), schema)
        }
        Written::Transform(at) => {
            let doc = &pipeline.transforms[at];
            let around = steps::Around { known, graph, schema_of: &schema_of };
            let planned = graph.port(&doc.input).map(|input| steps::plan(context, &around, doc, input));
            planned.map_or((None, None), |(node, schema)| (Some(NodeKind::Transform(node)), schema))
        }
        Written::Sink(at) => {
            let doc = &pipeline.sinks[at];
            let sink = graph.port(&doc.input).and_then(|input| {
                let schema = schema_of(input);
                sink::plan(context, known, doc, input, schema.as_ref())
            });
            (sink.map(NodeKind::Sink), None)
        }
    };
    // A node that could not be planned was reported; its place is kept, so that ports stay right.
    let kind = kind.unwrap_or(NodeKind::Transform(crate::TransformNode {
        input: Port { node: nodes.len(), output: Output::Rows },
        input_schema: None,
        steps: Vec::new(),
    }));
    let span: Span = name.span;
    Node { name: name.value, span, kind, schema, readers: 0, rejects_read: false, results_read: false }
}

fn port_schema(nodes: &[Node], port: Port) -> Option<Schema> {
    let node = nodes.get(port.node)?;
    match (port.output, &node.kind) {
        (Output::Rows, _) => node.schema.clone(),
        (Output::Rejects, _) => Some(rejects_schema()),
        (Output::Results, NodeKind::Sink(sink)) => sink.results.clone(),
        (Output::Results, _) => None,
    }
}

/// The ports a node reads.
pub(crate) fn inputs(kind: &NodeKind) -> Vec<Port> {
    match kind {
        NodeKind::Source(_) => Vec::new(),
        NodeKind::Sink(sink) => vec![sink.input],
        NodeKind::Transform(transform) => {
            let others = transform.steps.iter().flat_map(|step| step.plan.others());
            std::iter::once(transform.input).chain(others).collect()
        }
    }
}

/// All nodes that lead to a node.
pub(crate) fn upstream(nodes: &[Node], node: usize) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut waiting = vec![node];
    while let Some(next) = waiting.pop() {
        for port in nodes.get(next).map(|node| inputs(&node.kind)).unwrap_or_default() {
            if !found.contains(&port.node) {
                found.push(port.node);
                waiting.push(port.node);
            }
        }
    }
    found
}

fn count_readers(nodes: &mut [Node]) {
    let ports: Vec<Port> = nodes.iter().flat_map(|node| inputs(&node.kind)).collect();
    for port in ports {
        let Some(node) = nodes.get_mut(port.node) else {
            continue;
        };
        match port.output {
            Output::Rows => node.readers += 1,
            Output::Rejects => node.rejects_read = true,
            Output::Results => node.results_read = true,
        }
    }
}

fn unread(context: &mut Context<'_>, nodes: &[Node]) {
    if context.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    for node in nodes {
        if !matches!(node.kind, NodeKind::Sink(_)) && node.readers == 0 && !node.rejects_read {
            let message = format!("nobody reads {} `{}`, so it is not run", node.kind.name(), node.name);
            context.push(
                Diagnostic::warning(codes::UNREAD_NODE, node.span, message)
                    .help("name it as the `input:` of another node, or take it away"),
            );
        }
    }
}
