//! Who reads whom: names resolved to ports, cycles found, nodes put in an order in which inputs come first.

use crate::context::Context;
use crate::plan::{Output, Port};
use std::collections::BTreeMap;
use towpath_spec::document::{Pipeline, StepKind};
use towpath_spec::{Diagnostic, Text, codes};

/// A node as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Source(usize),
    Transform(usize),
    Sink(usize),
}

/// The nodes in an order in which each stands behind those it reads.
pub(crate) struct Graph {
    pub order: Vec<Written>,
    places: BTreeMap<String, usize>,
}

struct Edge<'p> {
    from: &'p Text,
    to: Written,
}

impl Graph {
    /// Resolves all inputs; what cannot be resolved is reported.
    pub fn new(context: &mut Context<'_>, pipeline: &Pipeline) -> Self {
        let nodes = all_nodes(pipeline);
        let known = outputs(pipeline);
        let mut edges = Vec::new();
        for edge in all_edges(pipeline) {
            // A node that could not be read was reported already; those who read it are not to blame.
            if pipeline.unreadable.iter().any(|name| name.value == base_name(pipeline, &edge.from.value)) {
                continue;
            }
            if context.known(codes::UNKNOWN_NODE, "node", edge.from, known.iter().map(String::as_str)) {
                edges.push(edge);
            }
        }
        let order = sort(context, pipeline, &nodes, &edges);
        let places = order.iter().enumerate().map(|(at, node)| (name(pipeline, *node).value.clone(), at)).collect();
        Self { order, places }
    }

    /// The output a name stands for; `None` was reported already.
    pub fn port(&self, written: &Text) -> Option<Port> {
        let find = |name: &str| self.places.get(name).copied();
        if let Some(node) = find(&written.value) {
            return Some(Port { node, output: Output::Rows });
        }
        let (base, output) = written.value.rsplit_once('.')?;
        let output = match output {
            "rejects" => Output::Rejects,
            "results" => Output::Results,
            _ => return None,
        };
        find(base).map(|node| Port { node, output })
    }
}

/// The name of a node.
pub(crate) fn name(pipeline: &Pipeline, node: Written) -> &Text {
    match node {
        Written::Source(at) => &pipeline.sources[at].name,
        Written::Transform(at) => &pipeline.transforms[at].name,
        Written::Sink(at) => &pipeline.sinks[at].name,
    }
}

fn all_nodes(pipeline: &Pipeline) -> Vec<Written> {
    let sources = (0..pipeline.sources.len()).map(Written::Source);
    let transforms = (0..pipeline.transforms.len()).map(Written::Transform);
    sources.chain(transforms).chain((0..pipeline.sinks.len()).map(Written::Sink)).collect()
}

/// Every name an input may have.
fn outputs(pipeline: &Pipeline) -> Vec<String> {
    let mut out = Vec::new();
    for node in all_nodes(pipeline) {
        let name = &name(pipeline, node).value;
        match node {
            // A sink's rows end there.
            Written::Sink(at) if pipeline.sinks[at].operation.is_some() => out.push(format!("{name}.results")),
            Written::Sink(_) => {}
            _ => out.push(name.clone()),
        }
        out.push(format!("{name}.rejects"));
    }
    out
}

fn all_edges(pipeline: &Pipeline) -> Vec<Edge<'_>> {
    let mut edges = Vec::new();
    for (at, transform) in pipeline.transforms.iter().enumerate() {
        let to = Written::Transform(at);
        edges.push(Edge { from: &transform.input, to });
        for step in &transform.steps {
            match &step.kind {
                StepKind::Join(join) => edges.push(Edge { from: &join.with, to }),
                StepKind::Union(others) => edges.extend(others.iter().map(|from| Edge { from, to })),
                StepKind::Sql(sql) => edges.extend(sql.with.iter().map(|from| Edge { from, to })),
                _ => {}
            }
        }
    }
    edges.extend(pipeline.sinks.iter().enumerate().map(|(at, sink)| Edge { from: &sink.input, to: Written::Sink(at) }));
    edges
}

/// The node part of an input: `upload.results` reads `upload`.
fn base_name<'p>(pipeline: &Pipeline, input: &'p str) -> &'p str {
    let exists = |name: &str| all_nodes(pipeline).iter().any(|node| self::name(pipeline, *node).value == name);
    match input.rsplit_once('.') {
        Some((base, _)) if !exists(input) => base,
        _ => input,
    }
}

/// Takes nodes whose inputs are all there, in the order written; what is left over is in a cycle or behind one.
fn sort(context: &mut Context<'_>, pipeline: &Pipeline, nodes: &[Written], edges: &[Edge<'_>]) -> Vec<Written> {
    let mut order: Vec<Written> = Vec::new();
    let mut left: Vec<Written> = nodes.to_vec();
    let done = |order: &[Written], input: &str| {
        let base = base_name(pipeline, input);
        order.iter().any(|node| name(pipeline, *node).value == base)
    };
    while let Some(at) = left
        .iter()
        .position(|node| edges.iter().filter(|edge| edge.to == *node).all(|edge| done(&order, &edge.from.value)))
    {
        order.push(left.remove(at));
    }
    report_cycle(context, pipeline, &left, edges);
    order
}

fn report_cycle(context: &mut Context<'_>, pipeline: &Pipeline, left: &[Written], edges: &[Edge<'_>]) {
    let Some(first) = left.first() else { return };
    // Walk against the edges among what is left over until a node comes up again.
    let mut path: Vec<Written> = vec![*first];
    loop {
        let here = path[path.len() - 1];
        let back = edges.iter().filter(|edge| edge.to == here).find_map(|edge| {
            let base = base_name(pipeline, &edge.from.value);
            left.iter().find(|node| name(pipeline, **node).value == base).map(|node| (*node, edge.from))
        });
        let Some((node, input)) = back else { return };
        if let Some(start) = path.iter().position(|seen| *seen == node) {
            let mut names: Vec<&str> = path[start..].iter().map(|n| name(pipeline, *n).as_str()).collect();
            names.reverse();
            names.push(names[0]);
            let message = format!("the nodes read each other in a circle: {}", names.join(" → "));
            let help = "a node can read only what does not depend on it; take one of these inputs away";
            context.push(Diagnostic::error(codes::CYCLE, input.span, message).help(help));
            return;
        }
        path.push(node);
    }
}
