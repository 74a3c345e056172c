//! A record looked up in a stream: before it is written, after it was, or to find out whether it was.

use crate::given::{Completed, complete};
use crate::instant;
use crate::operation::ApiOperation;
use crate::operation_plan::{FindPlan, Match};
use crate::reader::ApiReader;
use crate::template::{Names, Slot, plain_text};
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Effect, Reader, Record, Result};
use towpath_spec::definition::Many;

/// What was found.
pub(crate) enum Found {
    One(Record),
    None,
    /// So many fit, and nobody can tell which one is meant.
    Several(usize),
    /// It cannot be looked up: a sentence about the value that is missing or does not fit.
    Unfit(String),
}

impl ApiOperation {
    /// Looks a record up.
    ///
    /// # Errors
    /// The other side failed. Nothing was written by it.
    pub(crate) async fn find(&self, plan: &FindPlan, names: &Names<'_>) -> Result<Found> {
        self.search(plan, names).await.map_err(|error| error.effect(Effect::None))
    }

    async fn search(&self, plan: &FindPlan, names: &Names<'_>) -> Result<Found> {
        let params = values(&plan.with, names)?;
        let stream = self.connection.stream(&plan.stream)?;
        // A look-up takes what is missing for `no such record`; here one would be made then.
        match complete(&stream.params, &params, self.connection.config(), true)? {
            Completed::Good(_) => {}
            Completed::Bad(message) | Completed::Missing(message) => {
                return Ok(Found::Unfit(format!("it cannot be looked up in {}: {message}", plan.stream)));
            }
        }
        let reader = ApiReader { connection: Arc::clone(&self.connection) };
        let mut wanted = Vec::with_capacity(plan.matching.len());
        for one in &plan.matching {
            wanted.push((one, one.value.value(names)?));
        }
        let mut found = reader.lookup(&plan.stream)?.get(&params).await?;
        found.retain(|record| wanted.iter().all(|(one, value)| one.fits(record, value)));
        Ok(match (found.len(), plan.many) {
            (0, _) => Found::None,
            (1, _) | (_, Many::First) => Found::One(found.swap_remove(0)),
            (candidates, Many::Fail) => Found::Several(candidates),
        })
    }
}

/// Values by name.
///
/// # Errors
/// One cannot be filled in.
pub(crate) fn values(slots: &[(String, Slot)], names: &Names<'_>) -> Result<Record> {
    slots.iter().map(|(name, slot)| Ok((name.clone(), slot.value(names)?))).collect()
}

impl Match {
    fn fits(&self, record: &Record, wanted: &Json) -> bool {
        let found = record.get(&self.column).unwrap_or(&Json::Null);
        equal(found, wanted) || self.tolerance.is_some_and(|within| near(found, wanted, within))
    }
}

/// Equal values; a number and the text of it are, case counts.
fn equal(found: &Json, wanted: &Json) -> bool {
    if found == wanted {
        return true;
    }
    let number = |value: &Json| match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    if found.is_number() || wanted.is_number() {
        return matches!((number(found), number(wanted)), (Some(a), Some(b)) if a == b);
    }
    let text = |value: &Json| plain_text(value).map(|text| text.trim().to_owned());
    matches!((text(found), text(wanted)), (Some(a), Some(b)) if a == b)
}

/// Times that are no further apart; those without a zone are of UTC.
fn near(found: &Json, wanted: &Json, within: Duration) -> bool {
    let instant = |value: &Json| instant::instant(value.as_str()?, &[], chrono_tz::Tz::UTC);
    let (Some(found), Some(wanted)) = (instant(found), instant(wanted)) else { return false };
    u128::from(found.abs_diff(wanted)) <= within.as_micros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_their_texts_are_equal_and_other_spellings_are_not() {
        for (found, wanted, expected) in [
            (json!(7), json!("7"), true),
            (json!("7 "), json!(7.0), true),
            (json!("007"), json!("7"), false),
            (json!("Ada"), json!(" Ada"), true),
            (json!("Ada"), json!("ada"), false),
            (json!(null), json!(null), true),
            (json!(null), json!(""), false),
            (json!(0), json!(null), false),
        ] {
            assert_eq!(equal(&found, &wanted), expected, "{found} {wanted}");
        }
    }

    #[test]
    fn times_may_differ_as_far_as_they_may() {
        let day = Duration::from_secs(86_400);
        assert!(near(&json!("2026-03-01T00:00:00Z"), &json!("2026-03-02"), day));
        assert!(!near(&json!("2026-03-01T00:00:00Z"), &json!("2026-03-02T00:00:01Z"), day));
        assert!(!near(&json!("soon"), &json!("2026-03-02"), day));
    }
}
