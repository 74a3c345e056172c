//! Reading only what is new: what a cursor is, and what it becomes in a request.

use crate::plan::IncrementalPlan;
use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};
use serde_json::Value as Json;
use towpath_connector::{Error, Result};
use towpath_spec::definition::Precision;

impl IncrementalPlan {
    /// Where a read starts for a cursor: a little before it, for what was under way when it was taken.
    ///
    /// # Errors
    /// The cursor is none of ours.
    pub(crate) fn start_of(&self, cursor: &Json, lookback: Option<TimeDelta>) -> Result<DateTime<Utc>> {
        let written = cursor.as_str().unwrap_or_default();
        let micros = crate::instant::instant(written, &[], chrono_tz::Tz::UTC);
        let at = micros.and_then(DateTime::from_timestamp_micros).ok_or_else(|| {
            Error::user(format!("the cursor `{cursor}` is not a time"))
                .help("set it as `2026-01-31T00:00:00Z`, or clear it to read everything")
        })?;
        Ok(at.checked_sub_signed(lookback.unwrap_or(self.lookback)).unwrap_or(at))
    }

    /// A time as the other side reads it.
    pub(crate) fn written(&self, at: DateTime<Utc>) -> String {
        self.cut(at).format(&self.format).to_string()
    }

    /// The cursor a read that started then leaves.
    pub(crate) fn cursor(&self, started: DateTime<Utc>) -> Json {
        Json::from(self.cut(started).to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }

    /// The first time the other side knows that is not before this one.
    pub(crate) fn cut_up(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let cut = self.cut(at);
        let unit = match self.precision {
            Precision::Second => TimeDelta::seconds(1),
            Precision::Minute => TimeDelta::minutes(1),
            Precision::Day => TimeDelta::days(1),
        };
        if cut == at { at } else { cut + unit }
    }

    /// The last time the other side knows that is not after this one.
    pub(crate) fn cut(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let second = at.trunc_subsecs(0);
        let minute = || second.with_second(0).unwrap_or(second);
        match self.precision {
            Precision::Second => second,
            Precision::Minute => minute(),
            Precision::Day => minute().with_minute(0).and_then(|at| at.with_hour(0)).unwrap_or(second),
        }
    }
}
