//! Tests a definition carries: what is read or sent, the exchanges that go with it, and what must come of them.

use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::Diagnostic;
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// One of `tests:`.
#[derive(Debug, Clone)]
pub struct TestDoc {
    /// What it is about.
    pub name: Text,
    /// Settings of the connection; `{{ server }}` in a text stands for the address of the server of this test, which is
    /// `base_url` as well unless it is given.
    pub config: Vec<(Text, Tree)>,
    /// What is done.
    pub action: TestAction,
    /// The requests that must be made, in any order, and their answers.
    pub exchanges: Vec<ExchangeDoc>,
    /// What must come of it.
    pub expected: TestExpected,
    /// The whole entry.
    pub span: Span,
}

/// What a test does.
#[derive(Debug, Clone)]
pub enum TestAction {
    /// Reads a stream to its end.
    Read {
        /// The stream.
        stream: Text,
        /// Its parameters.
        with: Vec<(Text, Tree)>,
    },
    /// Sends records with an operation.
    Send {
        /// The operation.
        operation: Text,
        /// The records; several go in batches, where the operation has them.
        records: Vec<Tree>,
    },
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct ExchangeDoc {
    /// `GET`, `POST`, …
    pub method: Text,
    /// The path, percent-encoded as it is sent, without the query.
    pub path: Text,
    /// Query parameters that must be there with these values; others may be there, too.
    pub query: Vec<(Text, Tree)>,
    /// Headers that must be there with these values.
    pub headers: Vec<(Text, Text)>,
    /// What the body must be: a mapping or list as JSON (or as a form, when it is sent as one), a text as it is.
    pub body: Option<Tree>,
    /// The status of the answer.
    pub status: u16,
    /// Headers of the answer.
    pub answer_headers: Vec<(Text, Text)>,
    /// The body of the answer: a mapping or list is sent as JSON, a text as it is.
    pub answer: Option<Tree>,
    /// The whole entry.
    pub span: Span,
}

/// What must come of a test. What is not named may be anything.
#[derive(Debug, Clone)]
pub enum TestExpected {
    /// So many rows in this order, each with these columns.
    Rows(Vec<Tree>),
    /// Each record is confirmed with these results.
    Results(Tree),
    /// The record is turned down, with this text in the reason.
    Refused(Text),
    /// It fails, with this text in the message.
    Error(Text),
}

impl TestDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a test", problems)?;
        let name = reader.required_text("name");
        let config = reader.map("config", decode::any);
        let read = reader.optional_text("read");
        let send = reader.optional_text("send");
        let with = reader.map("with", decode::any);
        let record = reader.optional("record", decode::any);
        let records = reader.list("records", decode::any);
        let exchanges = reader.list("exchanges", ExchangeDoc::read);
        let rows = reader.optional("rows", decode::list(decode::any)).map(TestExpected::Rows);
        let results = reader.optional("results", decode::any).map(TestExpected::Results);
        let refused = reader.optional_text("refused").map(TestExpected::Refused);
        let error = reader.optional_text("error").map(TestExpected::Error);
        reader.conflict("read", "send", "a test does one thing");
        reader.conflict("record", "records", "one record, or several");
        let mut expected: Vec<TestExpected> = [rows, results, refused, error].into_iter().flatten().collect();
        if expected.len() != 1 {
            let message = format!("a test says what must come of it in one way, found {}", expected.len());
            let help = "write one of `rows`, `results`, `refused` and `error`";
            reader.problem(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help(help));
        }
        let action = match (read, send) {
            (Some(stream), None) => Some(TestAction::Read { stream, with }),
            (None, Some(operation)) => {
                Some(TestAction::Send { operation, records: record.into_iter().chain(records).collect() })
            }
            (None, None) => {
                reader.missing("`read` or `send`", "name a stream to read, or an operation to send records with");
                None
            }
            (Some(_), Some(_)) => None,
        };
        reader.finish();
        Some(Self { name: name?, config, action: action?, exchanges, expected: expected.pop()?, span: tree.span })
    }
}

impl ExchangeDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "an exchange", problems)?;
        let request = reader.required("request", |tree, problems| {
            let mut reader = MapReader::of(tree, "a request", problems)?;
            let method = reader.optional_text("method").unwrap_or_else(|| Text::new("GET", tree.span));
            let read = (
                method,
                reader.required_text("path"),
                reader.map("query", decode::any),
                reader.map("headers", decode::text),
                reader.optional("body", decode::any),
            );
            reader.finish();
            Some(read)
        });
        let response = reader.optional("response", |tree, problems| {
            let mut reader = MapReader::of(tree, "an answer", problems)?;
            let status = reader.int("status", 100..=599).and_then(|status| u16::try_from(status).ok());
            let read = (status, reader.map("headers", decode::text), reader.optional("body", decode::any));
            reader.finish();
            Some(read)
        });
        reader.finish();
        let (method, path, query, headers, body) = request?;
        let (status, answer_headers, answer) = response.unwrap_or_default();
        let status = status.unwrap_or(200);
        Some(Self { method, path: path?, query, headers, body, status, answer_headers, answer, span: tree.span })
    }
}
