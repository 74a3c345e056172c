//! Steps that need more than one row at a time, as parts of the lazy plan.

use crate::keys::once_each;
use crate::runner::Runner;
use crate::stage::conform;
use crate::wide::pivoted;
use polars::prelude::*;
use std::sync::Arc;
use towpath_connector::Result;
use towpath_mapping::{Aggregate, Constants, OrderBy, schema_to_polars, to_polars, windowed};
use towpath_plan::{JoinPlan, Step, StepPlan, WindowPlan};
use towpath_spec::document::{JoinHow, Keep};
use towpath_spec::{Schema as Columns, Type};

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
        StepPlan::Join(plan) => join(runner, frame, step, plan, others),
        StepPlan::Window(plan) => window(frame, step, plan, &runner.constants),
        StepPlan::Pivot(plan) => {
            pivoted(frame, plan, &step.input, &runner.constants, |name| group_key(name, &step.input))?
        }
        StepPlan::Union(_) => union(frame, step, others)?,
        StepPlan::Aggregate { by, values } => {
            let lower = |value: &Aggregate| {
                if by.is_empty() { value.lower_over_all(&runner.constants) } else { value.lower(&runner.constants) }
            };
            let values: Vec<Expr> = values.iter().map(|(name, value)| lower(value).alias(name.as_str())).collect();
            if by.is_empty() {
                frame.select(values)
            } else {
                frame
                    .group_by_stable(by.iter().map(|name| group_key(name, &step.input)).collect::<Vec<_>>())
                    .agg(values)
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

/// 0.0 and -0.0 are one group; which of them stands for it is not left to how the groups were found.
fn group_key(name: &str, input: &Columns) -> Expr {
    match input.get(name).map(|field| &field.ty) {
        Some(Type::Float) => when(column(name).eq(lit(0.0))).then(lit(0.0)).otherwise(column(name)).alias(name),
        _ => column(name),
    }
}

/// Aggregates have types of Polars' own choosing, e.g. of counts.
fn needs_cast(plan: &StepPlan) -> bool {
    matches!(plan, StepPlan::Aggregate { .. } | StepPlan::Pivot(_))
}

fn sort(frame: LazyFrame, keys: &[OrderBy]) -> LazyFrame {
    let by: Vec<Expr> = keys.iter().map(|key| column(&key.column)).collect();
    let options = SortMultipleOptions::default()
        .with_order_descending_multi(keys.iter().map(|key| key.descending).collect::<Vec<_>>())
        .with_nulls_last_multi(keys.iter().map(|key| !key.nulls_first).collect::<Vec<_>>())
        .with_maintain_order(true);
    frame.sort_by_exprs(by, options)
}

/// All rows at once: any of them may belong to the group of any other.
fn window(frame: LazyFrame, step: &Step, plan: &WindowPlan, constants: &Arc<Constants>) -> LazyFrame {
    let output = Arc::new(schema_to_polars(&step.output));
    let schema = output.clone();
    let schema = move |_: &Schema| -> PolarsResult<SchemaRef> { Ok(schema.clone()) };
    let (plan, constants) = (plan.clone(), constants.clone());
    let compute = move |mut frame: DataFrame| {
        for column in windowed(&frame, &plan.by, &plan.order_by, &plan.values, &constants)? {
            frame.with_column(column)?;
        }
        conform(frame, &output)
    };
    frame.map(compute, AllowedOptimizations::empty(), Some(Arc::new(schema)), Some("window"))
}

/// Both sides of a join, whose keys are there as often as `validate` says.
pub(crate) fn validated(
    runner: &Runner,
    (frame, input): (LazyFrame, &Columns),
    other: LazyFrame,
    plan: &JoinPlan,
    (here, there): (&[String], &[String]),
) -> (LazyFrame, LazyFrame) {
    let Some(validate) = plan.validate else {
        return (frame, other);
    };
    let place = |side: &str| format!("`validate: {}`, {side}", validate.written());
    let frame = match validate.is_one_here() {
        true => once_each(frame, here.to_vec(), input, place("the input")),
        false => frame,
    };
    let other = match validate.is_one_there() {
        true => {
            let side = format!("node `{}`", runner.plan.nodes[plan.with.node].name);
            once_each(other, there.to_vec(), &plan.with_schema, place(&side))
        }
        false => other,
    };
    (frame, other)
}

fn join(runner: &Runner, frame: LazyFrame, step: &Step, plan: &JoinPlan, mut others: Others) -> LazyFrame {
    let Some((other, _)) = others.pop() else {
        return frame;
    };
    let (here, there): (Vec<String>, Vec<String>) = plan.on.iter().cloned().unzip();
    let (frame, other) = validated(runner, (frame, &step.input), other, plan, (&here, &there));
    let left: Vec<Expr> = plan.on.iter().map(|(here, _)| column(here)).collect();
    let right: Vec<Expr> = plan.on.iter().map(|(_, there)| column(there)).collect();
    let how = match plan.how {
        // An as-of join is a step of its own: see `asof`.
        JoinHow::Left | JoinHow::Asof => JoinType::Left,
        JoinHow::Inner => JoinType::Inner,
        JoinHow::Full => JoinType::Full,
        JoinHow::Semi => JoinType::Semi,
        JoinHow::Anti => JoinType::Anti,
        JoinHow::Cross => JoinType::Cross,
    };
    let mut args = JoinArgs::new(how).with_suffix(Some(plan.suffix.as_str().into()));
    // The same rows in the same order at every run.
    args.maintain_order = MaintainOrderJoin::LeftRight;
    if plan.how != JoinHow::Full {
        return frame.join(other, left, right, args);
    }
    args.coalesce = JoinCoalesce::CoalesceColumns;
    // Rows that only the other side has come in an order of the hash table's, unless they are put in theirs.
    let numbers = [PlSmallStr::from("\0here"), PlSmallStr::from("\0there")];
    let frame = frame.with_row_index(numbers[0].clone(), None);
    let other = other.with_row_index(numbers[1].clone(), None);
    let order = SortMultipleOptions::default().with_nulls_last(true);
    frame.join(other, left, right, args).sort_by_exprs(numbers.map(Expr::Column), order)
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
