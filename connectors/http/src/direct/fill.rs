//! Columns that are filled value by value.

use crate::plan::{ColumnFrom, ColumnPlan};
use polars::prelude::{
    BooleanChunked, Column, DataType, Float64Chunked, Int32Chunked, Int64Chunked, IntoSeries, NewChunkedArray,
    PlSmallStr, PolarsResult, StringChunked,
};
use polars_arrow::array::{Utf8ViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;
use serde_json::Value as Json;
use std::borrow::Cow;
use towpath_mapping::{Value, to_polars, values_to_series};
use towpath_spec::Type;

/// A value of a record on its way into columns.
#[derive(Default)]
pub(super) enum Slot<'de> {
    #[default]
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond 63 bits.
    Large(u64),
    Float(f64),
    Text(Cow<'de, str>),
    /// A list or an object.
    Json(Json),
}

/// A column on its way.
pub(super) struct Filling<'a> {
    plan: &'a ColumnPlan,
    /// Without rules that could make something else of a value.
    plain: bool,
    cells: Cells,
}

enum Cells {
    Text(Texts),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Date(Vec<Option<i32>>),
    DateTime(Vec<Option<i64>>),
    Other(Vec<Value>),
}

/// A value that does not fit its column.
pub(super) struct Misfit;

impl<'a> Filling<'a> {
    pub(super) fn new(plan: &'a ColumnPlan) -> Self {
        let cells = match &plan.ty {
            Type::Text => Cells::Text(Texts::default()),
            Type::Int => Cells::Int(Vec::new()),
            Type::Float => Cells::Float(Vec::new()),
            Type::Bool => Cells::Bool(Vec::new()),
            Type::Date => Cells::Date(Vec::new()),
            Type::DateTime { .. } => Cells::DateTime(Vec::new()),
            _ => Cells::Other(Vec::new()),
        };
        Self { plan, plain: plan.is_plain(), cells }
    }

    /// Adds a value.
    pub(super) fn push(&mut self, slot: &Slot<'_>) -> Result<(), Misfit> {
        let plan = self.plan;
        match (&mut self.cells, slot) {
            (_, Slot::Absent | Slot::Null) => self.put(Value::Null),
            (Cells::Text(cells), Slot::Text(text)) if self.plain => {
                cells.push(if plan.trim { text.trim() } else { text })
            }
            (Cells::Int(cells), Slot::Int(number)) if self.plain => {
                cells.push(Some(*number));
                Ok(())
            }
            (Cells::Float(cells), Slot::Float(number)) if self.plain => {
                cells.push(Some(*number));
                Ok(())
            }
            (Cells::Bool(cells), Slot::Bool(truth)) if self.plain => {
                cells.push(Some(*truth));
                Ok(())
            }
            (Cells::Date(cells), Slot::Text(text)) if self.plain => {
                cells.push(Some(plan.date(if plan.trim { text.trim() } else { text }).ok_or(Misfit)?));
                Ok(())
            }
            (Cells::DateTime(cells), Slot::Text(text)) if self.plain => {
                cells.push(Some(plan.instant(if plan.trim { text.trim() } else { text }).ok_or(Misfit)?));
                Ok(())
            }
            (_, slot) => self.put(plan.convert(&slot.to_json()).map_err(|_| Misfit)?),
        }
    }

