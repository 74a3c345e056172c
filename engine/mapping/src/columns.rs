//! Between our types and values and Polars' columns.
//!
//! One canonical column type stands for each of our types (JSON is a text column); other integer, float, text and time
//! units Polars knows are read as the nearest of ours.

use std::sync::Arc;

use indexmap::IndexMap;
use polars::prelude::{
    AnyValue, BinaryChunked, BooleanChunked, DataType, Field as PlField, Float64Chunked, Int32Chunked, Int64Chunked,
    IntoSeries, NewChunkedArray, PlSmallStr, Schema as PlSchema, Series, StringChunked, TimeUnit, TimeZone,
};
use towpath_spec::{Field, Schema, Type};

use crate::value::Value;

/// The column type that stands for a type.
pub fn to_polars(ty: &Type) -> DataType {
    match ty {
        Type::Null => DataType::Null,
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => DataType::Decimal((*precision).into(), (*scale).into()),
        Type::Text | Type::Json => DataType::String,
        Type::Date => DataType::Date,
        Type::DateTime { zone } => DataType::Datetime(TimeUnit::Microseconds, polars_zone(zone.as_deref())),
        Type::Duration => DataType::Duration(TimeUnit::Microseconds),
        Type::Binary => DataType::Binary,
        Type::List(inner) => DataType::List(Box::new(to_polars(inner))),
        Type::Struct(fields) => DataType::Struct(
            fields.iter().map(|field| PlField::new(field.name.as_str().into(), to_polars(&field.ty))).collect(),
        ),
    }
}

fn polars_zone(zone: Option<&str>) -> Option<TimeZone> {
    TimeZone::opt_try_new(zone.map(PlSmallStr::from)).ok().flatten()
}

/// The type a column is read as.
pub fn from_polars(dtype: &DataType) -> Type {
    match dtype {
        DataType::Null => Type::Null,
        DataType::Boolean => Type::Bool,
        DataType::Float32 | DataType::Float64 => Type::Float,
        DataType::Decimal(precision, scale) => Type::Decimal {
            precision: u8::try_from(*precision).unwrap_or(38),
            scale: u8::try_from(*scale).unwrap_or(0),
        },
        DataType::Date => Type::Date,
        DataType::Datetime(_, zone) => Type::DateTime { zone: zone.as_ref().map(|zone| zone.to_string()) },
        DataType::Duration(_) => Type::Duration,
        DataType::Binary => Type::Binary,
        DataType::List(inner) => Type::List(Box::new(from_polars(inner))),
        DataType::Struct(fields) => {
            Type::Struct(fields.iter().map(|f| Field::new(f.name.as_str(), from_polars(&f.dtype))).collect())
        }
        dtype if dtype.is_integer() => Type::Int,
        _ => Type::Text,
    }
}

/// A schema as Polars writes it.
pub fn schema_to_polars(schema: &Schema) -> PlSchema {
    schema.fields.iter().map(|f| PlField::new(f.name.as_str().into(), to_polars(&f.ty))).collect()
}

/// A Polars schema as ours; every column may hold null.
pub fn schema_from_polars(schema: &PlSchema) -> Schema {
    Schema::new(schema.iter().map(|(name, dtype)| Field::new(name.as_str(), from_polars(dtype))).collect())
}

/// A column as values of one type.
#[derive(Debug)]
pub(crate) enum Reader {
    Null,
    Bool(BooleanChunked),
    Int(Int64Chunked),
    Float(Float64Chunked),
    Text(StringChunked),
    Json(StringChunked),
    Date(Int32Chunked),
    DateTime(Int64Chunked, Option<Arc<str>>),
    Duration(Int64Chunked),
    Binary(BinaryChunked),
    /// Decimals, lists and structs, through Polars' dynamic values.
    Any(Series, Type),
}

