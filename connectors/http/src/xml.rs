//! A stream of XML read as a source: the document is parsed as it comes and never held as a whole.
//!
//! The body flows from the socket through the decompressor into the parser, which runs on a thread of its own because it
//! reads blocking; batches come back through a channel of two. Who reads slowly slows the sender down.

use crate::excerpt::{excerpt, with_excerpt};
use crate::plan::RecordsPlan;
use crate::policy::{Answered, Verdict, looks_like_html};
use crate::stream::{Pages, content_type};
use async_trait::async_trait;
use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use polars::prelude::DataFrame;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::pin::Pin;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use towpath_connector::{Chunk, Error, Extract, Result, Retry};
use towpath_files::xml::{Limits, Records, Selector, XmlError, XmlErrorKind};
use towpath_spec::Schema;

/// Rows of a batch.
const ROWS: usize = 16_384;
/// What is read at a time.
const BUFFER: usize = 64 << 10;

type Batch = Result<DataFrame>;

/// A source of one XML document.
pub(crate) struct XmlExtract {
    pages: Pages,
    batches: Option<mpsc::Receiver<Batch>>,
    done: bool,
}

impl XmlExtract {
    pub(crate) fn new(pages: Pages) -> Self {
        Self { pages, batches: None, done: false }
    }

    /// Asks for the document; `None` when there is none.
    async fn open(&self) -> Result<Option<mpsc::Receiver<Batch>>> {
        let (stream, connection) = (&self.pages.stream, &self.pages.connection);
        let request = self.pages.request().map_err(|unready| unready.into_error(&stream.name))?;
        let reply = connection.exchange(&request, &stream.auth).await?;
        let (status, pause) = (reply.status(), reply.pause());
        let kind = content_type(reply.headers());
        let answered = Answered { connection, what: &stream.name, status, pause };
        if !status.is_success() || status.as_u16() == 204 {
            let body = reply.head_of_body().await;
            return match stream.policy.status(&answered, &body) {
                Verdict::Failed(error) => Err(error),
                Verdict::Refused(message) => Err(Error::remote(format!("{}: {message}", stream.name))),
                Verdict::Good | Verdict::Nothing => Ok(None),
            };
        }
        let RecordsPlan::Xml(selector) = &stream.records else {
            return Err(Error::bug(format!("stream `{}` is not XML", stream.name)));
        };
        let charset = kind
            .split("charset=")
            .nth(1)
            .map(|rest| rest.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned());
        let (sender, receiver) = mpsc::channel(2);
        let document = Document {
            selector: Arc::clone(selector),
            charset,
            html: kind.contains("html"),
            what: stream.name.clone(),
            host: connection.host().to_owned(),
        };
        let body = BlockingBody { stream: Box::pin(reply.stream()), piece: Bytes::new(), runtime: Handle::current() };
        tokio::task::spawn_blocking(move || document.parse(body, &sender));
        Ok(Some(receiver))
    }
}

#[async_trait]
impl Extract for XmlExtract {
    fn schema(&self) -> &Schema {
        &self.pages.stream.schema
    }

    async fn next(&mut self) -> Result<Option<Chunk>> {
        if self.done {
            return Ok(None);
        }
        if self.batches.is_none() {
            self.batches = self.open().await?;
        }
        let batch = match &mut self.batches {
            Some(batches) => batches.recv().await,
            None => None,
        };
        match batch {
            Some(Ok(frame)) => self.pages.stream.typed(&frame).map(Some),
            Some(Err(error)) => {
                // What came so far has no position and is thrown away; the document is asked for again.
                self.batches = None;
                Err(error)
            }
            None => {
                self.done = true;
                let empty = self.pages.stream.rows(&[])?;
                Ok(Some(Chunk { position: Some(json!({"done": true})), ..empty }))
            }
        }
    }
}

/// A body read by a thread that may wait. It must not be read by one that runs tasks.
struct BlockingBody {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    piece: Bytes,
    runtime: Handle,
}

impl Read for BlockingBody {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                None => return Ok(0),
                Some(piece) => self.piece = piece.map_err(std::io::Error::other)?,
            }
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// A document on its way through the parser.
struct Document {
    selector: Arc<Selector>,
    charset: Option<String>,
    html: bool,
    what: String,
    host: String,
}

impl Document {
    fn parse(&self, body: impl Read, sender: &mpsc::Sender<Batch>) {
        let mut body = BufReader::with_capacity(BUFFER, body);
        let head = match body.fill_buf() {
            Ok(head) => head[..head.len().min(512)].to_vec(),
            Err(error) => return drop(sender.blocking_send(Err(self.cut(&error)))),
        };
        if let Some(error) = self.not_xml(&head) {
            return drop(sender.blocking_send(Err(error)));
        }
        let mut records =
            Records::with_charset(Arc::clone(&self.selector), body, Limits::default(), self.charset.clone());
        loop {
            let batch = match records.next_batch(ROWS) {
                Ok(None) => return,
                Ok(Some(batch)) => Ok(batch.frame),
                Err(error) => Err(self.failed(&error, &head)),
            };
            let failed = batch.is_err();
            // Nobody listens any more: the source was dropped.
            if sender.blocking_send(batch).is_err() || failed {
                return;
            }
        }
    }

    /// HTML parses as XML more often than not, and would be a document without records.
    fn not_xml(&self, head: &[u8]) -> Option<Error> {
        if head.trim_ascii().is_empty() {
            return Some(
                Error::data(format!("{}: {} answered with an empty body where XML was expected", self.what, self.host))
                    .retry(Retry::Yes),
            );
        }
        let found = if looks_like_html(head) || self.html { "HTML" } else { "something that is not XML" };
        let starts = String::from_utf8_lossy(head);
        let markup = starts.trim_start_matches(['\u{feff}', '\0', '\u{fffd}']).trim_start().starts_with('<');
        (found == "HTML" || !markup).then(|| {
            Error::remote(format!(
                "{}: {} answered with {found} where XML was expected{}",
                self.what,
                self.host,
                with_excerpt(head)
            ))
            .help("a login page, a proxy or a web server often answers so; check `base_url`")
        })
    }

    fn failed(&self, error: &XmlError, head: &[u8]) -> Error {
        if let Some(io) = &error.io {
            return self.cut(io);
        }
        let failed = Error::data(format!("{}: the XML of {}: {error}", self.what, self.host));
        match error.kind {
            // The transfer was cut where nobody noticed.
            XmlErrorKind::Truncated => failed.retry(Retry::Yes),
            _ => failed.help(format!("it starts with: {}", excerpt(head))),
        }
    }

    /// The error of the transport inside the reader's.
    fn cut(&self, error: &std::io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(inner) => inner.clone().at(&self.what),
            None => Error::passing(format!("{}: the answer of {} was cut: {error}", self.what, self.host)),
        }
    }
}
