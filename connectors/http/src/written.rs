//! How parameters and fields are written in a call: the vendor's words, dates, lists and lengths.
//!
//! Nothing is cut to fit: what is too long, or has no word, turns the record down.

use crate::instant;
use crate::template::plain_text;
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde_json::Value as Json;
use towpath_spec::Type;
use towpath_spec::definition::Case;

/// See [`towpath_spec::definition::WrittenDoc`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    pub(crate) max_length: Option<usize>,
    pub(crate) case: Option<Case>,
    pub(crate) format: Option<String>,
    pub(crate) zone: Option<Tz>,
    pub(crate) words: Vec<(String, Json)>,
    pub(crate) join: Option<String>,
}

/// Text in a case.
pub(crate) fn in_case(case: Option<Case>, text: &str) -> Option<String> {
    match case? {
        Case::Lower => Some(text.to_lowercase()),
        Case::Upper => Some(text.to_uppercase()),
    }
}

impl Written {
    /// A value as the vendor wants it; null stays null.
    ///
    /// # Errors
    /// Why it cannot be written so.
    pub(crate) fn write(&self, ty: &Type, value: Json) -> Result<Json, String> {
        let value = match (&self.join, value) {
            (_, Json::Null) => return Ok(Json::Null),
            (Some(between), Json::Array(items)) => {
                let texts: Vec<String> =
                    items.iter().filter_map(|item| self.text(item).transpose()).collect::<Result<_, _>>()?;
                Json::from(texts.join(between))
            }
            (Some(_), text) => text,
            (None, Json::Array(items)) => {
                Json::Array(items.into_iter().map(|item| self.one(ty, item)).collect::<Result<_, _>>()?)
            }
            (None, one) => self.one(ty, one)?,
        };
        match (self.max_length, value.as_str().map(|text| text.chars().count())) {
            (Some(most), Some(length)) if length > most => {
                Err(format!("it has {length} characters, and may have {most} at most"))
            }
            _ => Ok(value),
        }
    }

    /// An item of a list that is sent as one text.
    fn text(&self, item: &Json) -> Result<Option<String>, String> {
        Ok(plain_text(&self.one(&Type::Text, item.clone())?))
    }

    fn one(&self, ty: &Type, value: Json) -> Result<Json, String> {
        if value.is_null() {
            return Ok(value);
        }
        if !self.words.is_empty() {
            let written = plain_text(&value).unwrap_or_default();
            let found = self.words.iter().find(|(name, _)| name.eq_ignore_ascii_case(&written));
            return found.map(|(_, word)| word.clone()).ok_or_else(|| {
                let known: Vec<&str> = self.words.iter().map(|(name, _)| name.as_str()).collect();
                format!("`{written}` has no word, expected one of {}", known.join(", "))
            });
        }
        let Json::String(text) = &value else { return Ok(value) };
        if let Some(format) = &self.format {
            return self.time(ty, text, format).map(Json::from);
        }
        Ok(in_case(self.case, text).map_or(value, Json::from))
    }

    fn time(&self, ty: &Type, text: &str, format: &str) -> Result<String, String> {
        let text = text.trim();
        let zone = self.zone.unwrap_or(Tz::UTC);
        let at = |micros: i64| DateTime::from_timestamp_micros(micros);
        let written = match ty {
            Type::Date => instant::date(text, &[]).and_then(|days| {
                let date = chrono::NaiveDate::default().checked_add_signed(TimeDelta::days(days.into()))?;
                Some(date.and_time(chrono::NaiveTime::MIN).and_utc().format(format).to_string())
            }),
            Type::DateTime { zone: None } => {
                instant::wall_clock(text, &[]).and_then(at).map(|at| at.format(format).to_string())
            }
            _ => instant::instant(text, &[], zone)
                .and_then(at)
                .map(|at| at.with_timezone(&zone).format(format).to_string()),
        };
        written.ok_or_else(|| format!("`{text}` is not a {ty} in ISO 8601"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn utc() -> Type {
        Type::DateTime { zone: Some("UTC".into()) }
    }

    #[test]
    fn words_cases_lists_and_lengths() {
        let words =
            Written { words: vec![("true".into(), json!("1")), ("false".into(), json!(0))], ..Written::default() };
        assert_eq!(words.write(&Type::Bool, json!(true)), Ok(json!("1")));
        assert_eq!(words.write(&Type::Bool, json!(false)), Ok(json!(0)));
        assert_eq!(words.write(&Type::Bool, json!(null)), Ok(json!(null)));
        assert!(words.write(&Type::Text, json!("maybe")).unwrap_err().contains("expected one of true, false"));
        let upper =
            Written { case: Some(Case::Upper), join: Some("|".into()), max_length: Some(5), ..Written::default() };
        assert_eq!(upper.write(&Type::Text, json!(["ab", null, "cd"])), Ok(json!("AB|CD")));
        assert!(upper.write(&Type::Text, json!(["ab", "cde"])).unwrap_err().contains("6 characters"));
        assert!(upper.write(&Type::Text, json!("größer")).unwrap_err().contains("may have 5"));
        let lower = Written { case: Some(Case::Lower), ..Written::default() };
        assert_eq!(lower.write(&Type::Text, json!(["A", "B"])), Ok(json!(["a", "b"])));
    }

    #[test]
    fn times_are_written_in_a_format_and_a_zone() {
        let written = |format: &str, zone| Written { format: Some(format.into()), zone, ..Written::default() };
        let day = written("%d/%m/%Y", None);
        assert_eq!(day.write(&Type::Date, json!("2026-07-01")), Ok(json!("01/07/2026")));
        assert_eq!(day.write(&utc(), json!("2026-07-01T23:30:00Z")), Ok(json!("01/07/2026")));
        let london = written("%Y-%m-%d %H:%M", Some(Tz::Europe__London));
        assert_eq!(london.write(&utc(), json!("2026-07-01T23:30:00Z")), Ok(json!("2026-07-02 00:30")));
        let clock = Type::DateTime { zone: None };
        assert_eq!(london.write(&clock, json!("2026-07-01T23:30:00")), Ok(json!("2026-07-01 23:30")));
        assert!(day.write(&Type::Date, json!("soon")).unwrap_err().contains("not a date"));
    }
}
