//! What all formats have in common: one connector, one reader, one writer.

use crate::{paths, sink};
use async_trait::async_trait;
use std::path::PathBuf;
use std::sync::Arc;
use towpath_connector::{
    Connect, Connector, Described, Descriptor, Error, Kind, Lookup, Problem, Reader, Result, Setting, Settings, Sink,
    SinkAsk, Source, SourceAsk, Writer,
};
use towpath_spec::{Field, Type};

/// Everything wrong with some settings.
pub(crate) type Problems = Vec<Problem>;

/// What a source asks for, with its files found.
pub(crate) struct Ask<'a> {
    /// Settings of the source over those of the connection.
    pub(crate) settings: Settings,
    /// Columns the pipeline declares.
    pub(crate) columns: &'a [Field],
    /// The files, at least one.
    pub(crate) files: Vec<PathBuf>,
}

/// A file format.
pub(crate) trait Format: Send + Sync + 'static {
    /// Its name, a sentence about it, settings of a source beside `path`, and settings of a sink, if it has sinks.
    fn about(&self) -> About;

    /// Checks the settings alone.
    fn check(&self, settings: &Settings) -> std::result::Result<(), Problems>;

    /// Looks at the heads of the files.
    fn describe(&self, ask: &Ask<'_>) -> std::result::Result<Described, Problems>;

    /// The source itself.
    fn source(&self, ask: Ask<'_>) -> Result<Source>;
}

/// What a format says of itself.
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) source: Vec<Setting>,
    pub(crate) sink: Option<Vec<Setting>>,
}

/// The connector of a format.
pub(crate) fn of(format: impl Format) -> Arc<dyn Connector> {
    let about = format.about();
    let path = |doc: &str| Setting::new("path", Type::Text, doc).required();
    let with_path = |doc: &str, rest: Vec<Setting>| {
        let mut settings = vec![path(doc)];
        settings.extend(rest);
        settings
    };
    let writes = about.sink.is_some();
    let descriptor = Descriptor {
        name: about.name.to_owned(),
        doc: about.doc.to_owned(),
        kind: Kind::Files,
        settings: Vec::new(),
        source_settings: with_path(
            "File or glob (`*`, `?`, `[ab]`, `**`), from the project's folder, or the pipeline's own without a project. Files whose first bytes are \
             those of gzip or zstd are decompressed.",
            about.source,
        ),
        sink_settings: about
            .sink
            .map_or_else(Vec::new, |rest| with_path("File to write, or folder when it is split into several.", rest)),
        streams: Vec::new(),
        operations: Vec::new(),
        logins: Vec::new(),
        reads: true,
        writes,
    };
    Arc::new(FileConnector { descriptor, format: Arc::new(format) })
}

struct FileConnector {
    descriptor: Descriptor,
    format: Arc<dyn Format>,
}

/// Settings of the one over those of the other.
pub(crate) fn merged(over: &Settings, under: &Settings) -> Settings {
    let mut all = under.clone();
    for (name, value) in over.values() {
        if !value.is_null() {
            all.set(name.clone(), value.clone());
        }
    }
    all
}

/// The path written in the settings.
pub(crate) fn path(settings: &Settings) -> std::result::Result<String, Problem> {
    settings
        .text("path")
        .filter(|path| !path.is_empty())
        .ok_or_else(|| Problem::with("path", "there is no `path`").help("add `path:` with a file or a glob"))
}

impl FileConnector {
    fn ask<'a>(&self, ask: &SourceAsk<'a>) -> std::result::Result<Ask<'a>, Problems> {
        let settings = merged(ask.settings, ask.connection);
        let mut problems = self.format.check(&settings).err().unwrap_or_default();
        let files = path(&settings).and_then(|path| paths::find(ask.base, &path));
        match files {
            Ok(files) if problems.is_empty() => Ok(Ask { settings, columns: ask.columns, files }),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }
}

