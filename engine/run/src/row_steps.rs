//! Steps that look at one row at a time, carried out batch by batch inside the streaming plan.
//!
//! A batch goes in, the rows that pass come out; filtered rows are counted and rejects are kept on the way, so that no
//! second pass is needed. Whether a row fails is decided in columns; only for the rows that do, the interpreter is
//! asked for value and reason.

use crate::accounts::book;
use crate::rejects::NewReject;
use crate::runner::Runner;
use crate::stage::conform;
use crate::wide::{Codes, unpivoted};
use polars::prelude::*;
use std::sync::Arc;
use towpath_mapping::{Compiled, Computed, Constants, Evaluated, FrameRows, evaluate, schema_to_polars};
use towpath_plan::{Check, Column as PlanColumn, Step, StepPlan, UnpivotPlan};
use towpath_spec::Schema as Columns;
use towpath_spec::document::{CheckElse, Unlisted};

/// Consecutive row-wise steps of one node.
pub(crate) struct RowSteps {
    node: usize,
    steps: Vec<Prepared>,
    output: SchemaRef,
}

struct Prepared {
    index: usize,
    input: Columns,
    output: SchemaRef,
    work: Work,
}

enum Work {
    Filter(Box<Computed>),
    /// Columns computed; `keep` says whether the others stay.
    Compute {
        columns: Vec<Computed>,
        keep: bool,
    },
    Select(Vec<PlSmallStr>),
    Rename(Vec<(PlSmallStr, PlSmallStr)>),
    Unnest(PlSmallStr),
    Explode(PlSmallStr),
    Check(Vec<(Check, Computed)>),
    Unpivot(Box<UnpivotPlan>),
    /// Rows whose code a pivot does not list.
    Codes(Codes),
    /// Values that are only computed to reject the rows for which they fail.
    Guard(Vec<Computed>),
}

fn all_of(columns: &[PlanColumn], constants: &Constants) -> Vec<Computed> {
    columns.iter().map(|column| Computed::new(&column.name, &column.value, constants)).collect()
}

impl RowSteps {
    pub fn new(node: usize, steps: &[Step], constants: &Constants) -> Self {
        let prepared: Vec<Prepared> = steps.iter().map(|step| Prepared::new(step, constants)).collect();
        let output = prepared.last().map(|step| step.output.clone()).unwrap_or_default();
        Self { node, steps: prepared, output }
    }

    /// Rows for which the arguments of a step over many rows cannot be computed, or that it does not take, become rejects;
    /// `None` when there can be none.
    pub fn guard(node: usize, step: &Step, constants: &Constants) -> Option<Self> {
        let fallible =
            |name: &str, argument: Option<Compiled>| argument.map(|argument| Computed::new(name, &argument, constants));
        let arguments: Vec<Computed> = match &step.plan {
            StepPlan::Aggregate { values, .. } => {
                values.iter().filter_map(|(name, value)| fallible(name, value.fallible_argument())).collect()
            }
            StepPlan::Window(plan) => {
                plan.values.iter().filter_map(|(name, value)| fallible(name, value.fallible_argument())).collect()
            }
            StepPlan::Pivot(plan) => fallible("take", plan.take.fallible_argument()).into_iter().collect(),
            _ => return None,
        };
        let mut work = Vec::new();
        if let StepPlan::Pivot(plan) = &step.plan
            && plan.otherwise != Unlisted::Ignore
        {
            work.push(Work::Codes(Codes::new(plan, &step.input)));
        }
        if !arguments.is_empty() {
            work.push(Work::Guard(arguments));
        }
        if work.is_empty() {
            return None;
        }
        let output = Arc::new(schema_to_polars(&step.input));
        let prepared = |work| Prepared { index: step.index, input: step.input.clone(), output: output.clone(), work };
        Some(Self { node, steps: work.into_iter().map(prepared).collect(), output: output.clone() })
    }

    /// The columns that come out, as Polars knows them.
    pub fn output(&self) -> SchemaRef {
        self.output.clone()
    }

    /// Carries the steps out on a batch.
    pub fn apply(&self, runner: &Runner, frame: DataFrame) -> PolarsResult<DataFrame> {
        runner.go_on().map_err(|error| runner.plan_error(self.node, error))?;
        let account = &runner.accounts[self.node];
        let mut frame = frame;
        for step in &self.steps {
            let before = frame.height();
            let after = step.apply(runner, self.node, frame)?;
            frame = after.frame;
            if let Work::Explode(_) | Work::Unpivot(_) = step.work {
                book(&account.added, (frame.height() + after.filtered).saturating_sub(before));
            } else if before != frame.height() + after.filtered + after.rejected {
                let error = towpath_connector::Error::bug(format!(
                    "step {}: {before} rows went in, {} came out, {} were filtered, {} rejected",
                    step.index + 1,
                    frame.height(),
                    after.filtered,
                    after.rejected
                ));
                return Err(runner.plan_error(self.node, error));
            }
            book(&account.filtered, after.filtered);
        }
        Ok(frame)
    }
}