impl Reader {
    /// Reads `series` as `ty`; a column of another unit or width is converted first.
    pub fn new(series: &Series, ty: &Type) -> Result<Self, String> {
        let wrong = |error: polars::prelude::PolarsError| format!("column `{}`: {error}", series.name());
        let dtype = to_polars(ty);
        if *series.dtype() == DataType::Null {
            return Ok(Self::Null);
        }
        let series =
            if *series.dtype() == dtype { series.clone() } else { series.strict_cast(&dtype).map_err(wrong)? };
        let series = series.rechunk();
        Ok(match ty {
            Type::Null => Self::Null,
            Type::Bool => Self::Bool(series.bool().map_err(wrong)?.clone()),
            Type::Int => Self::Int(series.i64().map_err(wrong)?.clone()),
            Type::Float => Self::Float(series.f64().map_err(wrong)?.clone()),
            Type::Text => Self::Text(series.str().map_err(wrong)?.clone()),
            Type::Json => Self::Json(series.str().map_err(wrong)?.clone()),
            Type::Date => Self::Date(series.date().map_err(wrong)?.physical().clone()),
            Type::DateTime { zone } => {
                let zone = zone.as_deref().map(Arc::from);
                Self::DateTime(series.datetime().map_err(wrong)?.physical().clone(), zone)
            }
            Type::Duration => Self::Duration(series.duration().map_err(wrong)?.physical().clone()),
            Type::Binary => Self::Binary(series.binary().map_err(wrong)?.clone()),
            Type::Decimal { .. } | Type::List(_) | Type::Struct(_) => Self::Any(series, ty.clone()),
        })
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(all) => all.get(row).into(),
            Self::Int(all) => all.get(row).into(),
            Self::Float(all) => all.get(row).into(),
            Self::Text(all) => all.get(row).into(),
            Self::Json(all) => all.get(row).map_or(Value::Null, json_cell),
            Self::Date(all) => all.get(row).map_or(Value::Null, Value::Date),
            Self::DateTime(all, zone) => {
                all.get(row).map_or(Value::Null, |micros| Value::DateTime { micros, zone: zone.clone() })
            }
            Self::Duration(all) => all.get(row).map_or(Value::Null, Value::Duration),
            Self::Binary(all) => all.get(row).map_or(Value::Null, |bytes| Value::Binary(bytes.into())),
            Self::Any(series, ty) => series.get(row).map_or(Value::Null, |value| from_any(&value, ty)),
        }
    }

    /// Rows in the column; `None`: as many as wanted.
    pub fn len(&self) -> Option<usize> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(all) => all.len(),
            Self::Int(all) | Self::DateTime(all, _) | Self::Duration(all) => all.len(),
            Self::Float(all) => all.len(),
            Self::Text(all) | Self::Json(all) => all.len(),
            Self::Date(all) => all.len(),
            Self::Binary(all) => all.len(),
            Self::Any(series, _) => series.len(),
        })
    }
}

/// A JSON cell; text that is no JSON stands for itself.
pub(crate) fn json_cell(text: &str) -> Value {
    Value::Json(serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text)))
}

fn from_any(any: &AnyValue, ty: &Type) -> Value {
    match (any, ty) {
        (AnyValue::Null, _) => Value::Null,
        (AnyValue::Decimal(unscaled, _, scale), _) => {
            Value::Decimal { unscaled: *unscaled, scale: u8::try_from(*scale).unwrap_or(0) }
        }
        (AnyValue::List(items), Type::List(inner)) => match Reader::new(items, inner) {
            Ok(reader) => Value::List((0..items.len()).map(|at| reader.get(at)).collect()),
            Err(_) => Value::Null,
        },
        (AnyValue::Struct(..) | AnyValue::StructOwned(_), Type::Struct(fields)) => {
            let values: Vec<AnyValue> = match any {
                AnyValue::StructOwned(owned) => owned.0.clone(),
                other => other._iter_struct_av().collect(),
            };
            Value::Struct(
                fields
                    .iter()
                    .zip(values)
                    .map(|(field, value)| (field.name.clone(), from_any(&value, &field.ty)))
                    .collect(),
            )
        }
        (AnyValue::Boolean(b), _) => Value::Bool(*b),
        (AnyValue::Float64(x), _) => Value::Float(*x),
        (AnyValue::Int64(i), _) => Value::Int(*i),
        (AnyValue::Date(days), _) => Value::Date(*days),
        (AnyValue::Duration(micros, _), _) => Value::Duration(*micros),
        (AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..), Type::DateTime { zone }) => {
            Value::DateTime { micros: *micros, zone: zone.as_deref().map(Arc::from) }
        }
        (AnyValue::Binary(bytes), _) => Value::Binary((*bytes).into()),
        (AnyValue::BinaryOwned(bytes), _) => Value::Binary(bytes.as_slice().into()),
        (other, Type::Json) => other.get_str().map_or(Value::Null, json_cell),
        (other, _) => other.get_str().map_or_else(|| Value::from(other.to_string()), Value::from),
    }
}

