//! How the fields of a plan run: as columns, or row by row and why; and the columns of a node.

use crate::args::Format;
use crate::failure::Failure;
use crate::table;
use towpath_mapping::{Compiled, Mode};
use towpath_plan::{NodeKind, Plan, StepPlan, rejects_schema};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Field, Schema};

/// One field of a plan.
struct Row {
    node: String,
    step: String,
    field: String,
    mode: Mode,
}

/// Says of each field how it runs.
pub fn explain(plan: &Plan, format: Format) {
    let rows = rows(plan);
    if format == Format::Json {
        for row in rows {
            let (how, why) = match row.mode {
                Mode::Compiled => ("compiled", None),
                Mode::Interpreted { why } => ("interpreted", Some(why)),
            };
            let Row { node, step, field, .. } = row;
            println!("{}", serde_json::json!({"node": node, "step": step, "field": field, "how": how, "why": why}));
        }
        return;
    }
    let mut out = table::bordered(vec!["node".into(), "step".into(), "field".into(), "how".into()]);
    for Row { node, step, field, mode } in rows {
        let how = match mode {
            Mode::Compiled => "compiled".to_owned(),
            Mode::Interpreted { why } => format!("interpreted: {why}"),
        };
        out.add_row(vec![node, step, field, how]);
    }
    println!("{out}");
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut out = Vec::new();
    for node in &plan.nodes {
        let mut add = |step: &str, field: &str, value: &Compiled| {
            let (node, step, field) = (node.name.clone(), step.to_owned(), field.to_owned());
            out.push(Row { node, step, field, mode: value.mode().clone() });
        };
        match &node.kind {
            NodeKind::Source(_) => {}
            NodeKind::Sink(sink) => {
                for (path, value) in sink.record.iter().flat_map(|record| record.leaves()) {
                    add("record", &path, value);
                }
            }
            NodeKind::Transform(transform) => {
                for step in &transform.steps {
                    let label = format!("{} {}", step.index + 1, step.name);
                    of_step(&step.plan, &mut |field, value| add(&label, field, value));
                }
            }
        }
    }
    out
}

/// The fields of a step; an aggregate without an argument has nothing to compute.
fn of_step(plan: &StepPlan, add: &mut dyn FnMut(&str, &Compiled)) {
    match plan {
        StepPlan::Filter(value) => add("", value),
        StepPlan::Map(columns) | StepPlan::Set(columns) | StepPlan::Cast(columns) => {
            columns.iter().for_each(|column| add(&column.name, &column.value));
        }
        StepPlan::Check(checks) => checks.iter().for_each(|check| add(&check.name, &check.expect)),
        StepPlan::Lookup(lookup) => {
            lookup.with.iter().for_each(|column| add(&column.name, &column.value));
            lookup.matching.iter().for_each(|value| add("match", value));
        }
        StepPlan::Aggregate { values, .. } => {
            for (name, value) in values {
                value.argument().iter().for_each(|argument| add(name, argument));
            }
        }
        StepPlan::Window(window) => {
            for (name, value) in &window.values {
                value.argument().iter().for_each(|argument| add(name, argument));
            }
        }
        StepPlan::Pivot(pivot) => pivot.take.argument().iter().for_each(|argument| add("take", argument)),
        _ => {}
    }
}

/// Shows the columns of a node: what comes out of it, for a sink what goes in; of `NODE.rejects`, of `NODE.results`.
pub fn schema(plan: &Plan, name: &str, format: Format) -> Result<(), Failure> {
    let (base, output) = match name.rsplit_once('.') {
        Some((base, output @ ("rejects" | "results"))) => (base, output),
        _ => (name, ""),
    };
    let Some(node) = plan.node(base) else {
        let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        let help = did_you_mean(name, names).unwrap_or_default();
        return Err(Failure::usage(format!("pipeline `{}` has no node `{name}`", plan.pipeline), help));
    };
    let rejects = rejects_schema();
    let schema = match (&node.kind, output) {
        (_, "rejects") => Some(&rejects),
        (NodeKind::Sink(sink), "results") => match &sink.results {
            Some(results) => Some(results),
            None => return Err(Failure::usage(format!("`{base}` has no results"), "sinks of API connectors have")),
        },
        (kind, "results") => {
            let message = format!("`{base}` is a {}, which has no results", kind.name());
            return Err(Failure::usage(message, "sinks of API connectors have"));
        }
        (NodeKind::Sink(sink), _) => sink.input_schema.as_ref(),
        _ => node.schema.as_ref(),
    };
    match (schema, format) {
        (None, _) => eprintln!("the columns of `{name}` are not known before the run"),
        (Some(schema), Format::Json) => schema.fields.iter().for_each(|field| println!("{}", json(field))),
        (Some(schema), _) => println!("{}", shown(schema)),
    }
    Ok(())
}

fn json(field: &Field) -> serde_json::Value {
    serde_json::json!({"column": field.name, "type": field.ty.to_string(), "null": field.nullable})
}

fn shown(schema: &Schema) -> String {
    let mut out = table::bordered(vec!["column".into(), "type".into(), "null".into()]);
    for field in &schema.fields {
        out.add_row(vec![field.name.clone(), field.ty.to_string(), if field.nullable { "yes" } else { "no" }.into()]);
    }
    out.to_string()
}