/// What a step did to a batch.
struct After {
    frame: DataFrame,
    filtered: usize,
    rejected: usize,
}

impl After {
    fn all(frame: DataFrame) -> Self {
        Self { frame, filtered: 0, rejected: 0 }
    }
}

impl Prepared {
    fn new(step: &Step, constants: &Constants) -> Self {
        let work = match &step.plan {
            StepPlan::Filter(condition) => Work::Filter(Box::new(Computed::new("filter", condition, constants))),
            StepPlan::Map(columns) => Work::Compute { columns: all_of(columns, constants), keep: false },
            StepPlan::Set(columns) | StepPlan::Cast(columns) => {
                Work::Compute { columns: all_of(columns, constants), keep: true }
            }
            StepPlan::Rename(pairs) => {
                Work::Rename(pairs.iter().map(|(old, new)| (old.as_str().into(), new.as_str().into())).collect())
            }
            StepPlan::Unnest(column) => Work::Unnest(column.as_str().into()),
            StepPlan::Explode(column) => Work::Explode(column.as_str().into()),
            StepPlan::Unpivot(plan) => Work::Unpivot(Box::new(plan.clone())),
            StepPlan::Check(checks) => Work::Check(
                checks
                    .iter()
                    .map(|check| (check.clone(), Computed::new(&check.name, &check.expect, constants)))
                    .collect(),
            ),
            _ => Work::Select(step.output.names().map(Into::into).collect()),
        };
        Self { index: step.index, input: step.input.clone(), output: Arc::new(schema_to_polars(&step.output)), work }
    }

    fn apply(&self, runner: &Runner, node: usize, frame: DataFrame) -> PolarsResult<After> {
        match &self.work {
            Work::Filter(condition) => self.filter(runner, node, frame, condition),
            Work::Compute { columns, keep } => self.compute(runner, node, frame, columns, *keep),
            Work::Select(names) => Ok(After::all(frame.select(names.iter().cloned())?)),
            Work::Rename(pairs) => Ok(After::all(self.rename(frame, pairs)?)),
            Work::Unnest(column) => Ok(After::all(conform(frame.unnest([column.clone()], None)?, &self.output)?)),
            Work::Explode(column) => {
                let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
                let exploded = frame.explode([column.clone()], options)?;
                Ok(After::all(conform(exploded, &self.output)?))
            }
            Work::Unpivot(plan) => {
                let (frame, filtered) = unpivoted(&frame, plan, &self.output)?;
                Ok(After { frame, filtered, rejected: 0 })
            }
            Work::Codes(codes) => self.codes(runner, node, frame, codes),
            Work::Check(checks) => self.check(runner, node, frame, checks),
            Work::Guard(values) => {
                let evaluated = evaluate(&frame, values)?;
                let rejected = self.reject(runner, node, &frame, &evaluated, values)?;
                let frame = match evaluated.passed() {
                    Some(passed) => frame.filter(&passed)?,
                    None => frame,
                };
                Ok(After { frame, filtered: 0, rejected })
            }
        }
    }

    /// Old and new names at once, so that two columns can swap theirs.
    fn rename(&self, frame: DataFrame, pairs: &[(PlSmallStr, PlSmallStr)]) -> PolarsResult<DataFrame> {
        let height = frame.height();
        let columns = frame.into_columns().into_iter().map(|column| {
            let new = pairs.iter().find(|(old, _)| old == column.name()).map(|(_, new)| new.clone());
            match new {
                Some(new) => column.with_name(new),
                None => column,
            }
        });
        DataFrame::new(height, columns.collect())
    }

    fn filter(&self, runner: &Runner, node: usize, frame: DataFrame, condition: &Computed) -> PolarsResult<After> {
        let evaluated = evaluate(&frame, std::slice::from_ref(condition))?;
        let mut keep = evaluated.values[0].bool()?.clone();
        let rejected = self.reject(runner, node, &frame, &evaluated, std::slice::from_ref(condition))?;
        if let Some(passed) = evaluated.passed() {
            keep = &keep & &passed;
        }
        let kept = frame.filter(&keep)?;
        let filtered = frame.height() - keep.num_trues() - rejected;
        Ok(After { frame: kept, filtered, rejected })
    }

    fn compute(
        &self,
        runner: &Runner,
        node: usize,
        frame: DataFrame,
        columns: &[Computed],
        keep: bool,
    ) -> PolarsResult<After> {
        let evaluated = evaluate(&frame, columns)?;
        let rejected = self.reject(runner, node, &frame, &evaluated, columns)?;
        let height = frame.height();
        let passed = evaluated.passed();
        let mut out: Vec<Column> = if keep { frame.into_columns() } else { Vec::new() };
        for column in evaluated.values {
            match out.iter_mut().find(|old| old.name() == column.name()) {
                Some(old) => *old = column,
                None => out.push(column),
            }
        }
        let mut out = DataFrame::new(height, out)?;
        if let Some(passed) = passed {
            out = out.filter(&passed)?;
        }
        Ok(After { frame: conform(out, &self.output)?, filtered: 0, rejected })
    }