impl Connector for FileConnector {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn describe_source(&self, ask: &SourceAsk<'_>) -> std::result::Result<Described, Problems> {
        // A path that comes from the environment is not known yet.
        if merged(ask.settings, ask.connection).get("path").is_none() {
            return Ok(Described::default());
        }
        let known = self.ask(ask)?;
        if !known.files.is_empty() {
            return self.format.describe(&known);
        }
        let path = known.settings.text("path").unwrap_or_default();
        let mut warning = paths::none_found(ask.base, &path);
        warning.message = format!("no such file yet: {}", warning.message);
        Ok(Described { schema: None, warnings: vec![warning] })
    }

    fn describe_sink(&self, ask: &SinkAsk<'_>) -> std::result::Result<(), Problems> {
        sink::check(self.descriptor.name.as_str(), ask)
    }

    fn reader(&self, _: &Connect) -> Result<Arc<dyn Reader>> {
        Ok(Arc::new(FileReader(Self { descriptor: self.descriptor.clone(), format: Arc::clone(&self.format) })))
    }

    fn writer(&self, _: &Connect) -> Result<Arc<dyn Writer>> {
        if !self.descriptor.writes {
            return Err(Error::user(format!("connector `{}` cannot write", self.descriptor.name)));
        }
        Ok(Arc::new(FileWriter(self.descriptor.name.clone())))
    }
}

struct FileReader(FileConnector);

#[async_trait]
impl Reader for FileReader {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn source(&self, ask: &SourceAsk<'_>, _: Option<&serde_json::Value>) -> Result<Source> {
        let known = self.0.ask(ask).map_err(|problems| paths::error(&problems))?;
        if known.files.is_empty() {
            let path = known.settings.text("path").unwrap_or_default();
            return Err(paths::error(&[paths::none_found(ask.base, &path)]));
        }
        self.0.format.source(known)
    }

    fn lookup(&self, _: &str) -> Result<Arc<dyn Lookup>> {
        let name = &self.0.descriptor.name;
        Err(Error::user(format!("connector `{name}` has nothing to look up"))
            .help("read the file as a source and use the step `join`"))
    }
}

struct FileWriter(String);

#[async_trait]
impl Writer for FileWriter {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    fn sink(&self, ask: &SinkAsk<'_>) -> Result<Sink> {
        sink::open(&self.0, ask)
    }
}

/// A list of texts in the settings.
pub(crate) fn texts(settings: &Settings, name: &str) -> std::result::Result<Vec<String>, Problem> {
    match settings.get(name) {
        None => Ok(Vec::new()),
        Some(serde_json::Value::String(one)) => Ok(vec![one.clone()]),
        Some(serde_json::Value::Array(items)) => {
            let text = |item: &serde_json::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            Ok(items.iter().map(text).collect())
        }
        Some(_) => Err(Problem::with(name, format!("`{name}` must be a list of texts"))),
    }
}

/// A whole number that is not negative.
pub(crate) fn count(settings: &Settings, name: &str, default: usize) -> std::result::Result<usize, Problem> {
    if settings.get(name).is_none() {
        return Ok(default);
    }
    let found = settings.int(name).and_then(|number| usize::try_from(number).ok());
    found.ok_or_else(|| Problem::with(name, format!("`{name}` must be a whole number from 0 up")))
}

/// One of a few words.
pub(crate) fn word(settings: &Settings, name: &str, words: &[&str]) -> std::result::Result<Option<String>, Problem> {
    let Some(written) = settings.text(name) else {
        return Ok(None);
    };
    if words.contains(&written.as_str()) {
        return Ok(Some(written));
    }
    let problem = Problem::with(name, format!("`{name}` is `{written}`, expected one of {}", words.join(", ")));
    Err(match towpath_spec::diagnostic::did_you_mean(&written, words.iter().copied()) {
        Some(help) => problem.help(help),
        None => problem,
    })
}

/// A setting of sinks that can be split by columns.
pub(crate) fn partition_by() -> Setting {
    let doc = "Columns whose values become folders, `column=value`, below `path`.";
    Setting::new("partition_by", Type::List(Box::new(Type::Text)), doc)
}

/// A setting of sinks that can be split by size.
pub(crate) fn max_rows() -> Setting {
    Setting::new("max_rows_per_file", Type::Int, "Rows after which another file in the folder `path` is begun.")
}
