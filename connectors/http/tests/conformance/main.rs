//! One suite every definition passes: paging to the end, going on from every page, each kind of trouble, no secret told.
//!
//! The server that answers is made of the definition itself, so a new definition is tested by being there. What the vendor's
//! own system does beyond its definition is the business of the stand-ins and the exchanges.
#![allow(missing_docs, clippy::unwrap_used)]

mod server;
mod shape;
#[path = "../support/mod.rs"]
mod support;

use polars::prelude::DataFrame;
use serde_json::{Map, Value as Json, json};
use server::{Fault, Give, Server};
use std::sync::Arc;
use support::{World, drain};
use towpath_connector::{Answer, Connector, Effect, Error, Fault as Whose};
use towpath_spec::Type;
use towpath_spec::definition::{AuthKind, Definition, Format, PaginatorKind, RouterOver, StreamDoc};

/// Records on a page where the size can be chosen.
const SIZE: usize = 3;

struct Subject {
    definition: Definition,
    connector: Arc<dyn Connector>,
    server: Server,
    /// A folder with a file `v` to upload.
    files: tempfile::TempDir,
}

impl Subject {
    async fn new(path: &str, text: &str) -> Self {
        let definition = shape::definition(path, text);
        let connector = support::builtin(definition.name.as_str());
        let server = Server::start(&definition).await;
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("v"), "%PDF-1.4").unwrap();
        Self { definition, connector, server, files }
    }

    /// A new connection, with every setting given; secrets are marked.
    fn world(&self, overrides: Json) -> World {
        let mut settings = Map::new();
        for setting in &self.definition.config {
            let name = setting.name.value.clone();
            let value = match (&setting.ty, setting.secret) {
                _ if name.contains("url") => json!(self.server.origin),
                (_, true) => json!(format!("marker-{name}-end")),
                (Type::Int, _) => json!(7),
                (Type::Bool, _) => json!(true),
                _ => match (&setting.default, setting.values.first()) {
                    (Some(default), _) => default.to_json(),
                    (None, Some(first)) => json!(first.value),
                    (None, None) => json!(name),
                },
            };
            settings.insert(name, value);
        }
        settings.insert("overrides".to_owned(), overrides);
        settings.insert("timeout".to_owned(), json!(5));
        // What a vendor asks of its customers' manners would make the test slow.
        settings.insert("rate".to_owned(), json!("100000/s"));
        settings.insert("files".to_owned(), json!(self.files.path()));
        World::new(Arc::clone(&self.connector), Json::Object(settings))
    }

    /// What a stream is asked with.
    fn with(&self, stream: &StreamDoc) -> Json {
        let routed = |name: &str| match stream.partition_router.as_ref().map(|router| &router.over) {
            Some(RouterOver::Stream { params, .. }) => params.iter().any(|(param, _)| param.value == name),
            Some(RouterOver::Values(values)) => values.iter().any(|(param, _)| param.value == name),
            None => false,
        };
        let asked = stream.params.iter().filter(|param| param.required || routed(param.name.as_str()));
        let values = asked.map(|param| {
            let value = match (&param.ty, param.values.first()) {
                (Type::Int, Some(first)) => json!(first.value.parse::<i64>().unwrap_or(1)),
                (_, Some(first)) => json!(first.value),
                (Type::Int, None) => json!(1),
                (Type::Bool, None) => json!(true),
                (Type::List(_), None) => json!(["a"]),
                (Type::Date, None) => json!("2024-03-01"),
                (Type::DateTime { .. }, None) => json!("2024-03-01T00:00:00Z"),
                _ => json!("p"),
            };
            (param.name.value.clone(), value)
        });
        Json::Object(values.collect())
    }

    async fn read(&self, world: &World, stream: &StreamDoc) -> Result<(DataFrame, usize), Error> {
        let mut source = world.source(stream.name.as_str(), self.with(stream), None);
        let (frame, rejects, retries) = drain(source.as_mut()).await?;
        assert!(rejects.is_empty(), "{}: {:?}", stream.name, rejects.first());
        Ok((frame, retries))
    }

    /// Reads one chunk only, for errors that pass.
    async fn first(&self, stream: &StreamDoc) -> Result<(), Error> {
        let world = self.world(json!({}));
        world.source(stream.name.as_str(), self.with(stream), None).next().await.map(drop)
    }

    fn has_tokens(&self, names: Option<&Vec<towpath_spec::Text>>) -> bool {
        let chosen = names.unwrap_or(&self.definition.defaults.auth);
        let used = self.definition.auth.iter().filter(|auth| chosen.contains(&auth.name));
        used.into_iter().any(|auth| matches!(auth.kind, AuthKind::Token(_)))
    }
}