    fn put(&mut self, value: Value) -> Result<(), Misfit> {
        match (&mut self.cells, value) {
            (Cells::Text(cells), Value::Text(text)) => cells.push(&text)?,
            (Cells::Text(cells), Value::Null) => cells.push_null(),
            (Cells::Int(cells), Value::Int(number)) => cells.push(Some(number)),
            (Cells::Int(cells), Value::Null) => cells.push(None),
            (Cells::Float(cells), Value::Float(number)) => cells.push(Some(number)),
            (Cells::Float(cells), Value::Null) => cells.push(None),
            (Cells::Bool(cells), Value::Bool(truth)) => cells.push(Some(truth)),
            (Cells::Bool(cells), Value::Null) => cells.push(None),
            (Cells::Date(cells), Value::Date(days)) => cells.push(Some(days)),
            (Cells::Date(cells), Value::Null) => cells.push(None),
            (Cells::DateTime(cells), Value::DateTime { micros, .. }) => cells.push(Some(micros)),
            (Cells::DateTime(cells), Value::Null) => cells.push(None),
            (Cells::Other(cells), value) => cells.push(value),
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// The column.
    pub(super) fn finish(self) -> PolarsResult<Option<Column>> {
        let name = self.plan.name.as_str().into();
        let ty = to_polars(&self.plan.ty);
        let series = match self.cells {
            Cells::Text(cells) => cells.finish(name)?.into_series(),
            Cells::Int(cells) => Int64Chunked::from_iter_options(name, cells.into_iter()).into_series(),
            Cells::Float(cells) => Float64Chunked::from_iter_options(name, cells.into_iter()).into_series(),
            Cells::Bool(cells) => BooleanChunked::from_iter_options(name, cells.into_iter()).into_series(),
            Cells::Date(cells) => {
                Int32Chunked::from_iter_options(name, cells.into_iter()).into_series().cast(&DataType::Date)?
            }
            Cells::DateTime(cells) => {
                Int64Chunked::from_iter_options(name, cells.into_iter()).into_series().cast(&ty)?
            }
            Cells::Other(cells) => match values_to_series(&self.plan.name, &self.plan.ty, &cells) {
                Ok(series) => series,
                Err(_) => return Ok(None),
            },
        };
        Ok(Some(series.into()))
    }
}

/// Texts, in as many bytes as they have: a builder of Polars keeps 8 KiB for the few of a small page.
#[derive(Default)]
struct Texts {
    views: Vec<View>,
    bytes: Vec<u8>,
    valid: Vec<bool>,
    nulls: usize,
}

impl Texts {
    fn push(&mut self, text: &str) -> Result<(), Misfit> {
        // No page is as large as that; if one were, it would be read the general way.
        let at = u32::try_from(self.bytes.len()).map_err(|_| Misfit)?;
        if u32::try_from(text.len()).is_err() {
            return Err(Misfit);
        }
        self.views.push(View::new_from_bytes(text.as_bytes(), 0, at));
        if text.len() > View::MAX_INLINE_SIZE as usize {
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.valid.push(true);
        Ok(())
    }

    fn push_null(&mut self) {
        self.views.push(View::default());
        self.valid.push(false);
        self.nulls += 1;
    }

    fn finish(mut self, name: PlSmallStr) -> PolarsResult<StringChunked> {
        self.bytes.shrink_to_fit();
        let buffers: Vec<Buffer<u8>> = if self.bytes.is_empty() { Vec::new() } else { vec![self.bytes.into()] };
        let valid = (self.nulls > 0).then(|| Bitmap::from_iter(self.valid));
        let texts = Utf8ViewArray::try_new(ArrowDataType::Utf8View, self.views.into(), buffers.into(), valid)?;
        Ok(StringChunked::with_chunk(name, texts))
    }
}

impl Slot<'_> {
    fn to_json(&self) -> Json {
        match self {
            Slot::Absent | Slot::Null => Json::Null,
            Slot::Bool(truth) => Json::from(*truth),
            Slot::Int(number) => Json::from(*number),
            Slot::Large(number) => Json::from(*number),
            Slot::Float(number) => Json::from(*number),
            Slot::Text(text) => Json::from(&**text),
            Slot::Json(value) => value.clone(),
        }
    }
}

impl ColumnPlan {
    /// Whether it has no rules that could make something else of a value than what it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.case.is_none() && self.nulls.is_empty() && self.yes.is_empty() && self.no.is_empty()
    }

    /// The member of its name, when the column has no rules that could make something else of it.
    pub(crate) fn plain<'a>(&self, record: &'a Json) -> Option<&'a Json> {
        let ColumnFrom::Member(name) = &self.from else { return None };
        if self.is_plain() { record.as_object()?.get(name) } else { None }
    }
}
