//! JSON: lines, arrays, documents.
//!
//! Lines and outermost arrays are read value by value. A document with a record path is read as a whole, up to a
//! size. Types are those of a sample unless declared; what comes later and is of another type is a reject, as is a line
//! that is no JSON.

mod rows;
mod shape;
mod values;

use crate::connector::{About, Ask, Format, Problems, count, word};
use crate::{extract, open, paths};
use shape::Shape;
use std::path::PathBuf;
use towpath_connector::{Described, Problem, Result, Setting, Settings, Source};
use towpath_spec::{Field, Schema, Type};
use values::{Form, Values};

/// The format.
pub(crate) struct Json;

/// Settings of a source.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    form: Option<Form>,
    /// Where in a document the records are.
    records: Option<String>,
    sample_rows: usize,
}

/// What is known of the files from their heads.
pub(crate) struct Known {
    options: Options,
    files: Vec<PathBuf>,
    schema: Schema,
}

impl Format for Json {
    fn about(&self) -> About {
        About {
            name: "json",
            doc: "JSON lines, arrays of objects, or documents with records somewhere inside. Types are guessed from a \
                  sample unless `columns` declares them: whole and other numbers together are float (json where a float would lose digits), objects struct, \
                  arrays list, and what is now this, now that is json.",
            source: vec![
                Setting::new("format", Type::Text, "`lines`: a value a line; `array`: one array or document.")
                    .default("auto")
                    .one_of(&["auto", "lines", "array"]),
                Setting::new(
                    "records",
                    Type::Text,
                    "JSONPath (RFC 9535) of the records in a document, e.g. `$.data.items[*]`. The document is read as \
                     a whole then, up to 512 MB.",
                ),
                Setting::new("sample_rows", Type::Int, "Records the types are guessed from.").default(1000),
            ],
            sink: Some(vec![
                Setting::new("format", Type::Text, "`lines`: an object a line; `array`: one array.")
                    .default("lines")
                    .one_of(&["lines", "array"]),
            ]),
        }
    }

    fn check(&self, settings: &Settings) -> std::result::Result<(), Problems> {
        Options::read(settings).map(|_| ())
    }

    fn describe(&self, ask: &Ask<'_>) -> std::result::Result<Described, Problems> {
        Ok(Described { schema: Some(Known::find(ask)?.schema), warnings: Vec::new() })
    }

    fn source(&self, ask: Ask<'_>) -> Result<Source> {
        let known = Known::find(&ask).map_err(|problems| paths::error(&problems))?;
        Ok(extract::source(known.schema.clone(), move |batches| rows::read(&known, batches)))
    }
}

impl Options {
    fn read(settings: &Settings) -> std::result::Result<Self, Problems> {
        let form = word(settings, "format", &["auto", "lines", "array"]).map_err(|problem| vec![problem])?;
        let records = settings.text("records").filter(|path| path != "$[*]");
        if let Some(Err(error)) = records.as_deref().map(jsonpath_rust::parser::parse_json_path) {
            let problem = Problem::with("records", format!("`records` is no valid JSONPath: {error}"));
            return Err(vec![problem.help("for example `$.data.items[*]`")]);
        }
        if records.is_some() && form.as_deref() == Some("lines") {
            let problem = Problem::with("records", "`records` is for documents, but `format` is `lines`");
            return Err(vec![problem.help("leave one of the two out")]);
        }
        Ok(Self {
            form: form.and_then(|word| match word.as_str() {
                "lines" => Some(Form::Lines),
                "array" => Some(Form::Document),
                _ => None,
            }),
            records,
            sample_rows: count(settings, "sample_rows", 1000).map_err(|problem| vec![problem])?,
        })
    }
}

impl Known {
    fn find(ask: &Ask<'_>) -> std::result::Result<Self, Problems> {
        let options = Options::read(&ask.settings)?;
        let mut shape = Shape::default();
        let mut left = options.sample_rows;
        for file in &ask.files {
            if left == 0 {
                break;
            }
            // What is wrong with a value is said when it is read; here only the file itself counts.
            let sampled = open::open(file).and_then(|_| {
                let each = |value: values::Found| {
                    if let Ok(serde_json::Value::Object(record)) = value.value {
                        shape.see(&record);
                    }
                    left -= 1;
                    left > 0
                };
                Values { file, options: &options }.each(each)
            });
            if let Err(error) = sampled {
                return Err(vec![Problem { setting: Some("path".into()), message: error.message, help: error.help }]);
            }
        }
        let mut schema = shape.schema();
        for field in ask.columns {
            schema.set(field.clone());
        }
        if schema.fields.is_empty() {
            let message = format!("there is no record in {}", shown(&ask.files));
            return Err(vec![Problem::with("path", message).help("declare its `columns:` if it may be empty")]);
        }
        Ok(Self { options, files: ask.files.clone(), schema })
    }
}

fn shown(files: &[PathBuf]) -> String {
    match files {
        [one] => one.display().to_string(),
        many => format!("any of {} files", many.len()),
    }
}

/// A field is there in the schema, by name.
fn has(schema: &Schema, name: &str) -> bool {
    schema.fields.iter().any(|field: &Field| field.name == name)
}
