//! Pouring: the rows of files on this machine go through row-wise steps into a file batch by batch, without a stage.
//!
//! A stage costs a second pass. It is needed where rows may have to be taken back (a source that is asked again after an
//! error) or must be whole before the first one leaves (what is sent to another system cannot be called back). Neither
//! is so between two files: when something fails, the file being written is thrown away.

use crate::accounts::book;
use crate::clock::aside;
use crate::flow::Flow;
use crate::rejects::NewReject;
use crate::row_steps::RowSteps;
use crate::runner::{Mode, Runner};
use crate::stage::conform;
use polars::prelude::DataFrame;
use std::sync::Arc;
use towpath_connector::{BatchWriter, Chunk, Extract, Kind, Result, Source};
use towpath_mapping::schema_to_polars;
use towpath_plan::{NodeKind, Output, SinkNode};
use towpath_spec::Schema as Columns;

/// How rows come to a sink.
pub(crate) enum Incoming {
    /// By a plan.
    Flow(Flow),
    /// Batch by batch from a source.
    Pour(Box<Pour>),
}

impl Incoming {
    /// The columns that arrive.
    pub fn columns(&self) -> &Columns {
        match self {
            Self::Flow(flow) => &flow.columns,
            Self::Pour(pour) => &pour.columns,
        }
    }
}

/// What is poured: a source and the transforms its rows go through.
pub(crate) struct Pour {
    source: usize,
    extract: Box<dyn Extract>,
    transforms: Vec<(usize, RowSteps)>,
    /// The columns that arrive.
    pub columns: Columns,
}

impl Runner {
    /// How the rows of a sink come to it.
    pub(crate) async fn incoming(self: &Arc<Self>, sink: &SinkNode) -> Result<Incoming> {
        match self.pour(sink).await? {
            Some(pour) => Ok(Incoming::Pour(Box::new(pour))),
            None => Ok(Incoming::Flow(self.flow(sink.input).await?)),
        }
    }

    /// What can be poured into a sink; `None` when its rows have to come another way.
    async fn pour(self: &Arc<Self>, sink: &SinkNode) -> Result<Option<Pour>> {
        let kind = self.connector(sink.connection)?.descriptor().kind;
        if kind != Kind::Files || self.mode != Mode::Run || self.options.limit.is_some() {
            return Ok(None);
        }
        let mut transforms = Vec::new();
        let mut port = sink.input;
        loop {
            let node = &self.plan.nodes[port.node];
            if port.output != Output::Rows || node.readers > 1 || node.rejects_read {
                return Ok(None);
            }
            match &node.kind {
                NodeKind::Transform(transform) if transform.steps.iter().all(|step| step.plan.is_row_wise()) => {
                    transforms.push((port.node, RowSteps::new(port.node, &transform.steps, &self.constants)));
                    port = transform.input;
                }
                NodeKind::Source(source) if source.incremental.is_none() => {
                    transforms.reverse();
                    return self.poured_from(port.node, transforms).await;
                }
                _ => return Ok(None),
            }
        }
    }

    async fn poured_from(self: &Arc<Self>, node: usize, transforms: Vec<(usize, RowSteps)>) -> Result<Option<Pour>> {
        let NodeKind::Source(source) = &self.plan.nodes[node].kind else { return Ok(None) };
        match self.open(node, source).await.map_err(|error| self.blame(node, error))? {
            Source::Extract(extract) if extract.is_local() => {
                let of_steps = |node: &usize| match &self.plan.nodes[*node].kind {
                    NodeKind::Transform(transform) => transform.steps.last().map(|step| step.output.clone()),
                    _ => None,
                };
                let columns = transforms.iter().rev().find_map(|(node, _)| of_steps(node));
                let columns = columns.unwrap_or_else(|| extract.schema().clone());
                Ok(Some(Pour { source: node, extract, transforms, columns }))
            }
            other => self.keep_open(node, other).map(|()| None),
        }
    }

    /// Takes the rows another way, after all.
    pub(crate) async fn staged(self: &Arc<Self>, sink: &SinkNode, pour: Pour) -> Result<Flow> {
        self.keep_open(pour.source, Source::Extract(pour.extract))?;
        self.flow(sink.input).await
    }

    /// Pours everything into a file.
    pub(crate) async fn pour_out(
        self: &Arc<Self>,
        node: usize,
        mut pour: Pour,
        mut writer: Box<dyn BatchWriter>,
    ) -> Result<()> {
        self.start(pour.source);
        pour.transforms.iter().for_each(|(node, _)| self.start(*node));
        let schema = Arc::new(schema_to_polars(pour.extract.schema()));
        loop {
            let next = tokio::select! {
                next = pour.extract.next() => next,
                () = self.cancel.cancelled() => Err(crate::runner::interrupted()),
            };
            let Some(chunk) = next.map_err(|error| self.blame(pour.source, error))? else { break };
            aside(|| {
                let frame = self.taken_in(pour.source, chunk, &schema)?;
                let frame = self.through(&pour.transforms, frame)?;
                self.written(node, frame, &mut *writer)
            })?;
        }
        aside(|| writer.finish())?;
        self.stop(pour.source);
        pour.transforms.iter().for_each(|(node, _)| self.stop(*node));
        Ok(())
    }

    /// Books a chunk of a source.
    fn taken_in(&self, node: usize, chunk: Chunk, schema: &polars::prelude::SchemaRef) -> Result<DataFrame> {
        let rows = chunk.frame.height();
        let account = &self.accounts[node];
        book(&account.rows_in, rows + chunk.rejects.len());
        book(&account.rows_out, rows);
        self.progress(node, rows);
        self.reject(node, chunk.rejects.into_iter().map(NewReject::from).collect())?;
        Ok(conform(chunk.frame, schema)?)
    }

    fn through(&self, transforms: &[(usize, RowSteps)], mut frame: DataFrame) -> Result<DataFrame> {
        for (node, steps) in transforms {
            let account = &self.accounts[*node];
            book(&account.rows_in, frame.height());
            self.progress(*node, frame.height());
            frame = steps.apply(self, frame).map_err(|error| self.out_of_plan(error))?;
            book(&account.rows_out, frame.height());
        }
        Ok(frame)
    }

    fn written(&self, node: usize, frame: DataFrame, writer: &mut dyn BatchWriter) -> Result<()> {
        let account = &self.accounts[node];
        let rows = frame.height();
        book(&account.rows_in, rows);
        self.progress(node, rows);
        writer.write(frame)?;
        book(&account.rows_out, rows);
        Ok(())
    }
}
