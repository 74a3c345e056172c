//! Windows of time, one after the other, up to now.

use crate::plan::IncrementalPlan;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json};
use towpath_connector::{Error, Record, Result};

/// From where to where to read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    /// From the beginning when none.
    pub(crate) start: Option<DateTime<Utc>>,
    /// Up to now when none.
    pub(crate) end: Option<DateTime<Utc>>,
}

/// The windows of a range. Their bounds are cut to the precision the other side knows; the last one reaches a little
/// beyond the range rather than to leave its end out.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    next: Option<DateTime<Utc>>,
    end: DateTime<Utc>,
    first: bool,
    ended: bool,
}

impl Windows {
    /// The windows of a range that ends now.
    pub(crate) fn new(plan: &IncrementalPlan, range: Range, now: DateTime<Utc>) -> Self {
        let end = range.end.unwrap_or_else(|| plan.cut_up(now));
        Self { next: range.start.map(|start| plan.cut(start)), end, first: true, ended: false }
    }

    /// The parameters of the next window.
    pub(crate) fn next(&mut self, plan: &IncrementalPlan) -> Option<Record> {
        if self.ended {
            return None;
        }
        let Some(start) = self.next else {
            // There is no beginning, so there is one window.
            self.ended = true;
            return Some(params(plan, None, self.end));
        };
        if start >= self.end {
            self.ended = true;
            return None;
        }
        let end = plan.step.and_then(|step| start.checked_add_signed(step)).map_or(self.end, |end| plan.cut(end));
        // A step shorter than the precision would stand still.
        let end = if end > start { end.min(self.end) } else { self.end };
        let back = if self.first { TimeDelta::zero() } else { plan.overlap };
        self.first = false;
        self.next = Some(end);
        Some(params(plan, Some(start.checked_sub_signed(back).unwrap_or(start)), end))
    }
}

fn params(plan: &IncrementalPlan, start: Option<DateTime<Utc>>, end: DateTime<Utc>) -> Record {
    let mut params = Map::new();
    let mut set = |name: &str, at: DateTime<Utc>| {
        params.insert(name.to_owned(), Json::from(at.format(&plan.format).to_string()));
    };
    if let Some(start) = start {
        set(&plan.start, start);
    }
    if let Some(name) = &plan.end {
        set(name, end);
    }
    params
}

impl IncrementalPlan {
    /// Whether there are windows: calls that are told where to end.
    pub(crate) fn has_windows(&self) -> bool {
        self.end.is_some()
    }

    /// How many windows back a row may have come already.
    pub(crate) fn reach(&self) -> usize {
        let step = self.step.map_or(0, |step| step.num_milliseconds()).max(1);
        let windows = (self.overlap.num_milliseconds() + step - 1) / step;
        usize::try_from(windows).unwrap_or(1).max(1)
    }

    /// The range of a read: from the cursor, or what a pipeline gives, or the earliest time there is.
    ///
    /// # Errors
    /// Something of it is not a time.
    pub(crate) fn range(&self, given: &Record, cursor: Option<DateTime<Utc>>) -> Result<Range> {
        let start = match cursor {
            Some(cursor) => Some(cursor),
            None => self.given_time(given, Some(&self.start))?.or(self.earliest),
        };
        Ok(Range { start, end: self.given_time(given, self.end.as_ref())? })
    }

