//! Reading a table or a query, in one snapshot.

use super::{failed, open_to_read, quoted, types};
use polars::prelude::{Column, DataFrame};
use rusqlite::{Connection, Statement};
use std::path::Path;
use towpath_connector::{Chunk, Error, Problem, RejectedRow, Result, Settings, Source, SourceAsk};
use towpath_files::threads;
use towpath_mapping::{Value, values_to_series};
use towpath_spec::{Field, Schema, Type};

/// Rows of a batch.
const BATCH: usize = 20_000;

/// Rows that are looked at where no declaration says what a column holds.
const SAMPLE: usize = 1_000;

/// What a source reads.
pub(crate) enum Wanted {
    Table(String),
    Query(String),
}

impl Wanted {
    /// Reads the settings of a source.
    pub(crate) fn read(settings: &Settings) -> std::result::Result<Self, Vec<Problem>> {
        let text = |name: &str| settings.text(name).filter(|text| !text.trim().is_empty());
        match (text("table"), text("query")) {
            (Some(table), None) => Ok(Self::Table(table)),
            (None, Some(query)) => Ok(Self::Query(query)),
            (Some(_), Some(_)) => Err(vec![
                Problem::with("query", "`table` and `query` both say what is read").help("take one of them away"),
            ]),
            (None, None) => Err(vec![Problem {
                setting: None,
                message: "there is neither `table` nor `query`".to_owned(),
                help: Some("write `table: NAME` or `query: SELECT …`".to_owned()),
            }]),
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Table(table) => format!("SELECT * FROM {}", quoted(table)),
            Self::Query(query) => query.clone(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Table(table) => format!("table `{table}`"),
            Self::Query(_) => "the query".to_owned(),
        }
    }
}

/// Columns a pipeline declares, when it declares any.
pub(crate) fn declared(columns: &[Field]) -> Option<Schema> {
    (!columns.is_empty()).then(|| Schema::new(columns.to_vec()))
}

/// The columns of what is read.
pub(crate) fn describe(path: &Path, ask: &SourceAsk<'_>) -> Result<Schema> {
    let wanted = Wanted::read(ask.settings).map_err(|problems| first(&problems))?;
    let connection = open_to_read(path)?;
    let mut statement = prepare(&connection, &wanted)?;
    columns(&mut statement, &wanted, ask.columns)
}

fn first(problems: &[Problem]) -> Error {
    let problem = problems.first().cloned();
    problem.map_or_else(
        || Error::bug("no problem"),
        |problem| match problem.help {
            Some(help) => Error::user(problem.message).help(help),
            None => Error::user(problem.message),
        },
    )
}

fn prepare<'c>(connection: &'c Connection, wanted: &Wanted) -> Result<Statement<'c>> {
    let statement = connection.prepare(&wanted.sql()).map_err(|error| {
        let error = failed(wanted.shown(), &error);
        match wanted {
            Wanted::Table(name) => match tables(connection, name) {
                Some(help) => error.help(help),
                None => error,
            },
            Wanted::Query(_) => error.help("check `query` of the source"),
        }
    })?;
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(Error::user(format!("{} does not give rows", wanted.shown())).help("write a SELECT"));
    }
    Ok(statement)
}

/// Which table may have been meant.
fn tables(connection: &Connection, name: &str) -> Option<String> {
    let mut list = connection.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").ok()?;
    let names: Vec<String> = list.query_map([], |row| row.get(0)).ok()?.flatten().collect();
    towpath_spec::diagnostic::did_you_mean(name, names.iter().map(String::as_str))
}

/// Names and types: as the pipeline declares them, as the table does, or as the first rows have them.
fn columns(statement: &mut Statement<'_>, wanted: &Wanted, asked: &[Field]) -> Result<Schema> {
    let found: Vec<(String, Option<Type>)> = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.decl_type().and_then(types::of_declared)))
        .collect();
    if let Some(twice) =
        found.iter().enumerate().find(|(at, (name, _))| found[..*at].iter().any(|(one, _)| one == name))
    {
        let message = format!("{} gives column `{}` twice", wanted.shown(), twice.1.0);
        return Err(Error::user(message).help("give one of them another name with AS"));
    }
    if let Some(missing) = asked.iter().find(|field| !found.iter().any(|(name, _)| *name == field.name)) {
        let message = format!("`{}` is declared, but is no column of {}", missing.name, wanted.shown());
        let names = found.iter().map(|(name, _)| name.as_str());
        let error = Error::user(message);
        return Err(match towpath_spec::diagnostic::did_you_mean(&missing.name, names) {
            Some(help) => error.help(help),
            None => error,
        });
    }
    let unknown = found.iter().any(|(name, ty)| ty.is_none() && !asked.iter().any(|field| field.name == *name));
    let sampled = if unknown { sample(statement, found.len())? } else { vec![None; found.len()] };
    let fields = found.into_iter().zip(sampled).map(|((name, ty), sampled)| {
        let asked = asked.iter().find(|field| field.name == name).map(|field| field.ty.clone());
        Field::new(name, asked.or(ty).or(sampled).unwrap_or(Type::Text))
    });
    Ok(Schema::new(fields.collect()))
}

