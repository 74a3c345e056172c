//! The types of the fields of JSON objects, from a sample.

use serde_json::{Map, Value};
use towpath_spec::{Field, Schema, Type};

/// Every whole number up to here is a float as well.
const FLOAT_DIGITS: u64 = 1 << 53;

/// What the fields of all objects so far have been.
#[derive(Debug, Default, Clone)]
pub(super) struct Shape {
    fields: Vec<(String, Form)>,
}

#[derive(Debug, Clone)]
enum Form {
    Nothing,
    Bool,
    Int,
    /// Whole numbers of which some have more digits than a float can hold.
    LongInt,
    Float,
    Text,
    List(Box<Form>),
    Object(Shape),
    /// Now this, now that.
    Any,
}

impl Shape {
    /// One more object.
    pub(super) fn see(&mut self, record: &Map<String, Value>) {
        for (name, value) in record {
            let form = Form::of(value);
            match self.fields.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = std::mem::replace(known, Form::Nothing).and(form),
                None => self.fields.push((name.clone(), form)),
            }
        }
    }

    /// A column for each field.
    pub(super) fn schema(&self) -> Schema {
        Schema::new(self.fields())
    }

    fn fields(&self) -> Vec<Field> {
        self.fields.iter().map(|(name, form)| Field::new(name, form.ty())).collect()
    }

    fn and(mut self, other: Self) -> Self {
        for (name, form) in other.fields {
            match self.fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = std::mem::replace(known, Form::Nothing).and(form),
                None => self.fields.push((name, form)),
            }
        }
        self
    }
}

impl Form {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) => match number.as_i64() {
                Some(whole) if whole.unsigned_abs() <= FLOAT_DIGITS => Self::Int,
                Some(_) => Self::LongInt,
                // Too large for an int, and a float would lose digits.
                None if number.is_u64() => Self::Any,
                None => Self::Float,
            },
            Value::String(_) => Self::Text,
            Value::Array(items) => Self::List(Box::new(items.iter().map(Self::of).fold(Self::Nothing, Self::and))),
            Value::Object(fields) => {
                let mut shape = Shape::default();
                shape.see(fields);
                Self::Object(shape)
            }
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, form) | (form, Self::Nothing) => form,
            (Self::Bool, Self::Bool) => Self::Bool,
            (Self::Int, Self::Int) => Self::Int,
            (Self::Int | Self::LongInt, Self::Int | Self::LongInt) => Self::LongInt,
            (Self::Int | Self::Float, Self::Int | Self::Float) => Self::Float,
            (Self::Text, Self::Text) => Self::Text,
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.and(*other))),
            (Self::Object(one), Self::Object(other)) => Self::Object(one.and(other)),
            _ => Self::Any,
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int | Self::LongInt => Type::Int,
            Self::Float => Type::Float,
            Self::Text => Type::Text,
            Self::List(inner) => Type::List(Box::new(inner.ty())),
            Self::Object(shape) if !shape.fields.is_empty() => Type::Struct(shape.fields()),
            // Never seen with a value: whatever comes is kept as it is.
            Self::Nothing | Self::Object(_) | Self::Any => Type::Json,
        }
    }
}
