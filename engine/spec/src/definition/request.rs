//! One HTTP call as a template.

use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// `request:`. Every text is a template; which names it may use depends on whose request it is.
#[derive(Debug, Clone)]
pub struct RequestDoc {
    /// `GET`, `POST`, …; when it is not written, `GET` for a stream and `POST` for a login or an operation.
    pub method: Text,
    /// The path behind the base URL; each `{{ }}` is percent-encoded as one path segment.
    pub path: Text,
    /// The base URL when it is not `config.base_url`.
    pub base: Option<Text>,
    /// Query parameters; null is left out, a list repeats the name.
    pub query: Vec<(Text, Tree)>,
    /// Headers; null is left out.
    pub headers: Vec<(Text, Text)>,
    /// The body.
    pub body: BodyDoc,
    /// The whole entry.
    pub span: Span,
}

/// A body.
#[derive(Debug, Clone, Default)]
pub enum BodyDoc {
    /// None.
    #[default]
    None,
    /// The operation's record as JSON, but for some of its fields.
    Record {
        /// Fields that go elsewhere, such as into the path.
        without: Vec<Text>,
    },
    /// JSON with templates in it.
    Json(Tree),
    /// `application/x-www-form-urlencoded`; null is left out.
    Form(Vec<(Text, Tree)>),
    /// `multipart/form-data`.
    Multipart(Vec<PartDoc>),
    /// A text as it stands.
    Text {
        /// The text, a template.
        text: Text,
        /// Its media type; `text/plain; charset=utf-8` when none.
        content_type: Option<Text>,
    },
    /// CSV, one line for each record of the call.
    Csv(CsvDoc),
    /// XML.
    Xml {
        /// A mapping of one name, that of the root element, to what is in it.
        tree: Tree,
        /// Its media type; `application/xml; charset=utf-8` when none.
        content_type: Option<Text>,
    },
}

/// A body in CSV; null is an empty field.
#[derive(Debug, Clone)]
pub struct CsvDoc {
    /// Its columns: a header and what stands below it.
    pub columns: Vec<(Text, CsvValue)>,
    /// Whether the headers are sent.
    pub header: bool,
    /// Whether every field is quoted, or only those that need it.
    pub quote_always: bool,
    /// Whether lines end with a carriage return and a line feed, or with a line feed.
    pub crlf: bool,
    /// Its media type; `text/plain; charset=utf-8` when none.
    pub content_type: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// What stands in a column of a body in CSV.
#[derive(Debug, Clone)]
pub enum CsvValue {
    /// The field of the record that has the column's name.
    Field,
    /// A template over `record`.
    Template(Tree),
}

/// One part of a multipart body.
#[derive(Debug, Clone)]
pub struct PartDoc {
    /// The part's name.
    pub name: Text,
    /// What is in it.
    pub value: PartValue,
}

/// What a part holds.
#[derive(Debug, Clone)]
pub enum PartValue {
    /// A text; null leaves the part out.
    Text(Tree),
    /// A file. Of several places the first one that is not null counts; the part is left out when all are.
    File {
        /// Where it comes from.
        from: Vec<FileFrom>,
        /// The name it is sent under; the file's own when none.
        file_name: Option<Text>,
        /// Its media type; guessed from the name when none.
        content_type: Option<Text>,
    },
}

/// Where a file to upload comes from; each is a template.
#[derive(Debug, Clone)]
pub enum FileFrom {
    /// A path in the folder `files` of the connection.
    Path(Text),
    /// A URL, asked for without credentials.
    Url(Text),
    /// The bytes themselves, as base64 has them.
    Content(Text),
}

impl RequestDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        Self::read_as(tree, "GET", problems)
    }

    /// Reads a request that is a POST when it does not say otherwise.
    pub(super) fn read_post(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        Self::read_as(tree, "POST", problems)
    }

    fn read_as(tree: &Tree, default_method: &str, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a request", problems)?;
        let method = reader.optional("method", method);
        let path = reader.required_text("path");
        let request = Self {
            method: method.unwrap_or_else(|| Text::new(default_method, tree.span)),
            path: path.unwrap_or_default(),
            base: reader.optional_text("base"),
            query: reader.map("query", decode::any),
            headers: reader.map("headers", decode::text),
            body: reader.optional("body", BodyDoc::read).unwrap_or_default(),
            span: tree.span,
        };
        reader.finish();
        Some(request)
    }
}

