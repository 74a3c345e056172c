//! What can be written.

use super::policy::{ErrorHandlerDoc, SuccessDoc};
use super::request::RequestDoc;
use super::setting::SettingDoc;
use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};
use crate::types::Type;

/// An operation.
#[derive(Debug, Clone)]
pub struct OperationDoc {
    /// Its name.
    pub name: Text,
    /// What it does.
    pub doc: Option<Text>,
    /// What it does to the other system.
    pub kind: WriteKind,
    /// Its call; names: `config`, `record`.
    pub request: RequestDoc,
    /// The fields of its record.
    pub fields: Vec<SettingDoc>,
    /// Auth profiles in the place of the default ones.
    pub auth: Option<Vec<Text>>,
    /// What a good answer looks like.
    pub success: SuccessDoc,
    /// JSONPaths to the vendor's words, in the place of the default ones.
    pub error_message: Option<Vec<Text>>,
    /// Looked at before the default one.
    pub error_handler: ErrorHandlerDoc,
    /// What its answer holds.
    pub results: Vec<ResultDoc>,
    /// Whether sending the same record twice does no harm.
    pub idempotent: bool,
    /// Whether people get mail from it.
    pub sends_email: bool,
    /// Where these facts come from.
    pub source: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// What an operation does to the other system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// Makes something new each time it is called.
    Create,
    /// Changes something that exists.
    Update,
    /// Makes or changes, by a key.
    Upsert,
    /// Removes or archives.
    Delete,
    /// Puts things into relation, starts something, and the like.
    Action,
    /// Moves a file.
    File,
}

/// A field of an answer: `NAME: {type: …, from: JSONPATH}`.
#[derive(Debug, Clone)]
pub struct ResultDoc {
    /// Its name in the sink's results.
    pub name: Text,
    /// Its type.
    pub ty: Type,
    /// Where in the answer it stands.
    pub from: Text,
    /// What it is.
    pub doc: Option<Text>,
}

const KINDS: [(&str, WriteKind); 6] = [
    ("create", WriteKind::Create),
    ("update", WriteKind::Update),
    ("upsert", WriteKind::Upsert),
    ("delete", WriteKind::Delete),
    ("action", WriteKind::Action),
    ("file", WriteKind::File),
];

impl OperationDoc {
    pub(super) fn read(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, format!("operation `{name}`"), problems)?.at(name.span);
        let doc = reader.optional_text("doc");
        let kind = reader.required("kind", decode::choice(&KINDS));
        let request = reader.required("request", RequestDoc::read_post);
        let fields = SettingDoc::read_all(&mut reader, "fields", "a field");
        let auth = reader.optional("auth", decode::one_or_many(decode::text));
        let success = reader.optional("success", SuccessDoc::read).unwrap_or_default();
        let error_message = reader.optional("error_message", decode::one_or_many(decode::text));
        let error_handler = reader.optional("error_handler", ErrorHandlerDoc::read).unwrap_or_default();
        let results = reader.map("results", ResultDoc::read);
        let results = results.into_iter().map(|(name, result)| ResultDoc { name, ..result }).collect();
        let idempotent = reader.bool("idempotent").unwrap_or_default();
        let sends_email = reader.bool("sends_email").unwrap_or_default();
        let source = reader.optional_text("source");
        reader.finish();
        Some(Self {
            name: name.clone(),
            doc,
            kind: kind?,
            request: request?,
            fields,
            auth,
            success,
            error_message,
            error_handler,
            results,
            idempotent,
            sends_email,
            source,
            span: tree.span,
        })
    }
}

impl ResultDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a result", problems)?;
        let result = Self {
            name: Text::default(),
            ty: reader.optional("type", decode::column_type).unwrap_or(Type::Text),
            from: reader.required_text("from").unwrap_or_default(),
            doc: reader.optional_text("doc"),
        };
        reader.finish();
        Some(result)
    }
}
