//! CSV and Parquet, written by Polars.

use super::place::Place;
use super::row_groups::RowGroups;
use super::{Form, Options};
use crate::open::Compression;
use crate::paths;
use polars::prelude::sync_on_close::SyncOnCloseType;
use polars::prelude::{
    CsvWriterOptions, Expr, ExternalCompression, FileWriteFormat, LazyFrame, ParquetCompression, ParquetWriteOptions,
    PartitionStrategy, SerializeOptions, SinkDestination, SinkTarget, UnifiedSinkArgs, col, lit, when,
};
use std::sync::Arc;
use towpath_connector::{BatchWriter, Error, FileSink, Result, Written};
use towpath_mapping::{Constants, compile_cast};
use towpath_spec::{Schema, Type};

/// Rows of a group in a Parquet file: what a reader must hold at once of each column.
const ROW_GROUP: usize = 100_000;

/// How CSV is written.
#[derive(Debug, Clone)]
pub(super) struct CsvForm {
    pub(super) delimiter: u8,
    pub(super) header: bool,
    pub(super) null: String,
    pub(super) escape_formulas: bool,
}

/// The sink.
pub(super) struct Frames {
    place: Place,
    options: Options,
}

impl Frames {
    pub(super) fn new(place: Place, options: Options) -> Self {
        Self { place, options }
    }

    fn compression(&self) -> ParquetCompression {
        match &self.options.form {
            Form::Parquet(word) if word == "lz4" => ParquetCompression::Lz4Raw,
            Form::Parquet(word) if word == "snappy" => ParquetCompression::Snappy,
            Form::Parquet(word) if word == "none" => ParquetCompression::Uncompressed,
            _ => ParquetCompression::Zstd(None),
        }
    }

    fn is_folder(&self) -> bool {
        !self.options.partition_by.is_empty() || self.options.max_rows > 0
    }

    /// Says what cannot be written.
    fn check(&self, schema: &Schema) -> Result<()> {
        let Some(problem) = self.options.problems(schema).into_iter().next() else { return Ok(()) };
        let error = Error::user(problem.message);
        Err(match problem.help {
            Some(help) => error.help(help),
            None => error,
        })
    }

    fn form(&self) -> FileWriteFormat {
        match &self.options.form {
            Form::Csv(form) => FileWriteFormat::Csv(CsvWriterOptions {
                include_header: form.header,
                check_extension: false,
                compression: match Compression::by_name(self.place.target()) {
                    Compression::None => ExternalCompression::Uncompressed,
                    Compression::Gzip => ExternalCompression::Gzip { level: None },
                    Compression::Zstd => ExternalCompression::Zstd { level: None },
                },
                serialize_options: Arc::new(SerializeOptions {
                    separator: form.delimiter,
                    null: form.null.as_str().into(),
                    ..SerializeOptions::default()
                }),
                ..CsvWriterOptions::default()
            }),
            Form::Parquet(_) | Form::Json { .. } => FileWriteFormat::Parquet(Arc::new(ParquetWriteOptions {
                compression: self.compression(),
                row_group_size: Some(ROW_GROUP),
                ..ParquetWriteOptions::default()
            })),
        }
    }

    fn destination(&mut self) -> Result<SinkDestination> {
        let folder = self.is_folder();
        let path = paths::for_polars(self.place.prepare()?)?;
        if !folder {
            return Ok(SinkDestination::File { target: SinkTarget::Path(path) });
        }
        let keys: Vec<_> = self.options.partition_by.iter().map(|name| col(name.as_str())).collect();
        let partition_strategy = if keys.is_empty() {
            PartitionStrategy::FileSize
        } else {
            PartitionStrategy::Keyed { keys, include_keys: true, keys_pre_grouped: false }
        };
        Ok(SinkDestination::Partitioned {
            base_path: path,
            file_path_provider: None,
            partition_strategy,
            max_rows_per_file: self.options.max_rows,
            approximate_bytes_per_file: 0,
        })
    }
}

impl FileSink for Frames {
    fn plan(&mut self, input: LazyFrame, schema: &Schema) -> Result<LazyFrame> {
        self.check(schema)?;
        let input = match &self.options.form {
            Form::Csv(form) => as_csv(input, schema, form, &self.options.partition_by)?,
            Form::Parquet(_) | Form::Json { .. } => input,
        };
        let args = UnifiedSinkArgs { mkdir: true, sync_on_close: SyncOnCloseType::Data, ..UnifiedSinkArgs::default() };
        let destination = self.destination()?;
        Ok(input.sink(destination, self.form(), args)?)
    }

    fn batches(&mut self, schema: &Schema) -> Result<Option<Box<dyn BatchWriter>>> {
        if self.is_folder() || !matches!(self.options.form, Form::Parquet(_)) {
            return Ok(None);
        }
        self.check(schema)?;
        let compression = self.compression();
        Ok(Some(Box::new(RowGroups::new(self.place.prepare()?, compression, schema)?)))
    }

    fn commit(&mut self) -> Result<Vec<Written>> {
        self.place.commit()
    }

    fn abort(&mut self) {
        self.place.abort();
    }
}

/// What makes a spreadsheet take a cell for a formula, or look for one behind it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Times as ISO 8601 and, if wanted, texts that are no formulas, those of the header among them. Numbers stay numbers.
fn as_csv(input: LazyFrame, schema: &Schema, form: &CsvForm, partition_by: &[String]) -> Result<LazyFrame> {
    // Converting to text asks for no constants; they must be there.
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let mut changed = Vec::new();
    for field in &schema.fields {
        let name = field.name.as_str();
        let text = match &field.ty {
            Type::DateTime { .. } | Type::Duration => {
                let text = compile_cast(name, &field.ty, &Type::Text).map_err(Error::bug)?;
                text.lower(&constants).value
            }
            Type::Text | Type::Json if form.escape_formulas => col(name),
            _ => continue,
        };
        changed.push(if form.escape_formulas { no_formula(text) } else { text }.alias(name));
    }
    let input = if changed.is_empty() { input } else { input.with_columns(changed) };
    // Columns that name folders have to keep their names.
    let names = schema.names().filter(|name| name.starts_with(FORMULA) && !partition_by.iter().any(|key| key == name));
    let names: Vec<&str> = names.filter(|_| form.escape_formulas && form.header).collect();
    if names.is_empty() {
        return Ok(input);
    }
    let safe: Vec<String> = names.iter().map(|name| format!("'{name}")).collect();
    Ok(input.rename(names, safe, true))
}

fn no_formula(text: Expr) -> Expr {
    let formula = text.clone().str().contains(lit("^[=+\\-@\t\r]"), true);
    when(formula).then(lit("'") + text.clone()).otherwise(text)
}
