//! Parquet files, scanned by Polars; names and types are in the files.

use crate::connector::{About, Ask, Format, Problems};
use crate::paths;
use polars::prelude::{LazyFrame, ScanArgsParquet, UnionArgs, col, concat};
use std::path::Path;
use towpath_connector::{Described, Error, Problem, Result, Scan, Setting, Settings, Source};
use towpath_mapping::{schema_from_polars, schema_to_polars};
use towpath_spec::{Field, Schema, Type};

/// The format.
pub(crate) struct Parquet;

impl Format for Parquet {
    fn about(&self) -> About {
        About {
            name: "parquet",
            doc: "Parquet files. Names and types are in the files; smaller numbers are widened to int and float.",
            source: Vec::new(),
            sink: Some(vec![
                Setting::new("compression", Type::Text, "How the data in the file is compressed.")
                    .default("zstd")
                    .one_of(&["zstd", "lz4", "snappy", "none"]),
                crate::connector::partition_by(),
                crate::connector::max_rows(),
            ]),
        }
    }

    fn check(&self, _: &Settings) -> std::result::Result<(), Problems> {
        Ok(())
    }

    fn describe(&self, ask: &Ask<'_>) -> std::result::Result<Described, Problems> {
        let (_, schema) = scan(ask).map_err(|error| {
            vec![Problem { setting: Some("path".into()), message: error.message, help: error.help }]
        })?;
        declared(&schema, ask.columns)?;
        Ok(Described { schema: Some(schema), warnings: Vec::new() })
    }

    fn source(&self, ask: Ask<'_>) -> Result<Source> {
        let (frame, schema) = scan(&ask)?;
        declared(&schema, ask.columns).map_err(|problems| paths::error(&problems))?;
        Ok(Source::Scan(Box::new(Scan {
            frame,
            raw: schema.clone(),
            schema,
            bytes: paths::size(&ask.files),
            check: None,
        })))
    }
}

/// Declared columns must be there, with the type they have.
fn declared(schema: &Schema, columns: &[Field]) -> std::result::Result<(), Problems> {
    let problem = |field: &Field| match schema.get(&field.name) {
        Some(found) if found.ty == field.ty => None,
        Some(found) => Some(Problem {
            setting: Some("columns".into()),
            message: format!("column `{}` is declared {}, but is {} in the file", field.name, field.ty, found.ty),
            help: Some("leave the declaration out and use the step `cast`".into()),
        }),
        None => Some(Problem {
            setting: Some("columns".into()),
            message: format!("`{}` is declared, but is no column of the file", field.name),
            help: towpath_spec::diagnostic::did_you_mean(&field.name, schema.names()),
        }),
    };
    let problems: Vec<Problem> = columns.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// All files, and what they have in common, which must be everything but the order of columns.
fn scan(ask: &Ask<'_>) -> Result<(LazyFrame, Schema)> {
    let mut frames = Vec::with_capacity(ask.files.len());
    let mut first: Option<(&Path, Schema)> = None;
    for file in &ask.files {
        let (frame, schema) = one(file)?;
        match &first {
            None => first = Some((file, schema)),
            Some((other, expected)) => agree(other, expected, file, &schema)?,
        }
        frames.push(frame);
    }
    let Some((_, schema)) = first else {
        return Err(Error::bug("no files"));
    };
    let names: Vec<_> = schema.names().map(col).collect();
    let frames: Vec<_> = frames.into_iter().map(|frame| frame.select(names.clone())).collect();
    let frame = match <[LazyFrame; 1]>::try_from(frames) {
        Ok([one]) => one,
        Err(many) => concat(many, UnionArgs::default())?,
    };
    Ok((frame, schema))
}

fn one(file: &Path) -> Result<(LazyFrame, Schema)> {
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    let broken = |error: polars::error::PolarsError| match Error::from(error) {
        error if error.fault == towpath_connector::Fault::Data => {
            let message = format!("{} is no whole Parquet file: {}", file.display(), error.message);
            Error::data(message).help("check how it was written, and whether it is whole")
        }
        error => error.at(file.display()),
    };
    let mut frame = LazyFrame::scan_parquet(paths::for_polars(file)?, args).map_err(broken)?;
    let found = frame.collect_schema().map_err(broken)?;
    let schema = schema_from_polars(&found);
    let ours = schema_to_polars(&schema);
    if *found == ours {
        return Ok((frame, schema));
    }
    let cast = ours.iter().map(|(name, dtype)| col(name.clone()).strict_cast(dtype.clone()));
    Ok((frame.select(cast.collect::<Vec<_>>()), schema))
}

fn agree(first: &Path, expected: &Schema, file: &Path, schema: &Schema) -> Result<()> {
    let (first, file) = (first.display(), file.display());
    let help = "read files of different columns as sources of their own and put them together with `union`";
    for field in &expected.fields {
        match schema.get(&field.name) {
            Some(found) if found.ty == field.ty => {}
            Some(found) => {
                let message = format!("column `{}` is {} in {file}, but {} in {first}", field.name, found.ty, field.ty);
                return Err(Error::user(message).help(help));
            }
            None => {
                return Err(Error::user(format!("{file} has no column `{}`, but {first} has", field.name)).help(help));
            }
        }
    }
    match schema.names().find(|name| expected.get(name).is_none()) {
        Some(name) => Err(Error::user(format!("{file} has a column `{name}`, but {first} has not")).help(help)),
        None => Ok(()),
    }
}