/// Nothing secret is in what is told of an error.
#[track_caller]
fn tells_no_secret(error: &Error) {
    let told = format!("{error} {error:?} {:?}", error.help);
    assert!(!told.contains("marker-"), "{told}");
}

/// A connection's settings that give pages of that size, when the definition lets one choose.
fn sized(stream: &StreamDoc) -> (Json, usize) {
    match &stream.paginator {
        Some(paginator) if paginator.size.is_some() => {
            let overrides = json!({stream.name.as_str(): {"page_size": SIZE}});
            (overrides, SIZE)
        }
        _ => (json!({}), SIZE),
    }
}

/// Paging to the end with 0, 1, exactly one page and one row more; the same rows when the connection is cut at any page.
async fn pages(subject: &Subject, stream: &StreamDoc) {
    let name = stream.name.as_str();
    let (overrides, per_page) = sized(stream);
    let is_capped = |stream: &StreamDoc| {
        stream.paginator.as_ref().is_some_and(|paginator| matches!(paginator.kind, PaginatorKind::Max))
    };
    let counts = match (shape::is_single(stream), &stream.paginator) {
        (true, _) => vec![0, 1],
        // The whole answer comes at once.
        (false, None) => vec![0, 1, 3],
        (false, Some(_)) if is_capped(stream) => vec![0, 1, 2],
        (false, Some(_)) => vec![0, 1, per_page, per_page + 1, 2 * per_page + 1],
    };
    for rows in counts {
        let give = || Give::Stream { stream: Box::new(stream.clone()), rows, per_page };
        subject.server.give(give());
        let world = subject.world(overrides.clone());
        let (whole, _) =
            subject.read(&world, stream).await.unwrap_or_else(|error| panic!("{name}, {rows} rows: {error:?}"));
        assert_eq!(whole.height(), rows, "{name}");
        let pages = subject.server.with(|script| {
            let distinct: std::collections::HashSet<&String> = script.asked.iter().collect();
            assert_eq!(distinct.len(), script.asked.len(), "{name}: a page was asked for twice: {:?}", script.asked);
            script.asked.len()
        });
        // From every page on, and for XML in the middle of the only one.
        for cut in 0..pages {
            subject.server.give(give());
            subject.server.break_at(Some(cut), Fault::Cut);
            let world = subject.world(overrides.clone());
            let (again, retries) = subject
                .read(&world, stream)
                .await
                .unwrap_or_else(|error| panic!("{name}, cut at page {cut}: {error:?}"));
            assert_eq!(retries, 1, "{name}: the cut at page {cut} was not noticed");
            assert!(again.equals_missing(&whole), "{name}, cut at page {cut}: other rows");
        }
        subject.server.give(give());
        let again = support::in_pieces(|| world.source(name, subject.with(stream), None)).await;
        let (again, _, _) = again.unwrap_or_else(|error| panic!("{name}, {rows} rows, in pieces: {error:?}"));
        assert!(again.equals_missing(&whole), "{name}, gone on with behind every page: other rows");
        let asked = subject.server.with(|script| script.asked.len());
        // Where windows overlap, the one before is read again for what it had.
        let overlaps = stream.incremental.as_ref().is_some_and(|incremental| !incremental.overlap.is_zero());
        assert!(asked == pages || overlaps, "{name}: a page was asked for again");
    }
}

/// Each kind of trouble is what it is said to be.
async fn trouble(subject: &Subject, stream: &StreamDoc) {
    let name = stream.name.as_str();
    let absent = stream.absent.clone().unwrap_or_default();
    let give = || {
        let stream = Box::new(stream.clone());
        subject.server.give(Give::Stream { stream, rows: 1, per_page: SIZE });
    };
    for status in [400, 401, 403, 404, 429, 500, 503] {
        give();
        subject.server.break_at(None, Fault::Status(status));
        let result = subject.first(stream).await;
        if absent.status.contains(&status) {
            result.unwrap_or_else(|error| panic!("{name}: {status} means that there is none: {error:?}"));
            continue;
        }
        let error = result.err().unwrap_or_else(|| panic!("{name}: {status} is no answer"));
        tells_no_secret(&error);
        assert_eq!(error.is_passing(), matches!(status, 429 | 500 | 503), "{name}: {status}: {error:?}");
        assert!(error.message.contains(name), "{name}: {error}");
        if matches!(status, 401 | 403) {
            assert_eq!(error.fault, Whose::User, "{name}: {status}: {error:?}");
        }
    }
    for fault in [Fault::Html, Fault::Cut] {
        give();
        subject.server.break_at(None, fault);
        let result = subject.first(stream).await;
        if fault == Fault::Html && !matches!(stream.record_selector.format, Format::Json | Format::Xml) {
            continue;
        }
        let error = result.err().unwrap_or_else(|| panic!("{name}: {fault:?} is no answer"));
        tells_no_secret(&error);
        assert_eq!(error.is_passing(), fault == Fault::Cut, "{name}: {fault:?}: {error:?}");
    }
    // An answer without its records is an error or none of them; it must not hang or make rows up.
    give();
    subject.server.break_at(None, Fault::Nothing);
    let world = subject.world(json!({}));
    let mut source = world.source(name, subject.with(stream), None);
    match source.next().await {
        Ok(chunk) => assert!(chunk.is_none_or(|chunk| chunk.frame.height() <= 1), "{name}: rows out of nothing"),
        Err(error) => tells_no_secret(&error),
    }
}

