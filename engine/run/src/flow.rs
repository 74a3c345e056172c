//! How data flows from node to node: lazily where it can, over a stage where it must.
//!
//! A node's rows are part of its reader's plan when nobody else reads them. They are staged when several nodes read
//! them, when its rejects are read, or when what comes next is not Polars' work (a lookup).

use crate::accounts::book;
use crate::clock::aside;
use crate::memory;
use crate::partition::Parts;
use crate::row_steps::RowSteps;
use crate::runner::{Mode, Runner};
use crate::stage::{Stage, StageWriter};
use crate::table_steps;
use futures::future::{BoxFuture, FutureExt};
use polars::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use towpath_connector::{Error, Result};
use towpath_mapping::{compile_cast, schema_to_polars};
use towpath_plan::{Column as PlanColumn, JoinPlan, NodeKind, Output, Port, Step, StepPlan, TransformNode};
use towpath_spec::Schema as Columns;

/// Rows of a batch that goes to a stage or a lookup.
pub(crate) const BATCH: usize = 50_000;

/// Rows on their way: a plan and its columns.
pub(crate) struct Flow {
    pub frame: LazyFrame,
    pub columns: Columns,
    /// About how many rows it gives; rather too many than too few.
    pub rows: u64,
}

impl Flow {
    /// The rows of a stage.
    pub fn of(stage: &Stage) -> Result<Self> {
        Ok(Self { frame: stage.scan()?, columns: stage.columns().clone(), rows: stage.rows() })
    }
}

