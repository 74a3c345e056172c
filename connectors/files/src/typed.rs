//! Text as the types it is to have; rows that do not fit are put aside with the reason.

use polars::prelude::DataFrame;
use towpath_connector::{Chunk, Error, RejectedRow, Result};
use towpath_mapping::{Computed, Constants, FrameRows, compile_cast, evaluate, schema_to_polars};
use towpath_spec::{Field, Schema, Type};

/// Converts frames of text columns (or lists of text).
pub(crate) struct Converter {
    /// The columns as they come.
    raw: Schema,
    /// The columns as they leave.
    typed: polars::prelude::Schema,
    /// Conversions, and the places of their columns.
    casts: Vec<Computed>,
    places: Vec<usize>,
    constants: Constants,
}

impl Converter {
    /// To the types of a schema, from columns of the same names.
    ///
    /// # Errors
    /// A type nothing written as text can have.
    pub(crate) fn new(schema: &Schema, is_list: impl Fn(usize) -> bool) -> Result<Self> {
        let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
        let (mut raw, mut casts, mut places) = (Schema::default(), Vec::new(), Vec::new());
        for (at, field) in schema.fields.iter().enumerate() {
            let from = if is_list(at) { Type::List(Box::new(Type::Text)) } else { Type::Text };
            if field.ty != from {
                let cast = compile_cast(&field.name, &from, &field.ty).map_err(Error::user)?;
                casts.push(Computed::new(&field.name, &cast, &constants));
                places.push(at);
            }
            raw.fields.push(Field::new(&field.name, from));
        }
        Ok(Self { raw, typed: schema_to_polars(schema), casts, places, constants })
    }

    /// The rows that fit, and the others with the reason. The frame's columns are those of the schema, in its order.
    ///
    /// # Errors
    /// The columns are not those of the schema, which is a bug.
    pub(crate) fn convert(&self, frame: DataFrame) -> Result<Chunk> {
        let height = frame.height();
        if height == 0 {
            return Ok(Chunk { frame: DataFrame::empty_with_schema(&self.typed), ..Chunk::default() });
        }
        let evaluated = evaluate(&frame, &self.casts)?;
        let mut rejects = Vec::new();
        if evaluated.has_failures() {
            let rows = FrameRows::new(&frame, &self.raw).map_err(Error::bug)?;
            for (at, cast) in evaluated.failures() {
                let (row, cast) = (rows.row(at), &self.casts[cast]);
                let reason = cast.value.interpret(&row, &self.constants).err();
                let reason = reason.ok_or_else(|| Error::bug("a row was rejected for no reason"))?.message;
                let (row, field) = (row.to_json(), cast.name.clone());
                rejects.push(RejectedRow { value: row.get(&field).cloned(), row, field: Some(field), reason });
            }
        }
        let passed = evaluated.passed();
        let mut columns = frame.into_columns();
        for (place, value) in self.places.iter().zip(evaluated.values) {
            columns[*place] = value;
        }
        let converted = DataFrame::new(height, columns)?;
        let frame = match passed {
            Some(passed) => converted.filter(&passed)?,
            None => converted,
        };
        Ok(Chunk { frame, rejects, position: None })
    }
}
