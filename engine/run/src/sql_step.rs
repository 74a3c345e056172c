//! The step `sql`: what it reads is staged, so that a query can read it as often as it likes.

use crate::clock::aside;
use crate::flow::{BATCH, Flow};
use crate::runner::Runner;
use crate::stage::StageWriter;
use polars::prelude::*;
use std::sync::Arc;
use towpath_connector::{Error, Result};
use towpath_mapping::{run_sql, to_polars};
use towpath_plan::{Output, SqlPlan, Step};

impl Runner {
    /// Carries out a query.
    pub(crate) async fn sql_step(
        self: &Arc<Self>,
        node: usize,
        flow: Flow,
        step: &Step,
        sql: &SqlPlan,
    ) -> Result<Flow> {
        let name = format!("{}.step{}", self.plan.nodes[node].name, step.index + 1);
        let frame = self.tap(flow.frame, node, |account| &account.merged);
        let input = self.kept(&name, Flow { frame, ..flow }).await?;
        let mut rows = input.rows;
        let mut tables = vec![("input".to_owned(), input.frame)];
        for (table, port) in &sql.with {
            let other = self.flow(*port).await?;
            let origin = &self.plan.nodes[port.node];
            let is_staged = port.output != Output::Rows || origin.readers > 1 || origin.rejects_read;
            let other = if is_staged { other } else { self.kept(&format!("{name}.{table}"), other).await? };
            rows = rows.saturating_add(other.rows);
            tables.push((table.clone(), other.frame));
        }
        let found = run_sql(&sql.query, tables).map_err(|error| Error::from(error).at(format!("`{name}`")))?;
        // Polars has types the language has not, e.g. that of counts.
        let columns: Vec<Expr> = step
            .output
            .fields
            .iter()
            .map(|field| Expr::Column(field.name.as_str().into()).strict_cast(to_polars(&field.ty)))
            .collect();
        let frame = self.tap(found.select(columns), node, |account| &account.added);
        Ok(Flow { frame, columns: step.output.clone(), rows })
    }

    async fn kept(self: &Arc<Self>, name: &str, flow: Flow) -> Result<Flow> {
        let mut writer = StageWriter::new(&self.stage_folder(name), name, &flow.columns)?;
        let mut batches = self.batches(flow.frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            aside(|| writer.push(batch))?;
        }
        Flow::of(&aside(|| writer.finish())?)
    }
}
