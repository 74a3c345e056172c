//! What all tests of the runtime share: a connection to a stand-in, and reading a source to its end.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

pub mod paged;
pub mod server;

use polars::prelude::DataFrame;
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use towpath_connector::{
    Answer, Connect, Connector, Error, Extract, Operation, Reader, Record, RejectedRow, Settings, Sink, SinkAsk,
    Source, SourceAsk,
};
use towpath_sandbox::{Options, System};
use towpath_spec::Files;

pub fn object(value: Json) -> Record {
    value.as_object().cloned().unwrap()
}

/// A connector with the settings of one connection.
pub struct World {
    pub connector: Arc<dyn Connector>,
    pub connect: Connect,
}

impl World {
    pub fn new(connector: Arc<dyn Connector>, settings: Json) -> Self {
        let connect = Connect {
            name: "hf".to_owned(),
            settings: Settings::new(object(settings)),
            base: PathBuf::from("."),
            timeout: Duration::from_secs(20),
        };
        Self { connector, connect }
    }

    /// A connection to a stand-in, with further settings.
    pub fn of(system: &System, more: Json) -> Self {
        let mut settings: Map<String, Json> =
            system.settings().into_iter().map(|(name, value)| (name, Json::from(value))).collect();
        settings.extend(object(more));
        let connector = builtin(system.name());
        Self::new(connector, Json::Object(settings))
    }

    pub fn reader(&self) -> Arc<dyn Reader> {
        self.connector.reader(&self.connect).unwrap()
    }

    pub fn source(&self, stream: &str, with: Json, cursor: Option<&Json>) -> Box<dyn Extract> {
        let with = Settings::new(object(with));
        let ask = SourceAsk {
            stream: Some(stream),
            connection: &self.connect.settings,
            settings: &with,
            columns: &[],
            base: Path::new("."),
        };
        match self.reader().source(&ask, cursor).unwrap() {
            Source::Extract(extract) => extract,
            Source::Scan(_) => unreachable!("an API is never scanned"),
        }
    }

    pub async fn lookup(&self, stream: &str, params: Json) -> Result<Vec<Record>, Error> {
        self.reader().lookup(stream).unwrap().get(&object(params)).await
    }

    pub fn operation(&self, name: &str) -> Arc<dyn Operation> {
        let nothing = Settings::default();
        let ask = SinkAsk {
            operation: Some(name),
            connection: &self.connect.settings,
            settings: &nothing,
            schema: None,
            base: Path::new("."),
        };
        match self.connector.writer(&self.connect).unwrap().sink(&ask).unwrap() {
            Sink::Operation(operation) => operation,
            Sink::File(_) | Sink::Table(_) => unreachable!("an API is neither a file nor a table"),
        }
    }

    pub async fn send(&self, name: &str, record: Json) -> Result<Answer, Error> {
        self.operation(name).send(&object(record)).await
    }
}

/// Compiled once for all tests of a binary.
static BUILTIN: LazyLock<Vec<Arc<dyn Connector>>> = LazyLock::new(towpath_http::builtin);

pub fn builtin(name: &str) -> Arc<dyn Connector> {
    BUILTIN.iter().find(|connector| connector.descriptor().name == name).cloned().unwrap()
}

/// A connector of a definition written in a test.
pub fn defined(text: &str) -> Arc<dyn Connector> {
    let mut files = Files::new();
    towpath_http::from_definition(&mut files, Path::new("test.yaml"), text).unwrap_or_else(|problems| {
        let lines: Vec<String> =
            problems.iter().map(|problem| format!("{}: {}", files.position(problem.span), problem.message)).collect();
        panic!("the definition is wrong:\n{}", lines.join("\n"))
    })
}

/// All rows and rejects, as a run would collect them: after a passing error it goes on behind the last position.
pub async fn drain(extract: &mut dyn Extract) -> Result<(DataFrame, Vec<RejectedRow>, usize), Error> {
    let (mut frames, mut rejects, mut retries) = (Vec::new(), Vec::new(), 0);
    let (mut sure_frames, mut sure_rejects) = (0, 0);
    loop {
        match extract.next().await {
            Ok(None) => break,
            Ok(Some(chunk)) => {
                frames.push(chunk.frame);
                rejects.extend(chunk.rejects);
                if chunk.position.is_some() {
                    (sure_frames, sure_rejects) = (frames.len(), rejects.len());
                }
            }
            Err(error) if error.is_passing() && retries < 10 => {
                retries += 1;
                frames.truncate(sure_frames);
                rejects.truncate(sure_rejects);
            }
            Err(error) => return Err(error),
        }
    }
    let mut frames: std::vec::IntoIter<DataFrame> = frames.into_iter();
    let mut frame = frames.next().unwrap_or_default();
    for next in frames {
        frame.vstack_mut(&next).unwrap();
    }
    Ok((frame, rejects, retries))
}

/// The same by many extracts, as runs that die would: each is dropped behind its first position, and the next one goes on
/// there. What they gave and rejected, and how many they were.
pub async fn in_pieces(open: impl Fn() -> Box<dyn Extract>) -> Result<(DataFrame, Vec<RejectedRow>, usize), Error> {
    let (mut whole, mut position, mut opened): (Option<DataFrame>, Option<Json>, usize) = (None, None, 0);
    let mut rejects = Vec::new();
    loop {
        let mut extract = open();
        opened += 1;
        if let Some(position) = &position {
            // As it would be read from a file.
            let written: Json = serde_json::from_str(&position.to_string()).unwrap();
            assert!(extract.go_on(&written), "nothing goes on behind {written}");
        }
        position = None;
        while position.is_none() {
            let Some(chunk) = extract.next().await? else { return Ok((whole.unwrap_or_default(), rejects, opened)) };
            rejects.extend(chunk.rejects);
            match &mut whole {
                Some(whole) => drop(whole.vstack_mut(&chunk.frame).unwrap()),
                None => whole = Some(chunk.frame),
            }
            position = chunk.position;
        }
    }
}

pub async fn human_focus() -> System {
    towpath_sandbox::start("human-focus", Options::default()).await.unwrap()
}

pub async fn peoplefluent() -> System {
    towpath_sandbox::start("peoplefluent", Options::default()).await.unwrap()
}

/// The fields of a confirmed answer.
pub fn confirmed(answer: Result<Answer, Error>) -> Json {
    match answer.unwrap() {
        Answer::Confirmed { fields } => Json::Object(fields),
        Answer::Refused { message } => panic!("refused: {message}"),
    }
}

/// The vendor's words of a refusal.
pub fn refusal(answer: Result<Answer, Error>) -> String {
    match answer.unwrap() {
        Answer::Refused { message } => message,
        Answer::Confirmed { fields } => panic!("confirmed: {}", json!(fields)),
    }
}

pub fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let column = frame.column(column).unwrap().as_materialized_series().clone();
    column.str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// What is wrong with a definition, a line each: position, code, message and help.
pub fn problems(text: &str) -> Vec<String> {
    let mut files = Files::new();
    let found = towpath_http::from_definition(&mut files, Path::new("c.yaml"), text).err().unwrap_or_default();
    let line = |problem: &towpath_spec::Diagnostic| {
        let help = problem.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
        format!("{} {}: {}{help}", files.position(problem.span), problem.code, problem.message)
    };
    found.iter().map(line).collect()
}

/// A log that is kept to be looked through.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what is traced from here on, of all levels; once in a process.
    pub fn keep() -> Self {
        let log = Self::default();
        let written = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || written.clone())
            .init();
        log
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
