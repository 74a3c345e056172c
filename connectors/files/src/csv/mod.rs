//! CSV, and whatever else has lines of fields.
//!
//! A plain UTF-8 file is scanned by Polars with many threads, every column as text; the run converts it to the types
//! of the schema and puts aside what does not fit. Polars itself takes short rows for nulls and, when it does not need
//! all columns, long rows for good ones, so the [shape] of each file is checked once when the scan begins. Files that
//! need more care than that (compressed, in another encoding, with empty lines, rows to be put aside) are [read](rows)
//! line by line.
//!
//! An empty field is null, `""` is empty text.

mod head;
mod options;
mod rows;
mod scan;
mod shape;

use crate::connector::{About, Ask, Format, Problems};
use crate::typed::Converter;
use crate::{extract, paths};
use head::Head;
use options::Options;
pub(crate) use options::byte;
use towpath_connector::{Described, Problem, Result, Settings, Source};
use towpath_spec::{Field, Schema};

/// The format.
pub(crate) struct Csv;

impl Format for Csv {
    fn about(&self) -> About {
        options::about()
    }

    fn check(&self, settings: &Settings) -> std::result::Result<(), Problems> {
        Options::read(settings).map(|_| ())
    }

    fn describe(&self, ask: &Ask<'_>) -> std::result::Result<Described, Problems> {
        let known = Known::find(ask)?;
        Ok(Described { schema: Some(known.schema), warnings: known.warnings })
    }

    fn source(&self, ask: Ask<'_>) -> Result<Source> {
        let known = Known::find(&ask).map_err(|problems| paths::error(&problems))?;
        if known.heads.iter().all(|head| head.plain) && !known.options.reject_ragged {
            return Ok(Source::Scan(Box::new(scan::scan(&known)?)));
        }
        let schema = known.schema.clone();
        let converter = Converter::new(&schema, |_| false)?;
        Ok(extract::source_of_text(schema, converter, move |batches| rows::read(&known, batches)))
    }
}

/// What is known of the files from their heads.
pub(crate) struct Known {
    pub(crate) options: Options,
    pub(crate) heads: Vec<Head>,
    pub(crate) schema: Schema,
    warnings: Vec<Problem>,
}

impl Known {
    fn find(ask: &Ask<'_>) -> std::result::Result<Self, Problems> {
        let options = Options::read(&ask.settings)?;
        let mut left = options.sample_rows;
        let mut heads = Vec::new();
        let mut problems = Vec::new();
        for file in &ask.files {
            match head::read(file, &options, left) {
                Ok(head) => {
                    left -= head.rows.min(left);
                    heads.push(head);
                }
                Err(error) => {
                    problems.push(Problem { setting: Some("path".into()), message: error.message, help: error.help })
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut warnings = Vec::new();
        let heads = head::agree(heads, ask.columns, &mut warnings).map_err(|problem| vec![problem])?;
        let delimiter = heads.first().and_then(|head| other_delimiter(head, &options));
        let hint = delimiter.as_ref().and_then(|warning| warning.help.clone());
        let schema = schema(&heads, ask.columns).map_err(|problems| match &hint {
            // That a column is missing follows from this.
            Some(hint) => problems.into_iter().map(|problem| problem.help(hint.clone())).collect(),
            None => problems,
        })?;
        warnings.extend(delimiter);
        Ok(Self { options, heads, schema, warnings })
    }
}

/// A first line that looks as if another character stood between its names.
fn other_delimiter(head: &Head, options: &Options) -> Option<Problem> {
    let [name] = head.names.as_slice() else { return None };
    let other = [';', '\t', '|', ','].into_iter().find(|other| name.contains(*other))?;
    let shown = if other == '\t' { "\\t".to_owned() } else { other.to_string() };
    let message = format!(
        "{} has a single column, `{}`: its fields are split at `{}`",
        head.path.display(),
        name.replace('\t', "\\t"),
        char::from(options.delimiter)
    );
    Some(
        Problem::with("path", message)
            .help(format!("set `delimiter: \"{shown}\"` if that is what stands between them")),
    )
}

/// Names of the first file, types as declared, else as the samples of all files have them.
fn schema(heads: &[Head], declared: &[Field]) -> std::result::Result<Schema, Problems> {
    let Some(first) = heads.first() else {
        return Ok(Schema::new(declared.to_vec()));
    };
    let names = || first.names.iter().map(String::as_str);
    let missing = declared.iter().filter(|field| !first.names.contains(&field.name));
    let problem = |field: &Field| Problem {
        setting: Some("columns".into()),
        message: format!("`{}` is declared, but is no column of {}", field.name, first.path.display()),
        help: towpath_spec::diagnostic::did_you_mean(&field.name, names()),
    };
    let problems: Vec<Problem> = missing.map(problem).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let field = |name: &String| {
        let declared = declared.iter().find(|field| field.name == *name);
        declared.cloned().unwrap_or_else(|| {
            let mut types = heads.iter().filter_map(|head| head.guess(name));
            let first = types.next().unwrap_or_default();
            Field::new(name, types.fold(first, |guess, other| guess.and(&other)).ty())
        })
    };
    Ok(Schema::new(first.names.iter().map(field).collect()))
}
