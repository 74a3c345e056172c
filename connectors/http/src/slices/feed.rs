//! Where slices come from: partitions, and the windows of each.

use super::given::Ask;
use super::parents::{Found, Parents};
use super::taken::Taken;
use super::windows::Windows;
use super::worker::Rounds;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use towpath_connector::{Record, RejectedRow, Result};

/// What is read by itself, in as many windows as there are.
#[derive(Clone, Default)]
pub(crate) struct Partition {
    /// The parameters it fills.
    pub(crate) filled: Record,
    pub(crate) taken: Taken,
    /// What `slice` stands for in a request.
    pub(crate) slice: Record,
    /// Its name for messages, when there are several.
    pub(crate) label: Option<String>,
}

/// One call with its pages.
pub(crate) struct Slice {
    pub(crate) params: Json,
    /// The parameters its partition fills.
    pub(crate) filled: Json,
    pub(crate) slice: Json,
    pub(crate) taken: Taken,
    pub(crate) label: Option<String>,
    /// The numbers of its partition and, within that, of its window.
    pub(crate) at: (u64, u64),
}

/// What is next.
pub(crate) enum Next {
    Slice(Slice),
    /// Records of the parent that could not be read.
    Rejects(Vec<RejectedRow>),
}

/// All slices of a read, in order.
pub(crate) struct Feed {
    ask: Ask,
    partitions: Partitions,
    /// The partition that is gone through, and what is left of its windows; none where there are no windows.
    current: Option<(Partition, Option<Windows>, u64)>,
    number: u64,
    now: DateTime<Utc>,
}

enum Partitions {
    Listed(std::vec::IntoIter<Partition>),
    Parents(Box<Parents>),
}

impl Feed {
    /// Starts finding slices.
    ///
    /// # Errors
    /// The parameters of a parent do not fit, or values are none.
    pub(crate) fn start(ask: &Ask, rounds: &Rounds, now: DateTime<Utc>) -> Result<Self> {
        let router = ask.stream.router.as_ref();
        let fans_out = |router: &&super::RouterPlan| matches!(router.over, super::Over::Stream { .. });
        let partitions = match router.filter(fans_out).filter(|_| !ask.is_single()) {
            Some(router) => Partitions::Parents(Box::new(Parents::start(ask, router, rounds)?)),
            None => Partitions::Listed(listed(ask)?.into_iter()),
        };
        Ok(Self { ask: ask.clone(), partitions, current: None, number: 0, now })
    }

    /// The next slice. May be dropped and called again.
    ///
    /// # Errors
    /// The parent could not be read, or gives a value that cannot be asked for.
    pub(crate) async fn next(&mut self, rounds: &Rounds) -> Result<Option<Next>> {
        loop {
            if let Some(slice) = self.of_current()? {
                return Ok(Some(Next::Slice(slice)));
            }
            let partition = match &mut self.partitions {
                Partitions::Listed(list) => list.next(),
                Partitions::Parents(parents) => match parents.next(rounds).await? {
                    Some(Found::Rejects(rejects)) => return Ok(Some(Next::Rejects(rejects))),
                    Some(Found::Partition(partition)) if !self.ask.admits(&partition.filled) => continue,
                    Some(Found::Partition(partition)) => Some(partition),
                    None => None,
                },
            };
            let Some(partition) = partition else { return Ok(None) };
            let incremental = self.ask.stream.incremental.as_ref();
            let windows = incremental.zip(self.ask.range).map(|(plan, range)| Windows::new(plan, range, self.now));
            self.current = Some((partition, windows, 0));
        }
    }

    /// The next slice of the partition that is gone through.
    fn of_current(&mut self) -> Result<Option<Slice>> {
        let Some((partition, windows, window)) = &mut self.current else { return Ok(None) };
        let of_window = match (windows, self.ask.stream.incremental.as_ref()) {
            (Some(windows), Some(plan)) => windows.next(plan).map(|params| {
                let bounds =
                    (params.get(&plan.start).cloned(), plan.end.as_ref().and_then(|end| params.get(end).cloned()));
                (params, Some(bounds))
            }),
            // Without windows there is one slice.
            _ if *window == 0 => Some((Map::new(), None)),
            _ => None,
        };
        let Some((params, bounds)) = of_window else {
            self.current = None;
            self.number += 1;
            return Ok(None);
        };
        let mut slice = partition.slice.clone();
        let mut label: Vec<String> = partition.label.iter().cloned().collect();
        if let Some((start, end)) = bounds {
            let text = |at: &Option<Json>| at.as_ref().and_then(Json::as_str).unwrap_or_default().to_owned();
            label.push(format!("{} to {}", text(&start), text(&end)).trim_start().to_owned());
            slice.insert("start".to_owned(), start.unwrap_or_default());
            slice.insert("end".to_owned(), end.unwrap_or_default());
        }
        let found = Slice {
            params: self.ask.completed(&[&partition.filled, &params])?,
            filled: Json::Object(partition.filled.clone()),
            slice: Json::Object(slice),
            taken: partition.taken.clone(),
            label: (!label.is_empty()).then(|| label.join(", ")),
            at: (self.number, *window),
        };
        *window += 1;
        Ok(Some(found))
    }
}

/// The partitions that need no parent.
fn listed(ask: &Ask) -> Result<Vec<Partition>> {
    let Some(router) = &ask.stream.router else { return Ok(vec![Partition::default()]) };
    let single = ask.is_single();
    let mut partitions = Vec::new();
    for filled in ask.combinations()? {
        let value = |param: &str| filled.get(param).or_else(|| ask.given(param));
        let taken = Taken::of_values(&router.take, |take| router.param_of(take).and_then(value))?;
        let mut slice: Record = router
            .take
            .iter()
            .map(|take| (take.column.clone(), router.param_of(take).and_then(value).cloned().unwrap_or_default()))
            .collect();
        slice
            .extend(router.fills().into_iter().map(|name| (name.to_owned(), value(name).cloned().unwrap_or_default())));
        let words =
            filled.iter().filter_map(|(name, value)| Some(format!("{name} {}", crate::template::plain_text(value)?)));
        let label = (!single).then(|| words.collect::<Vec<_>>().join(", "));
        partitions.push(Partition { filled, taken, slice, label });
    }
    Ok(partitions)
}
