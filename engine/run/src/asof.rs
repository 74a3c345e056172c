//! The join of each row with the nearest row of another node.
//!
//! The other node's rows are put in order once, by the columns of `on` and then by what is near; for each row its place among
//! them is found by halving. So the input need not be sorted, keeps its order, and goes by batch by batch.

use crate::flow::{BATCH, Flow};
use crate::keys::missing;
use crate::merging::{Key, encoded};
use crate::runner::Runner;
use crate::table_steps;
use polars::prelude::*;
use std::sync::Arc;
use towpath_connector::{Error, Result};
use towpath_mapping::schema_to_polars;
use towpath_plan::{AsofPlan, JoinPlan, Step};
use towpath_spec::document::{Direction, Tolerance};
use towpath_spec::{Schema as Columns, Type};

/// Microseconds of a day.
const DAY: i128 = 86_400_000_000;

impl Runner {
    /// Carries out a join with `how: asof`.
    pub(crate) async fn asof_step(
        self: &Arc<Self>,
        node: usize,
        flow: Flow,
        step: &Step,
        (join, asof): (&JoinPlan, &AsofPlan),
    ) -> Result<Flow> {
        let other = self.flow(join.with).await?.frame;
        let (here, there): (Vec<String>, Vec<String>) =
            join.on.iter().chain(std::iter::once(&asof.at)).cloned().unzip();
        let (frame, other) = table_steps::validated(self, (flow.frame, &step.input), other, join, (&here, &there));
        let other = self.collected(other, &join.with_schema).await?;
        let near = Near::new(&other, join, asof, step)?;
        let before = self.tap(frame, node, |account| &account.merged);
        let output = Arc::new(schema_to_polars(&step.output));
        let schema = move |_: &Schema| -> PolarsResult<SchemaRef> { Ok(output.clone()) };
        let beside = move |frame: DataFrame| near.beside(frame);
        let after = before.map(beside, AllowedOptimizations::STREAMING, Some(Arc::new(schema)), Some("asof"));
        let after = self.tap(after, node, |account| &account.added);
        Ok(Flow { frame: after, columns: step.output.clone(), rows: flow.rows })
    }

    /// All rows of a plan.
    async fn collected(self: &Arc<Self>, frame: LazyFrame, columns: &Columns) -> Result<DataFrame> {
        let mut all = DataFrame::empty_with_schema(&schema_to_polars(columns));
        let mut batches = self.batches(frame, BATCH)?;
        while let Some(batch) = batches.next().await? {
            self.go_on()?;
            all.vstack_mut(&batch)?;
        }
        Ok(all)
    }
}

/// What is compared, as numbers that can be subtracted.
enum Places {
    Whole(Vec<Option<i128>>),
    Real(Vec<Option<f64>>),
}

/// How far apart two of them are.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Gap {
    Whole(i128),
    Real(f64),
}

impl Places {
    /// Times become microseconds; decimals stay as they are at their scale.
    fn new(column: &Column, ty: &Type) -> PolarsResult<Self> {
        let series = column.as_materialized_series();
        Ok(match ty {
            Type::Float => {
                Self::Real(series.f64()?.iter().map(|value| value.filter(|value| !value.is_nan())).collect())
            }
            Type::Decimal { .. } => Self::Whole(series.decimal()?.physical().iter().collect()),
            _ => {
                let unit = if *ty == Type::Date { DAY } else { 1 };
                let numbers = series.to_physical_repr().cast(&DataType::Int64)?;
                Self::Whole(numbers.i64()?.iter().map(|value| value.map(|value| i128::from(value) * unit)).collect())
            }
        })
    }

    fn is_there(&self, row: usize) -> bool {
        match self {
            Self::Whole(all) => all[row].is_some(),
            Self::Real(all) => all[row].is_some(),
        }
    }

    fn gap(&self, row: usize, other: &Self, there: usize) -> Option<Gap> {
        match (self, other) {
            (Self::Whole(here), Self::Whole(other)) => Some(Gap::Whole((here[row]? - other[there]?).abs())),
            (Self::Real(here), Self::Real(other)) => Some(Gap::Real((here[row]? - other[there]?).abs())),
            _ => None,
        }
    }
}

/// The tolerance in the unit of [`Places`].
fn most(tolerance: Tolerance, ty: &Type) -> Gap {
    match (tolerance, ty) {
        (Tolerance::Time(duration), _) => Gap::Whole(i128::try_from(duration.as_micros()).unwrap_or(i128::MAX)),
        (Tolerance::Number(number), Type::Float) => Gap::Real(number),
        (Tolerance::Number(number), Type::Decimal { scale, .. }) => {
            Gap::Whole((number * 10_f64.powi(i32::from(*scale))).round() as i128)
        }
        (Tolerance::Number(number), _) => Gap::Whole(number.floor() as i128),
    }
}