/// A column of values, each of which must be of the type (whole numbers fit floats and decimals).
///
/// # Errors
/// Names the first value that does not fit.
pub fn values_to_series(name: &str, ty: &Type, values: &[Value]) -> Result<Series, String> {
    let wrong = |value: &Value| format!("`{name}`: expected {ty}, found {} `{value}`", value.type_of());
    macro_rules! column {
        ($array:ty, $($pattern:pat => $out:expr),+) => {{
            let mut cells = Vec::with_capacity(values.len());
            for value in values {
                cells.push(match value {
                    Value::Null => None,
                    $($pattern => Some($out),)+
                    other => return Err(wrong(other)),
                });
            }
            <$array>::from_iter_options(name.into(), cells.into_iter())
        }};
    }
    Ok(match ty {
        Type::Null => Series::full_null(name.into(), values.len(), &DataType::Null),
        Type::Bool => column!(BooleanChunked, Value::Bool(b) => *b).into_series(),
        Type::Int => column!(Int64Chunked, Value::Int(i) => *i).into_series(),
        Type::Float => column!(Float64Chunked, Value::Float(x) => *x, Value::Int(i) => *i as f64).into_series(),
        Type::Text => column!(StringChunked, Value::Text(text) => &**text).into_series(),
        Type::Json => {
            let cells = values.iter().map(|value| (!value.is_null()).then(|| value.to_json().to_string()));
            StringChunked::from_iter_options(name.into(), cells).into_series()
        }
        Type::Date => column!(Int32Chunked, Value::Date(days) => *days).into_date().into_series(),
        Type::DateTime { zone } => column!(Int64Chunked, Value::DateTime { micros, .. } => *micros)
            .into_datetime(TimeUnit::Microseconds, polars_zone(zone.as_deref()))
            .into_series(),
        Type::Duration => column!(Int64Chunked, Value::Duration(micros) => *micros)
            .into_duration(TimeUnit::Microseconds)
            .into_series(),
        Type::Binary => column!(BinaryChunked, Value::Binary(bytes) => &**bytes).into_series(),
        Type::Decimal { .. } | Type::List(_) | Type::Struct(_) => {
            let cells = values.iter().map(|value| to_any(value, ty)).collect::<Result<Vec<_>, _>>()?;
            Series::from_any_values_and_dtype(name.into(), &cells, &to_polars(ty), true).map_err(|e| e.to_string())?
        }
    })
}

fn to_any(value: &Value, ty: &Type) -> Result<AnyValue<'static>, String> {
    if matches!(value, Value::Null) {
        return Ok(AnyValue::Null);
    }
    Ok(match (value, ty) {
        (Value::Decimal { .. } | Value::Int(_), Type::Decimal { precision, scale }) => {
            match crate::cast::convert(value, ty)? {
                Value::Decimal { unscaled, .. } => AnyValue::Decimal(unscaled, (*precision).into(), (*scale).into()),
                _ => AnyValue::Null,
            }
        }
        (Value::List(items), Type::List(inner)) => AnyValue::List(values_to_series("", inner, items)?),
        (Value::Struct(values), Type::Struct(fields)) => {
            let cells = fields
                .iter()
                .map(|field| to_any(values.get(&field.name).unwrap_or(&Value::Null), &field.ty))
                .collect::<Result<Vec<_>, _>>()?;
            let fields =
                fields.iter().map(|field| PlField::new(field.name.as_str().into(), to_polars(&field.ty))).collect();
            AnyValue::StructOwned(Box::new((cells, fields)))
        }
        (value, ty) => {
            let one = values_to_series("", ty, std::slice::from_ref(value))?;
            one.get(0).map_err(|error| error.to_string())?.into_static()
        }
    })
}

/// Values of a row by name, read from columns.
pub(crate) struct Readers {
    pub columns: IndexMap<String, Reader>,
}

impl Readers {
    /// The value of a column in a row; a column of one value is the same in all rows.
    pub fn get(&self, name: &str, row: usize) -> Value {
        self.columns.get(name).map_or(Value::Null, |reader| reader.get(at(reader, row)))
    }
}

/// Where to read a row: literals are columns of one value.
pub(crate) fn at(reader: &Reader, row: usize) -> usize {
    if reader.len() == Some(1) { 0 } else { row }
}