impl Runner {
    /// What comes out of a port.
    pub(crate) fn flow(self: &Arc<Self>, port: Port) -> BoxFuture<'static, Result<Flow>> {
        let runner = self.clone();
        async move {
            let node = &runner.plan.nodes[port.node];
            let staged = match port.output {
                Output::Rows => node.readers > 1 || node.rejects_read,
                Output::Rejects | Output::Results => true,
            };
            if !staged {
                return runner.node(port.node).await;
            }
            if runner.mode == Mode::Preview && matches!(node.kind, NodeKind::Sink(_)) {
                runner.note(port.node, "sinks are not run in a preview: what they would give is taken as empty");
                return runner
                    .plan
                    .port_schema(port)
                    .map(|columns| runner.empty(&columns))
                    .ok_or_else(|| Error::bug(format!("`{}` has no such output", node.name)));
            }
            // A failure is kept as well: nobody else need try.
            let cell = runner.output(port)?;
            let stage = cell.get_or_init(|| runner.clone().stage_of(port)).await.clone()?;
            Flow::of(&stage)
        }
        .boxed()
    }

    async fn stage_of(self: Arc<Self>, port: Port) -> Result<Stage> {
        let node = &self.plan.nodes[port.node];
        match (port.output, &node.kind) {
            (Output::Rows, _) => {
                let flow = self.node(port.node).await?;
                let stage = self.write_stage(port.node, flow).await?;
                self.stop(port.node);
                Ok(stage)
            }
            (Output::Rejects, NodeKind::Sink(_)) => {
                self.deliver_once(port.node).await?;
                self.finish_rejects(port.node)
            }
            (Output::Rejects, _) => {
                // The node is done when its rows are staged.
                self.flow(Port { output: Output::Rows, ..port }).await?;
                self.finish_rejects(port.node)
            }
            (Output::Results, _) => {
                self.deliver_once(port.node).await?.ok_or_else(|| Error::bug(format!("`{}` has no results", node.name)))
            }
        }
    }

    async fn write_stage(self: &Arc<Self>, node: usize, flow: Flow) -> Result<Stage> {
        let name = self.plan.nodes[node].name.clone();
        let mut writer = StageWriter::new(&self.stage_folder(&name), &name, &flow.columns)?;
        let mut batches = self.batches(flow.frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            aside(|| writer.push(batch))?;
        }
        let stage = aside(|| writer.finish())?;
        let counted = self.accounts[node].counts().rows_out;
        if counted != stage.rows() {
            let message = format!("`{name}` gave {counted} rows, and {} are staged", stage.rows());
            return Err(Error::bug(message));
        }
        Ok(stage)
    }

    /// A node's own work on top of its inputs.
    fn node(self: &Arc<Self>, at: usize) -> BoxFuture<'static, Result<Flow>> {
        let runner = self.clone();
        async move {
            runner.go_on()?;
            match &runner.plan.nodes[at].kind {
                NodeKind::Source(source) => runner.source(at, source).await,
                NodeKind::Transform(transform) => runner.transform(at, transform).await,
                NodeKind::Sink(_) => Err(Error::bug("the rows of a sink end there")),
            }
            .map_err(|error| runner.blame(at, error))
        }
        .boxed()
    }

    /// Remembers which node an error belongs to: the first one that said so.
    pub(crate) fn blame(&self, node: usize, error: Error) -> Error {
        let name = &self.plan.nodes[node].name;
        if error.message.starts_with('`') || error.message == "interrupted" {
            self.origin(node, &error);
            return error;
        }
        let error = error.at(format!("`{name}`"));
        self.origin(node, &error);
        error
    }

    async fn transform(self: &Arc<Self>, node: usize, transform: &TransformNode) -> Result<Flow> {
        let columns = || transform.input_schema.clone();
        let input = self.input(node, transform.input, columns).await?;
        self.start(node);
        let mut flow = Flow { frame: self.tap(input.frame, node, |account| &account.rows_in), ..input };
        let mut steps = transform.steps.as_slice();
        while let Some(first) = steps.first() {
            flow = self.with_replayed(node, Some(first.index), flow)?;
            let joins_in = |at: usize, step: &Step| at > 0 && self.takes_replayed(node, step.index);
            let together = steps.iter().enumerate();
            let row_wise = together.take_while(|(at, step)| step.plan.is_row_wise() && !joins_in(*at, step)).count();
            if row_wise > 0 {
                let (now, later) = steps.split_at(row_wise);
                flow = self.row_steps(node, flow, now);
                steps = later;
                continue;
            }
            flow = match &first.plan {
                StepPlan::Lookup(lookup) => self.lookup_step(node, flow, first, lookup).await?,
                StepPlan::Sql(sql) => self.sql_step(node, flow, first, sql).await?,
                StepPlan::Join(join @ JoinPlan { asof: Some(asof), .. }) => {
                    self.asof_step(node, flow, first, (join, asof)).await?
                }
                _ => self.table_step(node, flow, first).await?,
            };
            steps = &steps[1..];
        }
        flow.frame = self.tap(flow.frame, node, |account| &account.rows_out);
        Ok(flow)
    }

    /// Counts rows that go by.
    pub(crate) fn tap(
        self: &Arc<Self>,
        frame: LazyFrame,
        node: usize,
        counter: fn(&crate::accounts::Account) -> &AtomicU64,
    ) -> LazyFrame {
        let runner = self.clone();
        let is_in = std::ptr::eq(counter(&self.accounts[node]), &raw const self.accounts[node].rows_in);
        let count = move |frame: DataFrame| {
            runner.go_on().map_err(|error| runner.plan_error(node, error))?;
            book(counter(&runner.accounts[node]), frame.height());
            if is_in {
                runner.progress(node, frame.height());
            }
            Ok(frame)
        };
        frame.map(count, AllowedOptimizations::STREAMING, None, Some("count"))
    }

    fn row_steps(self: &Arc<Self>, node: usize, flow: Flow, steps: &[Step]) -> Flow {
        let columns = steps.last().map_or(flow.columns, |step| step.output.clone());
        let rows = steps.iter().fold(flow.rows, |rows, step| match &step.plan {
            StepPlan::Unpivot(plan) => rows.saturating_mul(plan.columns.len() as u64),
            _ => rows,
        });
        let prepared = RowSteps::new(node, steps, &self.constants);
        Flow { frame: self.prepared(flow.frame, prepared), columns, rows }
    }

    /// Carries prepared steps out inside of the plan.
    fn prepared(self: &Arc<Self>, frame: LazyFrame, prepared: RowSteps) -> LazyFrame {
        let schema = prepared.output();
        let runner = self.clone();
        let apply = move |frame: DataFrame| prepared.apply(&runner, frame);
        let schema = move |_: &Schema| -> PolarsResult<SchemaRef> { Ok(schema.clone()) };
        frame.map(apply, AllowedOptimizations::STREAMING, Some(Arc::new(schema)), Some("row steps"))
    }

    /// Conversions of a scan's text columns to the columns of its source.
    pub(crate) fn convert(self: &Arc<Self>, node: usize, flow: Flow, wanted: &Columns) -> Result<Flow> {
        let mut casts = Vec::new();
        for (raw, field) in flow.columns.fields.iter().zip(&wanted.fields) {
            if raw.ty != field.ty {
                let value = compile_cast(&raw.name, &raw.ty, &field.ty).map_err(Error::bug)?;
                casts.push(PlanColumn { name: raw.name.clone(), value });
            }
        }
        if casts.is_empty() {
            return Ok(flow);
        }
        let step = Step {
            index: 0,
            name: "cast",
            plan: StepPlan::Cast(casts),
            input: flow.columns.clone(),
            output: wanted.clone(),
        };
        Ok(self.row_steps(node, flow, std::slice::from_ref(&step)))
    }

    /// A step that reshapes: rows are counted on both sides, and the difference is booked.
    async fn table_step(self: &Arc<Self>, node: usize, flow: Flow, step: &Step) -> Result<Flow> {
        let mut others = Vec::new();
        for port in step.plan.others() {
            others.push(self.flow(port).await?);
        }
        let parts = Parts::of(step, &flow, &others, memory::limit(self.plan.limits.memory));
        // A join may give more rows than both of its inputs have; that is not known before.
        let rows = others.iter().fold(flow.rows, |sum, other| sum.saturating_add(other.rows));
        let guarded = match RowSteps::guard(node, step, &self.constants) {
            Some(guard) => self.prepared(flow.frame, guard),
            None => flow.frame,
        };
        let before = self.tap(guarded, node, |account| &account.merged);
        let after = match parts {
            Some(parts) => self.in_parts(node, before, others, parts, &step.output).await?,
            None => {
                let others = others.into_iter().map(|other| (other.frame, other.columns)).collect();
                table_steps::apply(self, before, step, others)?
            }
        };
        let after = self.tap(after, node, |account| &account.added);
        Ok(Flow { frame: after, columns: step.output.clone(), rows })
    }

    /// Takes the columns a stage has.
    pub(crate) fn empty(&self, columns: &Columns) -> Flow {
        let frame = DataFrame::empty_with_schema(&schema_to_polars(columns)).lazy();
        Flow { frame, columns: columns.clone(), rows: 0 }
    }
}