/// An HTTP method.
fn method(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].map(|name| (name, ()));
    decode::choice(&known)(tree, problems)?;
    tree.as_text().cloned()
}

impl BodyDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if tree.as_text().is_some() {
            decode::choice(&[("record", ()), ("none", ())])(tree, problems)?;
            return Some(if tree.as_text().is_some_and(|text| text.value == "record") {
                Self::Record { without: Vec::new() }
            } else {
                Self::None
            });
        }
        let mut reader = MapReader::of(tree, "a body", problems)?;
        let without = reader.optional("without", decode::one_or_many(decode::text));
        let record = without.map(|without| Self::Record { without });
        let json = reader.optional("json", decode::any).map(Self::Json);
        let form = reader.optional("form", decode::map(decode::any)).map(Self::Form);
        let multipart = reader
            .optional("multipart", decode::map(PartValue::read))
            .map(|parts| Self::Multipart(parts.into_iter().map(|(name, value)| PartDoc { name, value }).collect()));
        let text = reader.optional_text("text");
        let csv = reader.optional("csv", CsvDoc::read).map(Self::Csv);
        let xml = reader.optional("xml", decode::any);
        let content_type = reader.optional_text("content_type");
        for (at, first) in BODIES.iter().enumerate() {
            BODIES[at + 1..].iter().for_each(|second| reader.conflict(first, second, "a body is written in one way"));
        }
        for key in ["without", "json", "form", "multipart", "csv"] {
            reader.conflict("content_type", key, "it goes with `text` and `xml`; `csv` has one of its own");
        }
        if !BODIES.iter().any(|key| reader.has(key)) {
            reader.missing("`without`, `json`, `form`, `multipart`, `text`, `csv` or `xml`", "or write `body: record`");
        }
        reader.finish();
        let text = text.map(|text| Self::Text { text, content_type: content_type.clone() });
        let xml = xml.map(|tree| Self::Xml { tree, content_type });
        record.or(json).or(form).or(multipart).or(text).or(csv).or(xml)
    }
}

/// The ways to write a body.
const BODIES: [&str; 7] = ["without", "json", "form", "multipart", "text", "csv", "xml"];

impl CsvDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a CSV body", problems)?;
        let columns = reader.required("columns", csv_columns);
        let quotes = [("always", true), ("needed", false)];
        let ends = [("crlf", true), ("lf", false)];
        let csv = Self {
            columns: columns.unwrap_or_default(),
            header: reader.bool("header").unwrap_or(true),
            quote_always: reader.optional("quote", decode::choice(&quotes)).unwrap_or(false),
            crlf: reader.optional("line_end", decode::choice(&ends)).unwrap_or(true),
            content_type: reader.optional_text("content_type"),
            span: tree.span,
        };
        reader.finish();
        Some(csv)
    }
}

/// `[NAME, …]`, or `{HEADER: TEMPLATE, …}`.
fn csv_columns(tree: &Tree, problems: &mut Problems) -> Option<Vec<(Text, CsvValue)>> {
    if tree.as_map().is_some() {
        let columns = decode::map(decode::any)(tree, problems)?;
        return Some(columns.into_iter().map(|(name, tree)| (name, CsvValue::Template(tree))).collect());
    }
    let names = decode::list(decode::text)(tree, problems)?;
    Some(names.into_iter().map(|name| (name, CsvValue::Field)).collect())
}

impl PartValue {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if tree.as_map().is_none() {
            return Some(Self::Text(tree.clone()));
        }
        let mut reader = MapReader::of(tree, "a part of a multipart body", problems)?;
        let from = reader.required("file", FileFrom::read).unwrap_or_default();
        let part = Self::File {
            from,
            file_name: reader.optional_text("file_name"),
            content_type: reader.optional_text("content_type"),
        };
        reader.finish();
        Some(part)
    }
}

impl FileFrom {
    /// `PATH`, or `{path: …, url: …, content: …}` with at least one of them.
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Vec<Self>> {
        if let Some(path) = tree.as_text() {
            return Some(vec![Self::Path(path.clone())]);
        }
        let mut reader = MapReader::of(tree, "a file", problems)?;
        let mut from = Vec::new();
        from.extend(reader.optional_text("path").map(Self::Path));
        from.extend(reader.optional_text("url").map(Self::Url));
        from.extend(reader.optional_text("content").map(Self::Content));
        reader.require_one_of(&["path", "url", "content"], "say where the file comes from");
        reader.finish();
        Some(from)
    }
}
