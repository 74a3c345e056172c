//! Connector `documents`: whole files as rows, and rows as whole files.
//!
//! For certificates, letters and pictures that go from a folder into a system or the other way round. What is in a file is
//! never looked at. Names of files come from data and are not trusted: a row whose name would lead out of the folder is a
//! reject, and no link is followed on the way.

mod names;
mod sink;
mod source;

use crate::paths;
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use towpath_connector::{
    Connect, Connector, Described, Descriptor, Error, Kind, Lookup, Problem, Reader, Result, Setting, Settings, Sink,
    SinkAsk, Source, SourceAsk, Writer,
};
use towpath_spec::{Schema, Type};

type Problems = Vec<Problem>;

/// The connector.
pub(crate) struct Documents {
    descriptor: Descriptor,
}

impl Documents {
    pub(crate) fn new() -> Self {
        let path = "File or glob (`*`, `?`, `[ab]`, `**`), from the project's folder, or the pipeline's own without a \
                    project; each file is a row with the columns `path`, `name`, `content` (binary) and `size` (bytes).";
        let folder = "Folder the files are written into; made when it is not there. A file that is there under the name \
                      of a new one is replaced, all others stay.";
        let name = "Column with the file's name, text. It may name folders in the folder (`2024/a.pdf`), and cannot lead \
                    out of it.";
        let content = "Column with what is in the file: binary, or text, which is written as UTF-8.";
        let descriptor = Descriptor {
            name: "documents".to_owned(),
            doc: "Files as they are: one row for each file, with its content, and one file for each row. Files that are \
                  written get their names when all of them are written; a row without content, or whose name is not that \
                  of a file in the folder, is a reject."
                .to_owned(),
            kind: Kind::Files,
            settings: Vec::new(),
            source_settings: vec![Setting::new("path", Type::Text, path).required()],
            sink_settings: vec![
                Setting::new("folder", Type::Text, folder).required(),
                Setting::new("name", Type::Text, name).default("name"),
                Setting::new("content", Type::Text, content).default("content"),
            ],
            streams: Vec::new(),
            operations: Vec::new(),
            logins: Vec::new(),
            reads: true,
            writes: true,
        };
        Self { descriptor }
    }
}

/// What a sink was told.
struct Told {
    folder: String,
    name: String,
    content: String,
}

impl Told {
    /// Reads the settings of a sink; a folder that is not known yet is empty.
    fn read(settings: &Settings) -> Self {
        let column = |setting: &str| settings.text(setting).unwrap_or_else(|| setting.to_owned());
        Self { folder: settings.text("folder").unwrap_or_default(), name: column("name"), content: column("content") }
    }

    /// What is wrong with the columns that arrive.
    fn problems(&self, schema: &Schema) -> Problems {
        let name = column(schema, "name", &self.name, &[Type::Text]);
        let content = column(schema, "content", &self.content, &[Type::Binary, Type::Text]);
        name.into_iter().chain(content).collect()
    }
}

fn column(schema: &Schema, setting: &str, column: &str, types: &[Type]) -> Option<Problem> {
    let Some(field) = schema.get(column) else {
        let message = format!("there is no column `{column}`, which `{setting}` names");
        let near = towpath_spec::diagnostic::did_you_mean(column, schema.names());
        let help = near.unwrap_or_else(|| format!("write `{setting}: COLUMN`, or make the column in a step before"));
        return Some(Problem::with(setting, message).help(help));
    };
    if types.contains(&field.ty) {
        return None;
    }
    let wanted: Vec<String> = types.iter().map(Type::to_string).collect();
    let message = format!("column `{column}` is {}, and `{setting}` expects {}", field.ty, wanted.join(" or "));
    Some(Problem::with(setting, message).help("convert it with the step `cast`, or name another column"))
}

/// The files of a source.
fn files(ask: &SourceAsk<'_>) -> std::result::Result<Option<Vec<std::path::PathBuf>>, Problem> {
    match ask.settings.text("path") {
        Some(path) => paths::find(ask.base, &path).map(Some),
        None => Ok(None),
    }
}

fn none_found(ask: &SourceAsk<'_>) -> Problem {
    paths::none_found(ask.base, &ask.settings.text("path").unwrap_or_default())
}

impl Connector for Documents {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Problems> {
        if !ask.columns.is_empty() {
            let message = "the columns of documents are `path`, `name`, `content` and `size`, which nothing changes";
            return Err(vec![Problem::with("columns", message).help("take `columns` away")]);
        }
        let found = files(ask).map_err(|problem| vec![problem])?;
        let none = found.is_some_and(|files| files.is_empty());
        Ok(Described { schema: Some(source::schema()), warnings: none.then(|| none_found(ask)).into_iter().collect() })
    }

    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Problems> {
        let told = Told::read(ask.settings);
        let mut problems = ask.schema.map(|schema| told.problems(schema)).unwrap_or_default();
        if ask.base.join(&told.folder).is_file() {
            problems.push(Problem::with("folder", format!("`{}` is a file, expected a folder", told.folder)));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn reader(&self, _: &Connect) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(Handle))
    }

    fn writer(&self, _: &Connect) -> Result<Arc<dyn Writer>> {
        Ok(Arc::new(Handle))
    }
}

/// Nothing is kept of a connection: there is none.
struct Handle;

#[async_trait]
impl Reader for Handle {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn source(&self, ask: &SourceAsk<'_>, _: Option<&serde_json::Value>) -> Result<Source> {
        let found = files(ask).map_err(|problem| paths::error(&[problem]))?.unwrap_or_default();
        if found.is_empty() {
            return Err(paths::error(&[none_found(ask)]));
        }
        Ok(source::source(ask.base.to_owned(), found))
    }

    fn lookup(&self, _: &str) -> Result<Arc<dyn Lookup>> {
        Err(Error::user("connector `documents` has nothing to look up")
            .help("read the files as a source and use the step `join`"))
    }
}

#[async_trait]
impl Writer for Handle {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink> {
        let told = Told::read(ask.settings);
        if told.folder.trim().is_empty() {
            return Err(Error::user("there is no `folder`").help("write `folder: FOLDER`"));
        }
        let folder = ask.base.join(Path::new(&told.folder));
        Ok(Sink::Table(Box::new(sink::Folder::new(folder, told))))
    }
}
