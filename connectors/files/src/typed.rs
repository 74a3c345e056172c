//! Text as the types it is to have; rows that do not fit are put aside with the reason.

use polars::prelude::{DataFrame, IntoLazy, col};
use towpath_connector::{Chunk, Error, RejectedRow, Result};
use towpath_mapping::{Compiled, Constants, FrameRows, compile_cast};
use towpath_spec::{Field, Schema, Type};

/// Converts frames of text columns (or lists of text).
pub(crate) struct Converter {
    /// The columns as they come.
    raw: Schema,
    casts: Vec<(String, Compiled)>,
    constants: Constants,
}

impl Converter {
    /// To the types of a schema, from columns of the same names.
    ///
    /// # Errors
    /// A type nothing written as text can have.
    pub(crate) fn new(schema: &Schema, is_list: impl Fn(usize) -> bool) -> Result<Self> {
        let mut raw = Schema::default();
        let mut casts = Vec::new();
        for (at, field) in schema.fields.iter().enumerate() {
            let from = if is_list(at) { Type::List(Box::new(Type::Text)) } else { Type::Text };
            if field.ty != from {
                let cast = compile_cast(&field.name, &from, &field.ty).map_err(Error::user)?;
                casts.push((field.name.clone(), cast));
            }
            raw.fields.push(Field::new(&field.name, from));
        }
        Ok(Self { raw, casts, constants: Constants::at(chrono::DateTime::UNIX_EPOCH) })
    }

    /// The rows that fit, and the others with the reason.
    ///
    /// # Errors
    /// The columns are not those of the schema, which is a bug.
    pub(crate) fn convert(&self, frame: DataFrame) -> Result<Chunk> {
        if self.casts.is_empty() || frame.height() == 0 {
            return Ok(Chunk { frame: self.lower(frame)?.0, ..Chunk::default() });
        }
        let (converted, failed) = self.lower(frame.clone())?;
        let mut rejects = Vec::new();
        let mut keep = vec![true; frame.height()];
        if failed.iter().any(|mask| mask.any()) {
            let rows = FrameRows::new(&frame, &self.raw).map_err(Error::bug)?;
            for (at, keep) in keep.iter_mut().enumerate() {
                if !failed.iter().any(|mask| mask.get(at) == Some(true)) {
                    continue;
                }
                *keep = false;
                let row = rows.row(at);
                let reason = self.casts.iter().find_map(|(name, cast)| {
                    cast.interpret(&row, &self.constants).err().map(|reason| (name.clone(), reason.message))
                });
                let (field, reason) = reason.ok_or_else(|| Error::bug("a row was rejected for no reason"))?;
                let row = row.to_json();
                rejects.push(RejectedRow { value: row.get(&field).cloned(), row, field: Some(field), reason });
            }
        }
        let frame = if rejects.is_empty() { converted } else { converted.filter(&keep.into_iter().collect())? };
        Ok(Chunk { frame, rejects, position: None })
    }

    /// The frame in the new types, and where each conversion failed.
    fn lower(&self, frame: DataFrame) -> Result<(DataFrame, Vec<polars::prelude::BooleanChunked>)> {
        let (mut values, mut failed) = (Vec::new(), Vec::new());
        for (at, (name, cast)) in self.casts.iter().enumerate() {
            let lowered = cast.lower(&self.constants);
            values.push(lowered.value.alias(name.as_str()));
            failed.extend(lowered.failed.map(|failed| failed.alias(format!("\u{0}failed {at}"))));
        }
        let names: Vec<_> = self.raw.names().map(col).collect();
        let marks = failed.len();
        let mut all = frame.lazy().with_columns(values.into_iter().chain(failed).collect::<Vec<_>>()).collect()?;
        let columns = all.columns();
        let masks = columns[columns.len() - marks..].iter().map(|mask| Ok(mask.bool()?.clone()));
        let masks = masks.collect::<Result<_>>()?;
        all = all.lazy().select(names).collect()?;
        Ok((all, masks))
    }
}
