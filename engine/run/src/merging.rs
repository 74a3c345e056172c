//! Runs that are each in order become one stage in order, a segment of each in memory at a time.
//!
//! Of the segments at hand everything is taken that cannot be preceded by anything still on disk, put in order, and
//! written. The order is that of Polars' row encoding, so that it is the same as in its own sorts.

use crate::stage::{Segments, Stage, StageWriter};
use polars::prelude::row_encode::_get_rows_encoded_ca;
use polars::prelude::*;
use towpath_connector::{Error, Result};

/// One column of an order.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub column: String,
    pub descending: bool,
    pub nulls_last: bool,
}

impl Key {
    /// Ascending, nulls last.
    pub fn ascending(column: &str) -> Self {
        Self { column: column.to_owned(), descending: false, nulls_last: true }
    }
}

/// The keys of rows as bytes that compare as the rows do.
pub(crate) fn encoded(frame: &DataFrame, order: &[Key]) -> PolarsResult<BinaryOffsetChunked> {
    let columns: Vec<Column> =
        order.iter().map(|key| frame.column(&key.column).cloned()).collect::<PolarsResult<_>>()?;
    let descending: Vec<bool> = order.iter().map(|key| key.descending).collect();
    let nulls_last: Vec<bool> = order.iter().map(|key| key.nulls_last).collect();
    _get_rows_encoded_ca(PlSmallStr::EMPTY, &columns, &descending, &nulls_last, false)
}

/// A run on its way.
struct Run<'a> {
    segments: Segments<'a>,
    order: &'a [Key],
    /// Rows not yet taken, with their keys.
    loaded: Option<(DataFrame, BinaryOffsetChunked)>,
}

impl Run<'_> {
    /// Sees to it that rows are loaded, if there are any left.
    fn load(&mut self) -> Result<()> {
        while self.loaded.is_none() {
            let Some(frame) = self.segments.next() else { return Ok(()) };
            let frame = frame?;
            if frame.height() > 0 {
                let keys = encoded(&frame, self.order)?;
                let is_ordered = (1..keys.len()).all(|at| keys.get(at - 1) <= keys.get(at));
                if !is_ordered {
                    return Err(Error::bug("a run that is to be merged is not in order"));
                }
                self.loaded = Some((frame, keys));
            }
        }
        Ok(())
    }

    /// The last key that is loaded, if more may follow behind it.
    fn bound(&self) -> Option<Vec<u8>> {
        let (_, keys) = self.loaded.as_ref().filter(|_| !self.segments.is_at_end())?;
        keys.get(keys.len() - 1).map(<[u8]>::to_vec)
    }

    /// Takes the rows up to a bound, or all.
    fn take(&mut self, bound: Option<&[u8]>) -> Option<(DataFrame, BinaryOffsetChunked)> {
        let (frame, keys) = self.loaded.take()?;
        let all = frame.height();
        let count = match bound {
            None => all,
            Some(bound) => up_to(&keys, bound),
        };
        if count < all {
            let rest = all - count;
            let from = i64::try_from(count).unwrap_or(i64::MAX);
            self.loaded = Some((frame.slice(from, rest), keys.slice(from, rest)));
        }
        (count > 0).then(|| (frame.slice(0, count), keys.slice(0, count)))
    }
}

/// How many keys, which are in order, are not behind a bound.
fn up_to(keys: &BinaryOffsetChunked, bound: &[u8]) -> usize {
    let (mut from, mut to) = (0, keys.len());
    while from < to {
        let middle = from + (to - from) / 2;
        if keys.get(middle) <= Some(bound) { from = middle + 1 } else { to = middle }
    }
    from
}

/// Merges runs into a stage. Keys are different from each other, or it does not matter which of two comes first.
///
/// # Errors
/// A segment cannot be read or written.
pub(crate) fn merge(
    runs: &[Stage],
    order: &[Key],
    mut into: StageWriter,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Stage> {
    let mut runs: Vec<Run<'_>> = runs.iter().map(|run| Run { segments: run.segments(), order, loaded: None }).collect();
    loop {
        go_on()?;
        for run in &mut runs {
            run.load()?;
        }
        let bound = runs.iter().filter_map(Run::bound).min();
        let taken: Vec<_> = runs.iter_mut().filter_map(|run| run.take(bound.as_deref())).collect();
        if taken.is_empty() {
            return into.finish();
        }
        into.push(in_order(taken)?)?;
    }
}

fn in_order(taken: Vec<(DataFrame, BinaryOffsetChunked)>) -> Result<DataFrame> {
    let keys: Vec<Option<&[u8]>> = taken.iter().flat_map(|(_, keys)| (0..keys.len()).map(|at| keys.get(at))).collect();
    let mut rows: Vec<IdxSize> =
        (0..IdxSize::try_from(keys.len()).map_err(|_| Error::bug("too large a merge"))?).collect();
    // It finds the runs that are in order already.
    rows.sort_by_key(|at| keys[*at as usize]);
    let mut frames = taken.iter().map(|(frame, _)| frame);
    let mut all = frames.next().cloned().unwrap_or_default();
    for frame in frames {
        all.vstack_mut(frame)?;
    }
    Ok(all.take(&IdxCa::from_vec(PlSmallStr::EMPTY, rows))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use towpath_spec::{Field, Schema as Columns, Type};

    fn columns() -> Columns {
        Columns::new(vec![Field::new("n", Type::Int), Field::new("run", Type::Int)])
    }

    fn run(folder: &Path, name: i64, segments: &[&[Option<i64>]]) -> Stage {
        // Of one byte: every push becomes a segment.
        let folder = folder.join(name.to_string());
        let mut writer = StageWriter::new(&folder, "run", &columns()).expect("a writer").with_segments_of(1);
        for numbers in segments {
            let frame = df!("n" => numbers.to_vec(), "run" => vec![name; numbers.len()]).expect("a frame");
            writer.push(frame).expect("a push");
        }
        writer.finish().expect("a stage")
    }

    fn merged(runs: &[&[&[Option<i64>]]]) -> Vec<Option<i64>> {
        let folder = tempfile::tempdir().expect("a folder");
        let runs: Vec<Stage> = (0..).zip(runs).map(|(name, segments)| run(folder.path(), name, segments)).collect();
        let into = StageWriter::new(&folder.path().join("all"), "all", &columns()).expect("a writer");
        let all = merge(&runs, &[Key::ascending("n")], into, &|| Ok(())).expect("merged");
        let frame = all.scan().expect("a scan").collect().expect("rows");
        frame.column("n").expect("the column").i64().expect("ints").iter().collect()
    }

    #[test]
    fn runs_of_any_length_come_together_in_order() {
        let all = merged(&[
            &[&[Some(1), Some(4)], &[Some(4), Some(9)], &[Some(20)]],
            &[&[Some(-3)]],
            &[],
            &[&[Some(2), Some(3), Some(5)], &[Some(30), None]],
        ]);
        let expected = [-3, 1, 2, 3, 4, 4, 5, 9, 20, 30].into_iter().map(Some).chain([None]).collect::<Vec<_>>();
        assert_eq!(all, expected);
    }

    #[test]
    fn a_run_out_of_order_is_found_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = [run(folder.path(), 0, &[&[Some(2), Some(1)]])];
        let into = StageWriter::new(&folder.path().join("all"), "all", &columns()).expect("a writer");
        let error = merge(&runs, &[Key::ascending("n")], into, &|| Ok(())).expect_err("not in order");
        assert!(error.message.contains("not in order"), "{}", error.message);
    }
}
