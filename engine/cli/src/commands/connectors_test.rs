//! `towpath connectors test`: the tests definitions carry, over real HTTP against a server that knows their exchanges.

use crate::documents::{project_folder, shown};
use crate::failure::{Ended, Failure};
use crate::registry;
use crate::world;
use serde_json::{Map, Value as Json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{
    Answer, Connect, Connector, Error, Record, Settings, Sink, SinkAsk, Source, SourceAsk, redact,
};
use towpath_sandbox::{Canned, CannedServer};
use towpath_spec::definition::{ExchangeDoc, TestAction, TestDoc, TestExpected, decode_definition};
use towpath_spec::document::Tree;
use towpath_spec::{Files, Text, parse_yaml};

/// What a text of a test's settings can stand for: the address of its server.
const SERVER: &str = "{{ server }}";

/// Tries of a request that fails for a passing reason.
const TRIES: usize = 3;

/// Runs the tests of the definitions named; without a name, of all in the project's `connectors`.
pub fn test(names: &[String]) -> Ended {
    let definitions = if names.is_empty() {
        of_project()?
    } else {
        names.iter().map(|name| named(name)).collect::<Result<_, _>>()?
    };
    let runtime = world::runtime()?;
    let (mut passed, mut failed) = (0, 0);
    for (path, text) in definitions {
        let mut files = Files::new();
        let connector = towpath_http::from_definition(&mut files, &path, &text)
            .map_err(|problems| Failure::Invalid(Box::new(std::mem::take(&mut files)), problems))?;
        let tests = tests_of(&path, &text);
        if tests.is_empty() {
            eprintln!("{}: no tests", path.display());
        }
        for test in &tests {
            let problems = runtime.block_on(carry_out(&connector, test));
            let verdict = if problems.is_empty() { "passed" } else { "FAILED" };
            println!("{verdict} {}: {}", connector.descriptor().name, test.name);
            for problem in &problems {
                println!("  {}: {}", files.position(test.span), redact(problem));
            }
            *(if problems.is_empty() { &mut passed } else { &mut failed }) += 1;
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// A definition by its file, or by the name of a connector: one of the project before one that comes with Towpath.
fn named(name: &str) -> Result<(PathBuf, String), Failure> {
    let file = format!("{name}.yaml");
    let of_project = project_folder(Path::new(".")).map(|folder| folder.join("connectors").join(&file));
    let path = [Some(PathBuf::from(name)), of_project].into_iter().flatten().find(|path| path.is_file());
    if let Some(path) = path {
        return read(&path);
    }
    match towpath_http::BUILTIN.iter().find(|(path, _)| *path == file) {
        Some((path, text)) => Ok((PathBuf::from(path), (*text).to_owned())),
        None => Err(Failure::usage(
            format!("there is no connector `{name}`"),
            "name a connector, or the file of a definition",
        )),
    }
}

fn of_project() -> Result<Vec<(PathBuf, String)>, Failure> {
    let paths = project_folder(Path::new(".")).map(|folder| registry::definitions(&folder)).unwrap_or_default();
    if paths.is_empty() {
        return Err(Failure::usage(
            "there are no definitions in `connectors` of a project here",
            "name a connector or a file",
        ));
    }
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<(PathBuf, String), Failure> {
    let bytes =
        std::fs::read(path).map_err(|error| Error::from(error).at(format!("cannot read {}", path.display())))?;
    let text = towpath_spec::read_text(bytes).map_err(|reason| Error::user(format!("{}: {reason}", path.display())))?;
    Ok((shown(path), text))
}

/// The tests of a definition that was found to be good.
fn tests_of(path: &Path, text: &str) -> Vec<TestDoc> {
    let mut files = Files::new();
    let file = files.add(path, text);
    let Ok(tree) = parse_yaml(&files, file) else { return Vec::new() };
    decode_definition(file, &tree, &mut Vec::new()).map(|definition| definition.tests).unwrap_or_default()
}

/// What is wrong with what came of a test.
async fn carry_out(connector: &Arc<dyn Connector>, test: &TestDoc) -> Vec<String> {
    let server = match CannedServer::start(test.exchanges.iter().map(canned).collect()).await {
        Ok(server) => server,
        Err(error) => return vec![format!("no server for its exchanges: {error}")],
    };
    let mut settings = Map::from_iter([("base_url".to_owned(), Json::from(server.url()))]);
    for (name, tree) in &test.config {
        settings.insert(name.value.clone(), with_server(tree.to_json(), &server.url()));
    }
    for setting in &connector.descriptor().settings {
        if let (None, Some(default)) = (settings.get(&setting.name), &setting.default) {
            settings.insert(setting.name.clone(), default.clone());
        }
    }
    let connect = Connect {
        name: "test".to_owned(),
        settings: Settings::new(settings),
        base: PathBuf::from("."),
        timeout: Duration::from_secs(10),
    };
    let came = match &test.action {
        TestAction::Read { stream, with } => read_stream(connector, &connect, stream, with).await,
        TestAction::Send { operation, records } => send(connector, &connect, operation, records).await,
    };
    let mut problems = server.problems();
    problems.extend(differences(&test.expected, came));
    problems
}

/// What came of a test.
enum Came {
    Rows(Vec<Record>),
    Answers(Vec<Answer>),
}

async fn read_stream(
    connector: &Arc<dyn Connector>,
    connect: &Connect,
    stream: &Text,
    with: &[(Text, Tree)],
) -> Result<Came, Error> {
    let settings = Settings::new(with.iter().map(|(name, tree)| (name.value.clone(), tree.to_json())).collect());
    let base = connect.base.clone();
    let ask = SourceAsk {
        stream: Some(stream.as_str()),
        connection: &connect.settings,
        settings: &settings,
        columns: &[],
        base: &base,
    };
    let Source::Extract(mut extract) = connector.reader(connect)?.source(&ask, None)? else {
        return Err(Error::bug("an API is never scanned"));
    };
    let schema = extract.schema().clone();
    let (mut rows, mut sure, mut tries) = (Vec::new(), 0, 0);
    loop {
        match extract.next().await {
            Ok(None) => return Ok(Came::Rows(rows)),
            Ok(Some(chunk)) => {
                if let Some(reject) = chunk.rejects.first() {
                    let field = reject.field.as_deref().unwrap_or("record");
                    return Err(Error::data(format!("a record is rejected: {field}: {}", reject.reason)));
                }
                if chunk.frame.height() > 0 {
                    rows.extend(towpath_mapping::frame_to_json_rows(&chunk.frame, &schema).map_err(Error::bug)?);
                }
                if chunk.position.is_some() {
                    sure = rows.len();
                }
            }
            // As a run does: what came since the last position is asked for again.
            Err(error) if error.is_passing() && tries + 1 < TRIES => {
                tries += 1;
                rows.truncate(sure);
            }
            Err(error) => return Err(error),
        }
    }
}

async fn send(
    connector: &Arc<dyn Connector>,
    connect: &Connect,
    operation: &Text,
    records: &[Tree],
) -> Result<Came, Error> {
    let nothing = Settings::default();
    let base = connect.base.clone();
    let ask = SinkAsk {
        operation: Some(operation.as_str()),
        connection: &connect.settings,
        settings: &nothing,
        schema: None,
        base: &base,
    };
    let Sink::Operation(operation) = connector.writer(connect)?.sink(&ask)? else {
        return Err(Error::bug("an operation of an API is no file"));
    };
    let records: Vec<Record> =
        records.iter().map(|tree| tree.to_json().as_object().cloned().unwrap_or_default()).collect();
    let mut answers = Vec::with_capacity(records.len());
    for record in &records {
        answers.push(operation.send(record).await?);
    }
    Ok(Came::Answers(answers))
}

/// How what came differs from what was expected.
fn differences(expected: &TestExpected, came: Result<Came, Error>) -> Vec<String> {
    match (expected, came) {
        (TestExpected::Error(wanted), Err(error)) if error.to_string().contains(&wanted.value) => Vec::new(),
        (TestExpected::Error(wanted), Err(error)) => {
            vec![format!("it failed with `{error}`, expected `{wanted}` in that")]
        }
        (TestExpected::Error(wanted), Ok(_)) => vec![format!("it did not fail, expected an error with `{wanted}`")],
        (_, Err(error)) => vec![format!("it failed: {error}")],
        (TestExpected::Rows(wanted), Ok(Came::Rows(rows))) => {
            let mut problems = Vec::new();
            if rows.len() != wanted.len() {
                problems.push(format!("{} rows came, expected {}", rows.len(), wanted.len()));
            }
            for (index, (row, wanted)) in rows.iter().zip(wanted).enumerate() {
                problems.extend(members(&format!("row {}", index + 1), row, &wanted.to_json()));
            }
            problems
        }
        (TestExpected::Results(wanted), Ok(Came::Answers(answers))) => answers
            .iter()
            .flat_map(|answer| match answer {
                Answer::Confirmed { fields } => members("the results", fields, &wanted.to_json()),
                Answer::Refused { message } => vec![format!("the record was turned down: {message}")],
            })
            .collect(),
        (TestExpected::Refused(wanted), Ok(Came::Answers(answers))) => {
            let is_so =
                |answer: &Answer| matches!(answer, Answer::Refused { message } if message.contains(&wanted.value));
            match answers.iter().any(is_so) {
                true => Vec::new(),
                false => vec![format!("no record was turned down with `{wanted}`: {}", ended(&answers))],
            }
        }
        (TestExpected::Rows(_), Ok(Came::Answers(_))) => {
            vec!["`rows` are for what is read; write `results`".to_owned()]
        }
        (_, Ok(Came::Rows(_))) => vec!["what is read has `rows`".to_owned()],
    }
}

/// How records ended, in words.
fn ended(answers: &[Answer]) -> String {
    let words = answers.iter().map(|answer| match answer {
        Answer::Confirmed { .. } => "confirmed".to_owned(),
        Answer::Refused { message } => format!("turned down with `{message}`"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Members that differ; those that are not named may be anything.
fn members(place: &str, found: &Record, wanted: &Json) -> Vec<String> {
    let wanted = wanted.as_object().into_iter().flatten();
    let differs = wanted.filter(|(name, value)| found.get(*name) != Some(value));
    differs
        .map(|(name, value)| match found.get(name) {
            Some(there) => format!("{place}: `{name}` is {there}, expected {value}"),
            None => format!("{place}: there is no `{name}`, expected {value}"),
        })
        .collect()
}

fn canned(doc: &ExchangeDoc) -> Canned {
    let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let texts =
        |pairs: &[(Text, Text)]| pairs.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
    Canned {
        method: doc.method.value.clone(),
        path: doc.path.value.clone(),
        query: doc.query.iter().map(|(name, tree)| (name.value.clone(), text(tree.to_json()))).collect(),
        headers: texts(&doc.headers),
        body: doc.body.as_ref().map(Tree::to_json),
        status: doc.status,
        answer_headers: texts(&doc.answer_headers),
        answer: doc.answer.as_ref().map(Tree::to_json),
    }
}

fn with_server(value: Json, url: &str) -> Json {
    match value {
        Json::String(text) => Json::from(text.replace(SERVER, url)),
        other => other,
    }
}
