//! XML files through the [record selector](crate::xml).

use crate::connector::{About, Ask, Format, Problems, count};
use crate::extract::BATCH_BYTES;
use crate::infer::Guess;
use crate::typed::Converter;
use crate::xml::{Limits, Records, Selector, XmlErrorKind};
use crate::{extract, open, paths};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use towpath_connector::{Chunk, Described, Error, Problem, Result, Setting, Settings, Source};
use towpath_spec::{Field, Schema, Type};

/// The format.
pub(crate) struct Xml;

/// Records of a batch: few enough for the memory of one to be taken again for the next.
const ROWS: usize = 16_384;

/// How far into the first file types are guessed from, in bytes.
const SAMPLE_BYTES: u64 = 8 << 20;

impl Format for Xml {
    fn about(&self) -> About {
        About {
            name: "xml",
            doc: "XML of any size, read once from front to back. Names count by their local part; elements nobody asked \
                  for are ignored; entities of a DTD are never expanded. An element without text is null. A record \
                  inside a record is a row of its own and comes before the one around it.",
            source: vec![
                Setting::new("records", Type::Text, "Which elements are records: `/root/a/b`, or `//b` at any depth.")
                    .required(),
                Setting::new(
                    "fields",
                    Type::Json,
                    "For each column where its value is, from the record: `a/b`, `@id`, `a/@id`, `.` (its text), \
                     `../x` and `../@id` (from the element around it), `^@id` and `^/x` (from the record around it), \
                     `a[]` (all of them, as a list).",
                )
                .required(),
                Setting::new("sample_rows", Type::Int, "Records the types are guessed from.").default(1000),
            ],
            sink: None,
        }
    }

    fn check(&self, settings: &Settings) -> std::result::Result<(), Problems> {
        let records = settings.text("records").unwrap_or_else(|| "//*".into());
        Selector::compile(&records, &fields(settings, &[])?).map(|_| ())?;
        count(settings, "sample_rows", 1000).map_err(|problem| vec![problem])?;
        if settings.text("records").is_none() {
            let problem = Problem::with("records", "there is no `records`");
            return Err(vec![problem.help("name the element that is repeated, e.g. `//record`")]);
        }
        Ok(())
    }

    fn describe(&self, ask: &Ask<'_>) -> std::result::Result<Described, Problems> {
        let (selector, schema) = schema(ask)?;
        let warnings = nothing_found(&selector, ask).into_iter().collect();
        Ok(Described { schema: Some(schema), warnings })
    }

    fn source(&self, ask: Ask<'_>) -> Result<Source> {
        let (selector, schema) = schema(&ask).map_err(|problems| paths::error(&problems))?;
        let files = ask.files;
        let converter = Converter::new(&schema, |at| selector.collects(at))?;
        Ok(extract::source_of_text(schema, converter, move |batches| {
            for file in &files {
                let limits = Limits { batch_bytes: BATCH_BYTES, ..Limits::default() };
                let mut records = Records::new(Arc::clone(&selector), open::open(file)?, limits);
                while let Some(batch) = records.next_batch(ROWS).map_err(|error| located(file, error))? {
                    if !batches.send(Chunk { frame: batch.frame, ..Chunk::default() }) {
                        return Ok(());
                    }
                }
            }
            Ok(())
        }))
    }
}

fn located(file: &Path, error: crate::xml::XmlError) -> Error {
    let line = open::line_of(file, error.byte_offset);
    let line = line.filter(|_| error.kind != XmlErrorKind::Encoding);
    let place = line.map_or_else(|| file.display().to_string(), |line| format!("{}, line {line}", file.display()));
    Error::from(error).at(place)
}