/// The rows of the other node in order.
struct Near {
    /// Their columns that are put beside the rows, by the names they get.
    columns: Vec<Column>,
    /// The rows that can be met, by the numbers they have in `columns`, in order.
    order: Vec<IdxSize>,
    /// Keys of `on` and of what is near, and of `on` alone, by the numbers of the rows.
    keys: BinaryOffsetChunked,
    groups: Option<BinaryOffsetChunked>,
    places: Places,
    here: Vec<String>,
    ty: Type,
    direction: Direction,
    most: Option<Gap>,
    output: Vec<PlSmallStr>,
}

/// The columns of `on` and what is near, as bytes that compare as they do; and those of `on` alone, when there are any.
fn both_keys(
    frame: &DataFrame,
    columns: &[String],
) -> PolarsResult<(BinaryOffsetChunked, Option<BinaryOffsetChunked>)> {
    let order: Vec<Key> = columns.iter().map(|column| Key::ascending(column)).collect();
    let (_, on) = order.split_last().ok_or_else(|| polars_err!(ComputeError: "a join without columns"))?;
    let groups = if on.is_empty() { None } else { Some(encoded(frame, on)?.rechunk().into_owned()) };
    Ok((encoded(frame, &order)?.rechunk().into_owned(), groups))
}

impl Near {
    fn new(other: &DataFrame, join: &JoinPlan, asof: &AsofPlan, step: &Step) -> Result<Self> {
        let (here, there): (Vec<String>, Vec<String>) =
            join.on.iter().chain(std::iter::once(&asof.at)).cloned().unzip();
        let ty = join.with_schema.get(&asof.at.1).map(|field| field.ty.clone());
        let ty = ty.ok_or_else(|| Error::bug("an as-of join without its column"))?;
        let (keys, groups) = both_keys(other, &there)?;
        let places = Places::new(other.column(&asof.at.1)?, &ty)?;
        let missing = missing(other, &there)?;
        let options = SortOptions { maintain_order: true, ..SortOptions::default() };
        let order = keys.arg_sort(options);
        let order = order.into_no_null_iter();
        let order = order.filter(|row| !missing[*row as usize] && places.is_there(*row as usize)).collect();
        let beside = join.with_schema.fields.iter().filter(|field| !join.on.iter().any(|(_, on)| *on == field.name));
        let columns = beside
            .map(|field| {
                let taken = step.input.get(&field.name).is_some();
                let name = if taken { format!("{}{}", field.name, join.suffix) } else { field.name.clone() };
                Ok(other.column(&field.name)?.clone().with_name(name.into()))
            })
            .collect::<PolarsResult<_>>()?;
        Ok(Self {
            columns,
            order,
            keys,
            groups,
            places,
            here,
            direction: asof.direction,
            most: asof.tolerance.map(|tolerance| most(tolerance, &ty)),
            ty,
            output: step.output.names().map(PlSmallStr::from).collect(),
        })
    }

    /// A batch of the input with the nearest rows beside it.
    fn beside(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        let (keys, groups) = both_keys(&frame, &self.here)?;
        let missing = missing(&frame, &self.here)?;
        let at = self.here.last().map_or("", String::as_str);
        let places = Places::new(frame.column(at)?, &self.ty)?;
        let found = (0..frame.height()).map(|row| {
            if missing[row] || !places.is_there(row) {
                return None;
            }
            let group = groups.as_ref().map(|groups| groups.get(row));
            self.nearest(keys.get(row), group, |other| places.gap(row, &self.places, other))
        });
        let found = IdxCa::from_iter_options("rows".into(), found);
        let height = frame.height();
        let mut columns = frame.into_columns();
        for column in &self.columns {
            columns.push(column.take(&found)?);
        }
        DataFrame::new(height, columns)?.select(self.output.iter().cloned())
    }

