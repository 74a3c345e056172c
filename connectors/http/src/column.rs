//! From a vendor's spelling to a value of a column.
//!
//! Null markers and white space first, then the declared type. A value that does not fit is never bent into null or 0:
//! its row becomes a reject.

use crate::instant;
use crate::plan::{ColumnFrom, ColumnPlan};
use crate::template::plain_text;
use crate::written::in_case;
use serde_json::Value as Json;
use std::borrow::Cow;
use towpath_mapping::Value;
use towpath_spec::Type;

impl ColumnPlan {
    /// Where the column's value stands in a record; none is null.
    pub(crate) fn find<'a>(&self, record: &'a Json) -> Option<Cow<'a, Json>> {
        let path = match &self.from {
            ColumnFrom::Member(name) => {
                return record.as_object().and_then(|record| record.get(name)).map(Cow::Borrowed);
            }
            ColumnFrom::Path(path) => path,
        };
        if matches!(self.ty, Type::List(_)) {
            let all = path.all(record);
            return match all.as_slice() {
                [one @ Json::Array(_)] => Some(Cow::Borrowed(one)),
                _ => Some(Cow::Owned(Json::Array(all.into_iter().cloned().collect()))),
            };
        }
        path.first(record).map(Cow::Borrowed)
    }

    /// A value as the column has it.
    ///
    /// # Errors
    /// Why it does not fit.
    pub(crate) fn convert(&self, value: &Json) -> Result<Value, String> {
        match value {
            Json::String(text) => self.convert_text(text),
            Json::Null => Ok(Value::Null),
            Json::Number(_) | Json::Bool(_) if self.is_marked_null(value) => Ok(Value::Null),
            Json::Number(number) if self.ty == Type::Bool => match self.truth(&number.to_string()) {
                Some(truth) => Ok(Value::Bool(truth)),
                None => Value::from_json(value, &self.ty),
            },
            Json::Array(items) if self.case.is_some() && matches!(self.ty, Type::List(_)) => {
                let item = |item: &Json| item.as_str().and_then(|text| in_case(self.case, text)).map(Json::from);
                let items = items.iter().map(|one| item(one).unwrap_or_else(|| one.clone())).collect();
                Value::from_json(&Json::Array(items), &self.ty)
            }
            other => Value::from_json(other, &self.ty),
        }
    }

    fn convert_text(&self, text: &str) -> Result<Value, String> {
        let text = if self.trim { text.trim() } else { text };
        if self.is_null(text) {
            return Ok(Value::Null);
        }
        match &self.ty {
            Type::Text => Ok(in_case(self.case, text).map_or_else(|| Value::from(text), Value::from)),
            Type::List(_) if self.split.is_some() => self.split_text(text),
            Type::Bool => match self.truth(text) {
                Some(truth) => Ok(Value::Bool(truth)),
                None => Value::from_json(&Json::from(text), &Type::Bool),
            },
            Type::Date => self.date(text).map(Value::Date).ok_or_else(|| self.no_time(text)),
            Type::DateTime { zone } => {
                let micros = self.instant(text).ok_or_else(|| self.no_time(text))?;
                Ok(Value::DateTime { micros, zone: zone.as_deref().map(Into::into) })
            }
            ty => Value::from_json(&Json::from(text), ty),
        }
    }

    /// A list that is written as one text; no text is no items.
    fn split_text(&self, text: &str) -> Result<Value, String> {
        let between = self.split.as_deref().unwrap_or(",");
        let items = text.split(between).map(|item| if self.trim { item.trim() } else { item });
        let items = items.map(|item| Json::from(in_case(self.case, item).unwrap_or_else(|| item.to_owned())));
        let items = if text.trim().is_empty() { Vec::new() } else { items.collect() };
        Value::from_json(&Json::Array(items), &self.ty)
    }

    /// Yes or no in the vendor's words.
    pub(crate) fn truth(&self, text: &str) -> Option<bool> {
        let is = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is(&self.yes) { Some(true) } else { is(&self.no).then_some(false) }
    }

    fn is_marked_null(&self, value: &Json) -> bool {
        // Most columns have no markers, and numbers are many.
        !self.nulls.is_empty() && self.is_null(&plain_text(value).unwrap_or_default())
    }

    pub(crate) fn is_null(&self, text: &str) -> bool {
        self.nulls.iter().any(|marker| marker == text)
    }

    /// Days since 1970.
    pub(crate) fn date(&self, text: &str) -> Option<i32> {
        instant::date(text, &self.formats)
    }

    /// Microseconds since 1970.
    pub(crate) fn instant(&self, text: &str) -> Option<i64> {
        match &self.ty {
            Type::DateTime { zone: None } => instant::wall_clock(text, &self.formats),
            _ => instant::instant(text, &self.formats, self.zone),
        }
    }

    pub(crate) fn no_time(&self, text: &str) -> String {
        let formats: Vec<String> = self.formats.iter().map(|format| format!(", `{format}`")).collect();
        format!("`{text}` is not a {} in ISO 8601{}", self.ty, formats.concat())
    }
}