/// The fields as written, with the declared types.
fn fields(settings: &Settings, declared: &[Field]) -> std::result::Result<Vec<(String, String, Type)>, Problems> {
    let problem = |message: &str| {
        vec![Problem::with("fields", message).help("for example `fields: {id: '@id', title: module/title}`")]
    };
    let Some(written) = settings.get("fields") else {
        return Err(problem("there are no `fields`"));
    };
    let fields = written.as_object().filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| problem("`fields` must give a selector for each column"))?;
    let field = |(name, selector): (&String, &serde_json::Value)| {
        let Some(selector) = selector.as_str() else {
            return Err(problem(&format!("field `{name}` must be a selector, found {selector}")));
        };
        let text = || if Selector::is_list(selector) { Type::List(Box::new(Type::Text)) } else { Type::Text };
        let known = declared.iter().find(|field| field.name == *name);
        Ok((name.clone(), selector.to_owned(), known.map_or_else(text, |field| field.ty.clone())))
    };
    let found: Vec<_> = fields.iter().map(field).collect::<std::result::Result<_, _>>()?;
    let missing = declared.iter().filter(|field| !fields.contains_key(&field.name));
    let problems: Vec<Problem> = missing
        .map(|field| Problem {
            setting: Some("columns".into()),
            message: format!("`{}` is declared, but there is no such field in `fields`", field.name),
            help: towpath_spec::diagnostic::did_you_mean(&field.name, fields.keys().map(String::as_str)),
        })
        .collect();
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// The selector, and the types: declared, else as the first records of the first file have them.
fn schema(ask: &Ask<'_>) -> std::result::Result<(Arc<Selector>, Schema), Problems> {
    let fields = fields(&ask.settings, ask.columns)?;
    let records = ask.settings.text("records").unwrap_or_default();
    let selector = Arc::new(Selector::compile(&records, &fields)?);
    let rows = count(&ask.settings, "sample_rows", 1000).map_err(|problem| vec![problem])?;
    let guesses = sample(&selector, ask, rows)
        .map_err(|error| vec![Problem { setting: Some("path".into()), message: error.message, help: error.help }])?;
    let field = |((name, _, ty), guess): ((String, String, Type), Guess)| {
        let declared = ask.columns.iter().any(|field| field.name == name);
        let ty = if declared || ty != Type::Text { ty } else { guess.ty() };
        Field::new(name, ty)
    };
    let schema = Schema::new(fields.into_iter().zip(guesses).map(field).collect());
    Ok((selector, schema))
}

/// A warning when the first file holds elements, and none of them is a record.
fn nothing_found(selector: &Arc<Selector>, ask: &Ask<'_>) -> Option<Problem> {
    let file = ask.files.first()?;
    let reader = open::open(file).ok()?.take(SAMPLE_BYTES);
    let mut records = Records::new(Arc::clone(selector), reader, Limits::default());
    // A document that goes on behind the sample may hold records there; one that is broken is an error of its own.
    let none = matches!(records.next_batch(1), Ok(None));
    let written = ask.settings.text("records").unwrap_or_default();
    let message = format!("no element of {} is a record by `{written}`: it gives no rows", file.display());
    let help = "names count without their prefix, capitals matter; `//name` finds elements at any depth";
    // An outermost element with nothing in it is an empty list.
    (none && elements(file)? > 1).then(|| Problem::with("records", message).help(help))
}

/// About how many elements the beginning of a file has.
fn elements(file: &Path) -> Option<usize> {
    let mut bytes = Vec::new();
    open::open(file).ok()?.take(SAMPLE_BYTES).read_to_end(&mut bytes).ok()?;
    let begins = |at: &usize| bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphabetic() || *next == b'_');
    Some(memchr::memchr_iter(b'<', &bytes).filter(begins).count())
}

/// What the texts of each column look like at the beginning of the first file.
fn sample(selector: &Arc<Selector>, ask: &Ask<'_>, rows: usize) -> Result<Vec<Guess>> {
    let mut guesses = vec![Guess::default(); selector.names().count()];
    let Some(file) = ask.files.first().filter(|_| rows > 0) else {
        return Ok(guesses);
    };
    let reader = open::open(file)?.take(SAMPLE_BYTES);
    let mut records = Records::new(Arc::clone(selector), reader, Limits::default());
    // What is wrong with the document is said when it is read as a whole; the sample may end in its middle.
    if let Ok(Some(batch)) = records.next_batch(rows) {
        for (column, guess) in batch.frame.columns().iter().zip(&mut guesses) {
            if let Ok(texts) = column.as_materialized_series().str() {
                texts.iter().flatten().for_each(|text| guess.see(text));
            }
        }
    }
    Ok(guesses)
}