    /// A time of `with:`, in the format of the call or in ISO 8601.
    fn given_time(&self, given: &Record, name: Option<&String>) -> Result<Option<DateTime<Utc>>> {
        let Some((name, value)) = name.and_then(|name| Some((name, given.get(name)?))) else { return Ok(None) };
        let written = value.as_str().unwrap_or_default();
        // Some calls are told with empty text that there is no limit.
        if value.is_null() || (value.is_string() && written.trim().is_empty()) {
            return Ok(None);
        }
        let micros = crate::instant::instant(written, std::slice::from_ref(&self.format), chrono_tz::Tz::UTC);
        let at = micros.and_then(DateTime::from_timestamp_micros);
        at.map(Some).ok_or_else(|| {
            Error::user(format!("`{name}`: `{value}` is not a time")).help("write it as `2026-01-31T00:00:00Z`")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use towpath_spec::definition::Precision;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn plan(step: Option<TimeDelta>, overlap: TimeDelta, precision: Precision) -> IncrementalPlan {
        let format = if precision == Precision::Day { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" };
        IncrementalPlan {
            start: "from".to_owned(),
            format: format.to_owned(),
            precision,
            lookback: TimeDelta::zero(),
            end: Some("to".to_owned()),
            step,
            overlap,
            earliest: None,
        }
    }

    fn windows(plan: &IncrementalPlan, start: Option<&str>, now: &str) -> Vec<String> {
        let mut windows = Windows::new(plan, Range { start: start.map(at), end: None }, at(now));
        let next = || windows.next(plan);
        std::iter::from_fn(next)
            .map(|params| {
                let text = |name: &str| params.get(name).and_then(Json::as_str).unwrap_or("-").to_owned();
                format!("{}..{}", text("from"), text("to"))
            })
            .collect()
    }

    #[test]
    fn windows_touch_and_reach_up_to_now() {
        let days = plan(Some(TimeDelta::days(2)), TimeDelta::zero(), Precision::Day);
        let expected = ["2026-01-01..2026-01-03", "2026-01-03..2026-01-05", "2026-01-05..2026-01-06"];
        assert_eq!(windows(&days, Some("2026-01-01T10:00:00Z"), "2026-01-05T09:30:00Z"), expected);
        assert_eq!(windows(&days, None, "2026-01-05T09:30:00Z"), ["-..2026-01-06"]);
        assert_eq!(windows(&days, Some("2026-01-07T00:00:00Z"), "2026-01-05T09:30:00Z"), Vec::<String>::new());
    }

    #[test]
    fn windows_overlap_backwards_but_for_the_first() {
        let hours = plan(Some(TimeDelta::hours(1)), TimeDelta::minutes(1), Precision::Second);
        let expected = [
            "2026-01-01T00:00:00Z..2026-01-01T01:00:00Z",
            "2026-01-01T00:59:00Z..2026-01-01T02:00:00Z",
            "2026-01-01T01:59:00Z..2026-01-01T02:00:01Z",
        ];
        assert_eq!(windows(&hours, Some("2026-01-01T00:00:00Z"), "2026-01-01T02:00:00.5Z"), expected);
        assert_eq!(hours.reach(), 1);
        assert_eq!(plan(Some(TimeDelta::hours(1)), TimeDelta::minutes(150), Precision::Second).reach(), 3);
    }

    #[test]
    fn a_step_shorter_than_the_precision_does_not_stand_still() {
        let short = plan(Some(TimeDelta::hours(1)), TimeDelta::zero(), Precision::Day);
        assert_eq!(windows(&short, Some("2026-01-01T00:00:00Z"), "2026-01-03T00:00:00Z"), ["2026-01-01..2026-01-03"]);
    }

    #[test]
    fn a_range_starts_at_the_cursor_then_at_what_is_given_then_at_the_earliest() {
        let plan = IncrementalPlan {
            earliest: Some(at("2000-01-01T00:00:00Z")),
            ..plan(None, TimeDelta::zero(), Precision::Day)
        };
        let given = Map::from_iter([("from".to_owned(), Json::from("2020-02-01")), ("to".to_owned(), Json::Null)]);
        let start = |given: &Record, cursor| plan.range(given, cursor).unwrap().start.unwrap().to_rfc3339();
        assert_eq!(start(&given, Some(at("2026-01-01T00:00:00Z"))), "2026-01-01T00:00:00+00:00");
        assert_eq!(start(&given, None), "2020-02-01T00:00:00+00:00");
        assert_eq!(start(&Map::new(), None), "2000-01-01T00:00:00+00:00");
        let wrong = Map::from_iter([("to".to_owned(), Json::from("soon"))]);
        assert_eq!(plan.range(&wrong, None).unwrap_err().message, "`to`: `\"soon\"` is not a time");
    }
}