    fn codes(&self, runner: &Runner, node: usize, frame: DataFrame, codes: &Codes) -> PolarsResult<After> {
        let listed = codes.listed(&frame)?;
        let rejected = listed.len() - listed.num_trues();
        if rejected == 0 {
            return Ok(After::all(frame));
        }
        let rejects =
            codes.rejects(&frame, &self.input, &listed, self.index).map_err(|error| runner.plan_error(node, error))?;
        if codes.otherwise == Unlisted::Fail {
            let found = rejects.first().and_then(|reject| reject.value.as_ref()).map(ToString::to_string);
            let message = format!("the code {} is none of those that become columns", found.unwrap_or_default());
            let error = towpath_connector::Error::data(message)
                .help("write it under `values:` of the pivot, or choose another `else:`");
            return Err(runner.plan_error(node, error));
        }
        runner.reject_in_plan(node, rejects)?;
        Ok(After { frame: frame.filter(&listed)?, filtered: 0, rejected })
    }

    fn check(
        &self,
        runner: &Runner,
        node: usize,
        frame: DataFrame,
        checks: &[(Check, Computed)],
    ) -> PolarsResult<After> {
        let mut frame = frame;
        let mut rejected = 0;
        for (check, computed) in checks {
            let evaluated = evaluate(&frame, std::slice::from_ref(computed))?;
            rejected += self.reject(runner, node, &frame, &evaluated, std::slice::from_ref(computed))?;
            let mut holds = evaluated.values[0].bool()?.clone();
            let passed = evaluated.passed();
            if let Some(passed) = &passed {
                // Rows on which the check could not be computed are rejects already.
                frame = frame.filter(passed)?;
                holds = holds.filter(passed)?;
            }
            let broken = holds.len() - holds.num_trues();
            if broken == 0 {
                continue;
            }
            match check.otherwise {
                // Told once, when all batches are through.
                CheckElse::Warn => runner.doubtful(node, &check.name, broken),
                CheckElse::Fail => {
                    let message = format!("check `{}` does not hold for {broken} rows", check.name);
                    let error = towpath_connector::Error::data(message)
                        .help("mend the data, or let the check `reject` or `warn`");
                    return Err(runner.plan_error(node, error));
                }
                CheckElse::Reject => {
                    let rejects = self.broken(&frame, &holds, check, computed);
                    let rejects = rejects.map_err(|error| runner.plan_error(node, error))?;
                    runner.reject_in_plan(node, rejects)?;
                    rejected += broken;
                    frame = frame.filter(&holds)?;
                }
            }
        }
        Ok(After { frame, filtered: 0, rejected })
    }

    /// The rows for which a check does not hold. Its first column stands for the field.
    fn broken(
        &self,
        frame: &DataFrame,
        holds: &BooleanChunked,
        check: &Check,
        computed: &Computed,
    ) -> towpath_connector::Result<Vec<NewReject>> {
        let rows = FrameRows::new(frame, &self.input).map_err(towpath_connector::Error::bug)?;
        let field = computed.value.columns().first();
        let broken = holds.iter().enumerate().filter(|(_, holds)| *holds != Some(true));
        Ok(broken
            .map(|(row, _)| {
                let row = rows.row(row).to_json();
                NewReject {
                    step: Some(self.index),
                    field: field.cloned(),
                    value: field.and_then(|name| row.get(name).cloned()),
                    reason: format!("check `{}` does not hold", check.name),
                    row,
                }
            })
            .collect())
    }

    /// Keeps the rows that failed; gives their number.
    fn reject(
        &self,
        runner: &Runner,
        node: usize,
        frame: &DataFrame,
        evaluated: &Evaluated,
        values: &[Computed],
    ) -> PolarsResult<usize> {
        if !evaluated.has_failures() {
            return Ok(0);
        }
        let rejects = rejects_of(frame, &self.input, evaluated, values, &runner.constants, Some(self.index))
            .map_err(|error| runner.plan_error(node, error))?;
        let count = rejects.len();
        runner.reject_in_plan(node, rejects)?;
        Ok(count)
    }
}

/// The failed rows of a batch as rejects.
pub(crate) fn rejects_of(
    frame: &DataFrame,
    schema: &Columns,
    evaluated: &Evaluated,
    values: &[Computed],
    constants: &Constants,
    step: Option<usize>,
) -> towpath_connector::Result<Vec<NewReject>> {
    let rows = FrameRows::new(frame, schema).map_err(towpath_connector::Error::bug)?;
    Ok(evaluated
        .failures()
        .map(|(row, at)| {
            let computed = &values[at];
            let (value, reason) = match computed.value.interpret(&rows.row(row), constants) {
                Err(reason) => (Some(reason.value.to_json()), reason.message),
                Ok(_) => (None, "this value could not be computed".to_owned()),
            };
            let row = rows.row(row).to_json();
            NewReject { step, field: Some(computed.name.clone()), value, reason, row }
        })
        .collect())
}
