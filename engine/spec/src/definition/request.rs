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
    /// The operation's record as JSON.
    Record,
    /// JSON with templates in it.
    Json(Tree),
    /// `application/x-www-form-urlencoded`; null is left out.
    Form(Vec<(Text, Tree)>),
    /// `multipart/form-data`.
    Multipart(Vec<PartDoc>),
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
    /// A file of this machine.
    File {
        /// Its path.
        path: Text,
        /// The name it is sent under; the file's own when none.
        file_name: Option<Text>,
        /// Its media type; guessed from the name when none.
        content_type: Option<Text>,
    },
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
                Self::Record
            } else {
                Self::None
            });
        }
        let mut reader = MapReader::of(tree, "a body", problems)?;
        let json = reader.optional("json", decode::any).map(Self::Json);
        let form = reader.optional("form", decode::map(decode::any)).map(Self::Form);
        let multipart = reader
            .optional("multipart", decode::map(PartValue::read))
            .map(|parts| Self::Multipart(parts.into_iter().map(|(name, value)| PartDoc { name, value }).collect()));
        let help = "a body is written in one way";
        reader.conflict("json", "form", help);
        reader.conflict("json", "multipart", help);
        reader.conflict("form", "multipart", help);
        let body = json.or(form).or(multipart);
        if body.is_none() && !["json", "form", "multipart"].iter().any(|key| reader.has(key)) {
            reader.missing("`json`, `form` or `multipart`", "or write `body: record`");
        }
        reader.finish();
        body
    }
}

impl PartValue {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if tree.as_map().is_none() {
            return Some(Self::Text(tree.clone()));
        }
        let mut reader = MapReader::of(tree, "a part of a multipart body", problems)?;
        let part = Self::File {
            path: reader.required_text("file").unwrap_or_default(),
            file_name: reader.optional_text("file_name"),
            content_type: reader.optional_text("content_type"),
        };
        reader.finish();
        Some(part)
    }
}
