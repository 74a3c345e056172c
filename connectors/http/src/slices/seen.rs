//! Rows of overlapping windows, each given once.
//!
//! A row counts as seen when one of an earlier window had its key: the first one stands. Keys are kept as 128 bits each and
//! only for as many windows as the overlap reaches back, so that a long history does not fill the memory.

use polars::prelude::{BooleanChunked, DataFrame};
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use towpath_connector::Result;

/// Keys of the latest windows.
pub(crate) struct Seen {
    key: Vec<String>,
    reach: usize,
    hashers: [RandomState; 2],
    /// The partition whose windows these are.
    partition: u64,
    window: u64,
    earlier: VecDeque<HashSet<u128>>,
    current: HashSet<u128>,
}

impl Seen {
    pub(crate) fn new(key: Vec<String>, reach: usize) -> Self {
        Self {
            key,
            reach,
            hashers: [RandomState::new(), RandomState::new()],
            partition: 0,
            window: 0,
            earlier: VecDeque::new(),
            current: HashSet::new(),
        }
    }

    /// Leaves out what an earlier window of the same partition had.
    ///
    /// # Errors
    /// The frame does not have the key's columns.
    pub(crate) fn fresh(&mut self, frame: DataFrame, (partition, window): (u64, u64)) -> Result<DataFrame> {
        self.at(partition, window);
        let columns: Vec<_> = self.key.iter().map(|name| Ok(frame.column(name)?)).collect::<Result<_>>()?;
        let mut fresh = Vec::with_capacity(frame.height());
        for row in 0..frame.height() {
            let mut hashers = self.hashers.each_ref().map(BuildHasher::build_hasher);
            for column in &columns {
                let value = column.get(row)?;
                hashers.iter_mut().for_each(|hasher| value.hash(hasher));
            }
            let [high, low] = hashers.map(|hasher| hasher.finish());
            let hash = (u128::from(high) << 64) | u128::from(low);
            self.current.insert(hash);
            fresh.push(!self.earlier.iter().any(|earlier| earlier.contains(&hash)));
        }
        if fresh.iter().all(|fresh| *fresh) {
            return Ok(frame);
        }
        let keep: BooleanChunked = fresh.into_iter().collect();
        Ok(frame.filter(&keep)?)
    }

    fn at(&mut self, partition: u64, window: u64) {
        if partition != self.partition {
            self.earlier.clear();
            self.current.clear();
        } else if window != self.window {
            // A window without rows has no frame and still is one.
            for _ in self.window..window {
                self.earlier.push_back(std::mem::take(&mut self.current));
            }
            while self.earlier.len() > self.reach {
                self.earlier.pop_front();
            }
        }
        (self.partition, self.window) = (partition, window);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use polars::prelude::df;

    fn ids(seen: &mut Seen, ids: &[i64], at: (u64, u64)) -> Vec<i64> {
        let frame = seen.fresh(df!("id" => ids).unwrap(), at).unwrap();
        frame.column("id").unwrap().as_materialized_series().i64().unwrap().iter().flatten().collect()
    }

    #[test]
    fn a_row_of_an_earlier_window_does_not_come_again_and_one_of_the_same_window_does() {
        let mut seen = Seen::new(vec!["id".to_owned()], 1);
        assert_eq!(ids(&mut seen, &[1, 2, 2], (0, 0)), [1, 2, 2]);
        // After an error the page is asked for again.
        assert_eq!(ids(&mut seen, &[1, 2, 2], (0, 0)), [1, 2, 2]);
        assert_eq!(ids(&mut seen, &[2, 3], (0, 1)), [3]);
        assert_eq!(ids(&mut seen, &[3, 4], (0, 1)), [3, 4]);
        assert_eq!(ids(&mut seen, &[2, 3, 5], (0, 2)), [5]);
        // Nothing came of window 3, and 5 is further back than windows overlap.
        assert_eq!(ids(&mut seen, &[5], (0, 4)), [5]);
        assert_eq!(ids(&mut seen, &[5, 6], (1, 0)), [5, 6], "another parent has keys of its own");
    }
}
