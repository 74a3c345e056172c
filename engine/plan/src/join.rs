//! Planning of joins.

use crate::context::Context;
use crate::plan::{JoinPlan, StepPlan};
use crate::plan_steps::AsofPlan;
use crate::step_shape::Planned;
use crate::steps::Around;
use towpath_spec::document::{AsofDoc, JoinDoc, JoinHow, Tolerance};
use towpath_spec::{Diagnostic, Schema, Text, Type, codes};

pub(crate) fn plan(context: &mut Context<'_>, around: &Around<'_>, join: &JoinDoc, input: &Schema) -> Planned {
    let port = around.graph.port(&join.with)?;
    let other = (around.schema_of)(port)?;
    let mut on = Vec::new();
    let mut whole = context.once(join.on.iter().map(|(here, _)| here));
    for (here, there) in &join.on {
        whole &= same_type(context, join, (here, input), (there, &other)).is_some();
        on.push((here.value.clone(), there.value.clone()));
    }
    let asof = match &join.asof {
        Some(doc) => {
            let planned = asof(context, join, doc, input, &other);
            whole &= planned.is_some();
            planned
        }
        None => None,
    };
    let suffix = join.suffix.as_ref().map_or("_right", |suffix| suffix.as_str()).to_owned();
    let output = joined_schema(context, join, input, &other, &on, &suffix)?;
    let plan = JoinPlan { with: port, with_schema: other, on, how: join.how, suffix, asof, validate: join.validate };
    whole.then_some((StepPlan::Join(plan), output))
}

/// The type of two columns that are to be compared; `None` when that cannot be, which was said.
fn same_type<'s>(
    context: &mut Context<'_>,
    join: &JoinDoc,
    (here, input): (&Text, &'s Schema),
    (there, other): (&Text, &Schema),
) -> Option<&'s Type> {
    if !(context.column(here, Some(input)) & context.column(there, Some(other))) {
        return None;
    }
    let (left, right) = (&input.get(&here.value)?.ty, &other.get(&there.value)?.ty);
    if left == right {
        return Some(left);
    }
    let message = format!("cannot join `{here}` ({left}) with `{there}` of `{}` ({right})", join.with);
    let problem = Diagnostic::error(codes::TYPE_MISMATCH, here.span, message);
    context.push(problem.help("make both the same type with a `cast` step"));
    None
}

fn asof(context: &mut Context<'_>, join: &JoinDoc, doc: &AsofDoc, input: &Schema, other: &Schema) -> Option<AsofPlan> {
    let (here, there) = &doc.at;
    let ty = same_type(context, join, (here, input), (there, other))?;
    let is_number = matches!(ty, Type::Int | Type::Float | Type::Decimal { .. });
    let is_time = matches!(ty, Type::Date | Type::DateTime { .. } | Type::Duration);
    if !is_number && !is_time {
        let message = format!("`{here}` is {ty}, and nearness is known of dates, times, durations and numbers");
        let problem = Diagnostic::error(codes::TYPE_MISMATCH, here.span, message);
        context.push(problem.help("convert it before the join, e.g. with `cast`"));
        return None;
    }
    if let Some((tolerance, span)) = doc.tolerance {
        let (fits, expected) = match tolerance {
            Tolerance::Time(_) => (is_time, "a number"),
            Tolerance::Number(_) => (is_number, "a duration such as `PT1H`"),
        };
        if !fits {
            let message = format!("`{here}` is {ty}: its `tolerance` is {expected}");
            context.push(Diagnostic::error(codes::TYPE_MISMATCH, span, message));
            return None;
        }
    }
    Some(AsofPlan {
        at: (here.value.clone(), there.value.clone()),
        direction: doc.direction,
        tolerance: doc.tolerance.map(|(tolerance, _)| tolerance),
    })
}

fn joined_schema(
    context: &mut Context<'_>,
    join: &JoinDoc,
    input: &Schema,
    other: &Schema,
    on: &[(String, String)],
    suffix: &str,
) -> Option<Schema> {
    let mut output = input.clone();
    if matches!(join.how, JoinHow::Semi | JoinHow::Anti) {
        return Some(output);
    }
    if join.how == JoinHow::Full {
        output.fields.iter_mut().for_each(|field| field.nullable = true);
    }
    for field in &other.fields {
        // The other side's key columns say nothing new.
        if join.how != JoinHow::Cross && on.iter().any(|(_, there)| *there == field.name) {
            continue;
        }
        let mut field = field.clone();
        if input.get(&field.name).is_some() {
            field.name.push_str(suffix);
        }
        if output.get(&field.name).is_some() {
            let message = format!("the join would give two columns `{}`", field.name);
            let span = join.suffix.as_ref().map_or(join.with.span, |suffix| suffix.span);
            context.push(
                Diagnostic::error(codes::DUPLICATE_COLUMN, span, message)
                    .help("write another `suffix:`, or rename the column before the join"),
            );
            return None;
        }
        field.nullable |= matches!(join.how, JoinHow::Left | JoinHow::Full | JoinHow::Asof);
        output.fields.push(field);
    }
    Some(output)
}