/// The types of the first rows; numbers of both kinds are floats, anything else of two kinds is text.
fn sample(statement: &mut Statement<'_>, width: usize) -> Result<Vec<Option<Type>>> {
    let mut types: Vec<Option<Type>> = vec![None; width];
    let wrong = |error: rusqlite::Error| failed("the first rows", &error);
    let mut rows = statement.query([]).map_err(wrong)?;
    for _ in 0..SAMPLE {
        let Some(row) = rows.next().map_err(wrong)? else { break };
        for (at, ty) in types.iter_mut().enumerate() {
            let Some(found) = types::type_of(row.get_ref(at).map_err(wrong)?) else { continue };
            *ty = Some(match ty.take() {
                None => found,
                Some(known) if known == found => known,
                Some(Type::Int | Type::Float) if matches!(found, Type::Int | Type::Float) => Type::Float,
                Some(_) => Type::Text,
            });
        }
    }
    Ok(types)
}

/// The rows of a table or a query, read by a thread of their own.
pub(crate) fn source(path: &Path, ask: &SourceAsk<'_>) -> Result<Source> {
    let wanted = Wanted::read(ask.settings).map_err(|problems| first(&problems))?;
    let schema = describe(path, ask)?;
    let (path, columns) = (path.to_owned(), schema.clone());
    Ok(threads::source(schema, move |batches| {
        let connection = open_to_read(&path)?;
        let mut statement = prepare(&connection, &wanted)?;
        let at: Vec<usize> = columns
            .fields
            .iter()
            .map(|field| statement.column_index(&field.name))
            .collect::<rusqlite::Result<_>>()
            .map_err(|error| failed(wanted.shown(), &error).help("the table changed while it was looked at"))?;
        // One statement is one snapshot: what others write meanwhile is not seen.
        let mut rows = statement.query([]).map_err(|error| failed(wanted.shown(), &error))?;
        loop {
            let (chunk, ended) = batch(&mut rows, &columns, &at).map_err(|error| error.at(wanted.shown()))?;
            if !batches.send(chunk) || ended {
                return Ok(());
            }
        }
    }))
}

fn batch(rows: &mut rusqlite::Rows<'_>, columns: &Schema, at: &[usize]) -> Result<(Chunk, bool)> {
    let mut values: Vec<Vec<Value>> = columns.fields.iter().map(|_| Vec::new()).collect();
    let mut rejects = Vec::new();
    let (mut height, mut ended) = (0, false);
    while height < BATCH {
        let Some(row) = rows.next().map_err(|error| failed("reading", &error))? else {
            ended = true;
            break;
        };
        match cells(row, columns, at) {
            Ok(cells) => {
                values.iter_mut().zip(cells).for_each(|(column, value)| column.push(value));
                height += 1;
            }
            Err(reject) => rejects.push(*reject),
        }
    }
    let series: Vec<Column> = columns
        .fields
        .iter()
        .zip(&values)
        .map(|(field, values)| values_to_series(&field.name, &field.ty, values).map(Column::from))
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::bug)?;
    Ok((Chunk { frame: DataFrame::new(height, series)?, rejects, position: None }, ended))
}

fn cells(row: &rusqlite::Row<'_>, columns: &Schema, at: &[usize]) -> std::result::Result<Vec<Value>, Box<RejectedRow>> {
    let stored = |at: usize| row.get_ref(at).unwrap_or(rusqlite::types::ValueRef::Null);
    let converted = columns.fields.iter().zip(at).map(|(field, at)| (field, types::value(stored(*at), &field.ty)));
    let mut cells = Vec::with_capacity(at.len());
    for (field, value) in converted {
        match value {
            Ok(value) => cells.push(value),
            Err(reason) => {
                let plain = |at: usize| types::type_of(stored(at)).and_then(|ty| types::value(stored(at), &ty).ok());
                let json = |at: usize| plain(at).map_or(serde_json::Value::Null, |value| value.to_json());
                let whole = columns.fields.iter().zip(at).map(|(field, at)| (field.name.clone(), json(*at)));
                let place = columns.fields.iter().position(|one| one.name == field.name).unwrap_or_default();
                return Err(Box::new(RejectedRow {
                    value: Some(json(at[place])),
                    row: whole.collect(),
                    field: Some(field.name.clone()),
                    reason,
                }));
            }
        }
    }
    Ok(cells)
}
