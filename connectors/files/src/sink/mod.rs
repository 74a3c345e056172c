//! Writing files: aside first, under the real name when all is well.

mod frames;
mod json;
mod place;
mod row_groups;

use crate::connector::{Problems, count, merged, path, texts, word};
use crate::csv::byte;
use crate::paths;
use frames::{CsvForm, Frames};
use place::Place;
use towpath_connector::{Problem, Result, Sink, SinkAsk};
use towpath_spec::{Field, Schema, Type};

/// What a sink was told.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    path: String,
    form: Form,
    partition_by: Vec<String>,
    max_rows: u32,
}

#[derive(Debug, Clone)]
enum Form {
    Csv(CsvForm),
    Parquet(String),
    Json { array: bool },
}

/// Checks a sink without touching anything.
pub(crate) fn check(format: &str, ask: &SinkAsk<'_>) -> std::result::Result<(), Problems> {
    if merged(ask.settings, ask.connection).get("path").is_none() {
        // It may come from the environment; without it the rest is checked.
        let mut settings = ask.settings.clone();
        settings.set("path", "unknown");
        return check(format, &SinkAsk { settings: &settings, ..ask.clone() });
    }
    let options = Options::read(format, ask)?;
    let problems = ask.schema.map(|schema| options.problems(schema)).unwrap_or_default();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// A sink that has touched nothing yet.
pub(crate) fn open(format: &str, ask: &SinkAsk<'_>) -> Result<Sink> {
    let options = Options::read(format, ask).map_err(|problems| paths::error(&problems))?;
    let folder = !options.partition_by.is_empty() || options.max_rows > 0;
    let place = Place::new(&ask.base.join(&options.path), folder)?;
    Ok(Sink::File(match options.form {
        Form::Json { array } => Box::new(json::Lines::new(place, array)),
        Form::Csv(_) | Form::Parquet(_) => Box::new(Frames::new(place, options)),
    }))
}

impl Options {
    fn read(format: &str, ask: &SinkAsk<'_>) -> std::result::Result<Self, Problems> {
        let settings = merged(ask.settings, ask.connection);
        let mut problems = Vec::new();
        let mut keep = |problem: Problem| problems.push(problem);
        let path = path(&settings).map_err(&mut keep).unwrap_or_default();
        if path.ends_with('/') && settings.get("partition_by").is_none() && settings.get("max_rows_per_file").is_none()
        {
            keep(Problem::with("path", format!("`{path}` is a folder, expected a file")));
        }
        let form = match format {
            "csv" => {
                let delimiter = byte(&settings, "delimiter", b',').map_err(&mut keep).unwrap_or(b',');
                Form::Csv(CsvForm {
                    delimiter,
                    header: settings.bool("header").unwrap_or(true),
                    null: settings.text("null_value").unwrap_or_default(),
                    escape_formulas: settings.bool("escape_formulas").unwrap_or(false),
                })
            }
            "json" => {
                let word = word(&settings, "format", &["lines", "array"]).map_err(&mut keep).ok().flatten();
                Form::Json { array: word.is_some_and(|word| word == "array") }
            }
            _ => {
                let words = ["zstd", "lz4", "snappy", "none"];
                let word = word(&settings, "compression", &words).map_err(&mut keep).ok().flatten();
                Form::Parquet(word.unwrap_or_else(|| "zstd".into()))
            }
        };
        let options = Self {
            path,
            form,
            partition_by: texts(&settings, "partition_by").map_err(&mut keep).unwrap_or_default(),
            max_rows: count(&settings, "max_rows_per_file", 0)
                .and_then(|rows| {
                    let problem = |_| Problem::with("max_rows_per_file", "`max_rows_per_file` is beyond 4 billion");
                    u32::try_from(rows).map_err(problem)
                })
                .map_err(&mut keep)
                .unwrap_or_default(),
        };
        for name in &options.partition_by {
            if name.contains(['/', '\\', '=', '\0']) {
                keep(
                    Problem::with("partition_by", format!("column `{name}` cannot be the name of a folder"))
                        .help("rename it in a step before"),
                );
            }
        }
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    /// Columns that cannot be written.
    fn problems(&self, schema: &Schema) -> Problems {
        let mut problems = Vec::new();
        for name in &self.partition_by {
            match schema.get(name) {
                None => problems.push(Problem {
                    setting: Some("partition_by".into()),
                    message: format!("there is no column `{name}` to partition by"),
                    help: towpath_spec::diagnostic::did_you_mean(name, schema.names()),
                }),
                Some(Field { ty: ty @ (Type::List(_) | Type::Struct(_) | Type::Binary), .. }) => problems.push(
                    Problem::with("partition_by", format!("column `{name}` is {ty}, which cannot name a folder")),
                ),
                Some(_) => {}
            }
        }
        if matches!(self.form, Form::Csv(_)) {
            problems.extend(schema.fields.iter().filter_map(no_csv));
        }
        problems
    }
}

/// What CSV has no place for.
fn no_csv(field: &Field) -> Option<Problem> {
    let how = match &field.ty {
        Type::List(_) | Type::Struct(_) => "tojson",
        Type::Binary => "base64_encode",
        _ => return None,
    };
    let name = &field.name;
    let message = format!("column `{name}` is {}, which CSV has no form for", field.ty);
    let problem = Problem { setting: None, message, help: None };
    Some(problem.help(format!("make it text with `set: {{{name}: \"{{{{ {name} | {how} }}}}\"}}`, or drop it")))
}
