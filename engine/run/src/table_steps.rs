//! Steps that need more than one row at a time, as parts of the lazy plan.

use crate::runner::Runner;
use polars::prelude::*;
use towpath_connector::Result;
use towpath_mapping::{Aggregate, schema_to_polars, to_polars};
use towpath_plan::{JoinPlan, Step, StepPlan};
use towpath_spec::Schema as Columns;
use towpath_spec::document::{JoinHow, Keep};

fn column(name: &str) -> Expr {
    // `col` would take `*` and `^…$` for patterns.
    Expr::Column(name.into())
}

fn columns(schema: &Columns) -> Vec<Expr> {
    schema.names().map(column).collect()
}

/// A frame with another node's rows that a step needs.
pub(crate) type Others = Vec<(LazyFrame, Columns)>;

/// Adds a step to the plan. `others` are the frames of the step's other inputs.
pub(crate) fn apply(runner: &Runner, frame: LazyFrame, step: &Step, others: Others) -> Result<LazyFrame> {
    let out = match &step.plan {
        StepPlan::Join(plan) => join(frame, plan, others),
        StepPlan::Union(_) => union(frame, step, others)?,
        StepPlan::Aggregate { by, values } => {
            let lower = |value: &Aggregate| {
                if by.is_empty() { value.lower_over_all(&runner.constants) } else { value.lower(&runner.constants) }
            };
            let values: Vec<Expr> = values.iter().map(|(name, value)| lower(value).alias(name.as_str())).collect();
            if by.is_empty() {
                frame.select(values)
            } else {
                frame.group_by_stable(by.iter().map(|name| column(name)).collect::<Vec<_>>()).agg(values)
            }
        }
        StepPlan::Distinct { on, keep, order_by } => {
            let frame = if order_by.is_empty() { frame } else { sort(frame, order_by) };
            let subset = (!on.is_empty()).then(|| on.iter().map(|name| column(name)).collect());
            let keep = match keep {
                Keep::First => UniqueKeepStrategy::First,
                Keep::Last => UniqueKeepStrategy::Last,
            };
            frame.unique_stable_generic(subset, keep)
        }
        StepPlan::Sort(keys) => sort(frame, keys),
        StepPlan::Limit(rows) => frame.slice(0, IdxSize::try_from(*rows).unwrap_or(IdxSize::MAX)),
        _ => frame,
    };
    // The plan's own idea of the columns is the one that holds.
    let exprs: Vec<Expr> =
        step.output.fields.iter().map(|field| column(&field.name).strict_cast(to_polars(&field.ty))).collect();
    Ok(if needs_cast(&step.plan) { out.select(exprs) } else { out.select(columns(&step.output)) })
}

/// Aggregates have types of Polars' own choosing, e.g. of counts.
fn needs_cast(plan: &StepPlan) -> bool {
    matches!(plan, StepPlan::Aggregate { .. })
}

fn sort(frame: LazyFrame, keys: &[(String, bool)]) -> LazyFrame {
    let by: Vec<Expr> = keys.iter().map(|(name, _)| column(name)).collect();
    let descending: Vec<bool> = keys.iter().map(|(_, descending)| *descending).collect();
    let options = SortMultipleOptions::default()
        .with_order_descending_multi(descending)
        .with_nulls_last(true)
        .with_maintain_order(true);
    frame.sort_by_exprs(by, options)
}

fn join(frame: LazyFrame, plan: &JoinPlan, mut others: Others) -> LazyFrame {
    let Some((other, _)) = others.pop() else {
        return frame;
    };
    let left: Vec<Expr> = plan.on.iter().map(|(here, _)| column(here)).collect();
    let right: Vec<Expr> = plan.on.iter().map(|(_, there)| column(there)).collect();
    let how = match plan.how {
        JoinHow::Left => JoinType::Left,
        JoinHow::Inner => JoinType::Inner,
        JoinHow::Full => JoinType::Full,
        JoinHow::Semi => JoinType::Semi,
        JoinHow::Anti => JoinType::Anti,
        JoinHow::Cross => JoinType::Cross,
    };
    let mut args = JoinArgs::new(how).with_suffix(Some(plan.suffix.as_str().into()));
    // The same rows in the same order at every run.
    args.maintain_order = MaintainOrderJoin::LeftRight;
    if plan.how == JoinHow::Full {
        args.coalesce = JoinCoalesce::CoalesceColumns;
    }
    frame.join(other, left, right, args)
}

fn union(frame: LazyFrame, step: &Step, others: Others) -> Result<LazyFrame> {
    let schema = schema_to_polars(&step.output);
    let whole = |frame: LazyFrame, columns: &Columns| {
        let exprs: Vec<Expr> = schema
            .iter()
            .map(|(name, dtype)| match columns.get(name) {
                Some(_) => column(name).cast(dtype.clone()),
                None => lit(NULL).cast(dtype.clone()).alias(name.clone()),
            })
            .collect();
        frame.select(exprs)
    };
    let mut frames = vec![whole(frame, &step.input)];
    frames.extend(others.into_iter().map(|(frame, columns)| whole(frame, &columns)));
    let args = UnionArgs { parallel: true, rechunk: false, maintain_order: true, ..UnionArgs::default() };
    Ok(concat(frames, args)?)
}