/// A token that is refused is renewed, once, and nothing is lost.
async fn renewal(subject: &Subject, stream: &StreamDoc) {
    if !subject.has_tokens(stream.auth.as_ref()) {
        return;
    }
    let name = stream.name.as_str();
    let give = || subject.server.give(Give::Stream { stream: Box::new(stream.clone()), rows: 1, per_page: SIZE });
    give();
    let world = subject.world(json!({}));
    subject.read(&world, stream).await.unwrap();
    let before = subject.server.with(|script| script.logins);
    subject.server.revoke();
    give();
    let (frame, retries) = subject.read(&world, stream).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!((frame.height(), retries), (1, 0), "{name}: the renewal is not the run's business");
    assert_eq!(subject.server.with(|script| script.logins), before + 1, "{name}: one login more");
}

/// Operations: done, turned down, in doubt.
async fn writes(subject: &Subject) {
    for operation in subject.definition.operations.iter().filter(|operation| shape::is_call(operation)) {
        // What is looked up again afterwards needs two kinds of answers: the exchanges have that.
        if operation.find_again.is_some() {
            continue;
        }
        let name = operation.name.as_str();
        let record = Json::Object(shape::record(operation));
        let give = || subject.server.give(Give::Operation(Box::new(operation.clone())));
        give();
        let world = subject.world(json!({}));
        match world.send(name, record.clone()).await {
            Ok(Answer::Confirmed { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
        if subject.has_tokens(operation.auth.as_ref()) {
            subject.server.revoke();
            give();
            let again = world.send(name, record.clone()).await;
            assert!(matches!(again, Ok(Answer::Confirmed { .. })), "{name}: {again:?}");
        }
        for (fault, effect) in [
            (Fault::Status(403), None),
            (Fault::Status(429), Some(Effect::None)),
            (Fault::Status(500), Some(Effect::Unknown)),
            (Fault::Cut, Some(Effect::Unknown)),
        ] {
            give();
            subject.server.break_at(None, fault);
            match (subject.world(json!({})).send(name, record.clone()).await, effect) {
                (Err(error), Some(effect)) => {
                    tells_no_secret(&error);
                    assert_eq!(error.effect, effect, "{name}, {fault:?}: {error:?}");
                    assert!(error.is_passing(), "{name}, {fault:?}: {error:?}");
                }
                // 403 speaks of the account, or, where the vendor says so, of the record.
                (Err(error), None) => tells_no_secret(&error),
                (Ok(Answer::Refused { .. }), None) => {}
                (other, _) => panic!("{name}, {fault:?}: {other:?}"),
            }
        }
    }
}

async fn conforms(path: &str) {
    let (path, text) = towpath_http::BUILTIN.into_iter().find(|(name, _)| *name == path).unwrap();
    let subject = Subject::new(path, text).await;
    for stream in &subject.definition.streams {
        pages(&subject, stream).await;
        trouble(&subject, stream).await;
        renewal(&subject, stream).await;
    }
    writes(&subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enabley_conforms() {
    conforms("enabley.yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn healthier_business_conforms() {
    conforms("healthier-business.yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn human_focus_conforms() {
    conforms("human-focus.yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn onefile_conforms() {
    conforms("onefile.yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peoplefluent_conforms() {
    conforms("peoplefluent.yaml").await;
}

#[test]
fn no_definition_is_left_out() {
    let mut names: Vec<&str> = towpath_http::BUILTIN.iter().map(|(path, _)| *path).collect();
    names.sort_unstable();
    let tested = ["enabley.yaml", "healthier-business.yaml", "human-focus.yaml", "onefile.yaml", "peoplefluent.yaml"];
    assert_eq!(names, tested, "each definition has a test here");
}
