//! Columns that become rows, and codes that become columns.

use crate::rejects::NewReject;
use crate::stage::conform;
use polars::prelude::*;
use towpath_connector::{Error, Result};
use towpath_mapping::{Constants, FrameRows, Value, to_polars, values_to_series};
use towpath_plan::{PivotPlan, UnpivotPlan};
use towpath_spec::document::Unlisted;
use towpath_spec::{Schema as Columns, Type};

/// The rows of a batch after `unpivot`, and how many of them were left out for want of a value.
pub(crate) fn unpivoted(frame: &DataFrame, plan: &UnpivotPlan, output: &Schema) -> PolarsResult<(DataFrame, usize)> {
    let (height, wide) = (frame.height(), plan.columns.len());
    let all = height * wide;
    let number = |at: usize| IdxSize::try_from(at).map_err(|_| polars_err!(ComputeError: "too large a batch"));
    // One row's columns behind each other: the value of row r and column c is at c * height + r of all columns.
    let mut rows = Vec::with_capacity(all);
    let mut cells = Vec::with_capacity(all);
    for row in 0..height {
        for column in 0..wide {
            rows.push(number(row)?);
            cells.push(number(column * height + row)?);
        }
    }
    let mut values: Option<Column> = None;
    let ty = to_polars(&plan.ty);
    for name in &plan.columns {
        let column = frame.column(name)?.cast(&ty)?.with_name(plan.value.as_str().into());
        match &mut values {
            Some(values) => drop(values.append(&column)?),
            None => values = Some(column),
        }
    }
    let values = values.ok_or_else(|| polars_err!(ComputeError: "an unpivot without columns"))?;
    let values = values.take(&IdxCa::from_vec(PlSmallStr::EMPTY, cells))?;
    let names = (0..all).map(|at| plan.columns[at % wide].as_str());
    let names = StringChunked::from_iter_values(plan.name.as_str().into(), names).into_series().into_column();
    let kept: Vec<PlSmallStr> = frame
        .columns()
        .iter()
        .map(|column| column.name().clone())
        .filter(|name| !plan.columns.iter().any(|column| column == name.as_str()))
        .collect();
    let mut columns = frame.select(kept)?.take(&IdxCa::from_vec(PlSmallStr::EMPTY, rows))?.into_columns();
    columns.extend([names, values]);
    let mut out = DataFrame::new(all, columns)?;
    if plan.drop_null {
        let there = out.column(&plan.value)?.is_not_null();
        out = out.filter(&there)?;
    }
    let dropped = all - out.height();
    Ok((conform(out, output)?, dropped))
}

/// The codes a `pivot` lists, ready to be looked for.
pub(crate) struct Codes {
    on: String,
    codes: Vec<Series>,
    pub otherwise: Unlisted,
}

impl Codes {
    pub fn new(plan: &PivotPlan, input: &Columns) -> Self {
        let ty = input.get(&plan.on).map_or(Type::Text, |field| field.ty.clone());
        let codes = plan.cells.iter().filter_map(|(_, code)| {
            // They are of this type: the planner has converted them.
            values_to_series(&plan.on, &ty, std::slice::from_ref(code)).ok()
        });
        Self { on: plan.on.clone(), codes: codes.collect(), otherwise: plan.otherwise }
    }

    /// By row: whether its code is listed.
    pub fn listed(&self, frame: &DataFrame) -> PolarsResult<BooleanChunked> {
        let column = frame.column(&self.on)?.as_materialized_series();
        let mut listed = BooleanChunked::full("listed".into(), false, frame.height());
        for code in &self.codes {
            let same = column.equal(code)?;
            listed = BooleanChunked::from_iter_values(
                "listed".into(),
                listed.iter().zip(same.iter()).map(|(known, same)| known == Some(true) || same == Some(true)),
            );
        }
        Ok(listed)
    }

    /// The rows whose code is not listed.
    pub fn rejects(
        &self,
        frame: &DataFrame,
        input: &Columns,
        listed: &BooleanChunked,
        step: usize,
    ) -> Result<Vec<NewReject>> {
        let rows = FrameRows::new(frame, input).map_err(Error::bug)?;
        let others = listed.iter().enumerate().filter(|(_, listed)| *listed != Some(true));
        Ok(others
            .map(|(row, _)| {
                let row = rows.row(row).to_json();
                NewReject {
                    step: Some(step),
                    field: Some(self.on.clone()),
                    value: row.get(&self.on).cloned(),
                    reason: "this code is none of those that become columns".to_owned(),
                    row,
                }
            })
            .collect())
    }
}

/// A column of each code: the aggregates of groups and codes first, then one row of each group.
pub(crate) fn pivoted(
    frame: LazyFrame,
    plan: &PivotPlan,
    input: &Columns,
    constants: &Constants,
    key: impl Fn(&str) -> Expr,
) -> PolarsResult<LazyFrame> {
    let column = |name: &str| Expr::Column(name.into());
    let by = |key: &dyn Fn(&str) -> Expr| plan.by.iter().map(|name| key(name)).collect::<Vec<_>>();
    // Names that no column has.
    let (code, cell) = ("\0code", "\0cell");
    let mut keys = by(&key);
    keys.push(column(&plan.on).alias(code));
    let taken = frame.group_by_stable(keys).agg([plan.take.lower(constants).alias(cell)]);
    let ty = input.get(&plan.on).map_or(Type::Text, |field| field.ty.clone());
    let cells = plan.cells.iter().map(|(name, value)| {
        let filled = column(cell).filter(column(code).eq(literal(value, &ty, &plan.on)?)).first();
        let filled = if plan.take.is_count() { filled.fill_null(lit(0_i64)) } else { filled };
        Ok(filled.alias(name.as_str()))
    });
    let cells: Vec<Expr> = cells.collect::<PolarsResult<_>>()?;
    Ok(if plan.by.is_empty() { taken.select(cells) } else { taken.group_by_stable(by(&column)).agg(cells) })
}

fn literal(value: &Value, ty: &Type, name: &str) -> PolarsResult<Expr> {
    let one = values_to_series(name, ty, std::slice::from_ref(value))
        .map_err(|message| PolarsError::ComputeError(message.into()))?;
    Ok(Expr::Literal(LiteralValue::Scalar(Scalar::new(to_polars(ty), one.get(0)?.into_static()))))
}