    /// The row that is taken, by its number.
    fn nearest(
        &self,
        key: Option<&[u8]>,
        group: Option<Option<&[u8]>>,
        gap: impl Fn(usize) -> Option<Gap>,
    ) -> Option<IdxSize> {
        let in_group = |at: usize| {
            let row = *self.order.get(at)?;
            let same = self.groups.as_ref().is_none_or(|groups| group == Some(groups.get(row as usize)));
            same.then_some(row)
        };
        let backward = || {
            let behind = self.order.partition_point(|row| self.keys.get(*row as usize) <= key);
            in_group(behind.checked_sub(1)?)
        };
        let forward = || in_group(self.order.partition_point(|row| self.keys.get(*row as usize) < key));
        let found = match self.direction {
            Direction::Backward => backward(),
            Direction::Forward => forward(),
            Direction::Nearest => match (backward(), forward()) {
                (Some(before), Some(after)) => {
                    Some(if gap(after as usize) < gap(before as usize) { after } else { before })
                }
                (before, after) => before.or(after),
            },
        };
        found.filter(|row| self.most.is_none_or(|most| gap(*row as usize).is_some_and(|gap| gap <= most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_plan::{Output, Port, StepPlan};
    use towpath_spec::Field;
    use towpath_spec::document::JoinHow;

    fn columns(last: &str) -> Columns {
        Columns::new(vec![Field::new("k", Type::Int), Field::new("t", Type::Int), Field::new(last, Type::Int)])
    }

    /// Key and place.
    type Keyed = (Option<i64>, Option<i64>);

    fn rows(numbers: &mut fastrand::Rng, count: usize, last: &str) -> (DataFrame, Vec<Keyed>) {
        let mut cell = |bound: i64| Some(numbers.i64(0..bound)).filter(|number| *number > 0);
        let rows: Vec<_> = (0..count).map(|_| (cell(4), cell(12))).collect();
        let numbered: Vec<i64> = (0..).take(count).collect();
        let frame = df!(
            "k" => rows.iter().map(|(k, _)| *k).collect::<Vec<_>>(),
            "t" => rows.iter().map(|(_, t)| *t).collect::<Vec<_>>(),
            last => numbered
        );
        (frame.expect("a frame"), rows)
    }

    fn step(direction: Direction, tolerance: Option<Tolerance>, on: bool) -> (Step, JoinPlan, AsofPlan) {
        let (input, with_schema) = (columns("row"), columns("other"));
        let asof = AsofPlan { at: ("t".into(), "t".into()), direction, tolerance };
        let join = JoinPlan {
            with: Port { node: 0, output: Output::Rows },
            with_schema,
            on: on.then(|| ("k".into(), "k".into())).into_iter().collect(),
            how: JoinHow::Asof,
            suffix: "_right".into(),
            asof: Some(asof.clone()),
            validate: None,
        };
        let mut output = input.clone();
        let also = if on { None } else { Some("k_right") };
        output.fields.extend(also.into_iter().chain(["t_right", "other"]).map(|name| Field::new(name, Type::Int)));
        let plan = StepPlan::Join(join.clone());
        (Step { index: 0, name: "join", plan, input, output }, join, asof)
    }

    /// The nearest row by looking at all of them.
    fn plainly(here: Keyed, others: &[Keyed], (direction, most, on): (Direction, Option<i64>, bool)) -> Option<i64> {
        let (key, at) = (here.0, here.1?);
        let mut found: Option<(usize, i64)> = None;
        for (row, (other_key, other)) in others.iter().enumerate() {
            let Some(other) = other else { continue };
            if on && (key.is_none() || key != *other_key) {
                continue;
            }
            let fits = match direction {
                Direction::Backward => *other <= at,
                Direction::Forward => *other >= at,
                Direction::Nearest => true,
            };
            let better = found.is_none_or(|(_, best)| {
                let (gap, best_gap) = ((other - at).abs(), (best - at).abs());
                let is_last_of_equals = direction != Direction::Forward && *other <= at && *other == best;
                let is_earlier = direction == Direction::Nearest && *other < best && gap == best_gap;
                gap < best_gap || is_last_of_equals || is_earlier
            });
            if fits && better {
                found = Some((row, *other));
            }
        }
        let (row, _) = found.filter(|(_, other)| most.is_none_or(|most| (other - at).abs() <= most))?;
        i64::try_from(row).ok()
    }

    #[test]
    fn the_nearest_is_what_looking_at_all_rows_finds() {
        let mut numbers = fastrand::Rng::with_seed(11);
        for _ in 0..300 {
            let (here, there) = (numbers.usize(0..20), numbers.usize(0..20));
            let (frame, input) = rows(&mut numbers, here, "row");
            let (other, others) = rows(&mut numbers, there, "other");
            for direction in [Direction::Backward, Direction::Forward, Direction::Nearest] {
                let (most, on) = (numbers.bool().then(|| numbers.i64(0..4)), numbers.bool());
                let tolerance = most.map(|most| Tolerance::Number(most as f64 + 0.5));
                let (step, join, asof) = step(direction, tolerance, on);
                let near = Near::new(&other, &join, &asof, &step).expect("the other rows");
                let found = near.beside(frame.clone()).expect("joined");
                let found: Vec<Option<i64>> =
                    found.column("other").expect("a column").i64().expect("ints").iter().collect();
                let expected: Vec<Option<i64>> =
                    input.iter().map(|row| plainly(*row, &others, (direction, most, on))).collect();
                assert_eq!(found, expected, "{direction:?} {most:?} {on}\n{frame}\n{other}");
            }
        }
    }
}
